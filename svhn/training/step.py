"""What training changes, and one step of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from svhn.config import Config, parse_train_on
from svhn.datasets import DATASETS
from svhn.evaluation import decoding, metrics
from svhn.evaluation.metrics import Counts
from svhn.models import MODELS
from svhn.models.layers.heads import add_map_heads
from svhn.models.losses import Network, compute_example_loss, compute_map_loss, pair_boxes
from svhn.models.precision import use_precision
from svhn.pipeline import batches
from svhn.run import Run
from svhn.runs import load
from svhn.training import distribute
from svhn.training.optimizers import build_optimizer


@dataclass
class State:
    """What a checkpoint holds. `average` is evaluated; it is `model` itself where no average is kept.

    `learner` is the model and the heads that are for training alone, or just the model where there are none. `factor`
    multiplies the scheduled learning rate.
    """

    step: tf.Variable
    model: keras.Model
    learner: keras.Model
    average: keras.Model
    optimizer: keras.optimizers.Optimizer
    factor: tf.Variable

    def make_checkpoint(self) -> tf.train.Checkpoint:
        weights = {id(variable) for variable in self.model.weights}
        seeds = [variable.value for variable in self.model.variables if id(variable) not in weights]  # of dropout
        return tf.train.Checkpoint(
            step=self.step,
            model=self.model,
            average=self.average,
            optimizer=self.optimizer,  # which holds what it changes: the learner's weights
            factor=self.factor,
            seeds=seeds,
        )

    def is_finite(self) -> bool:
        """Whether all that is learnt still is a number, in the heads that are for training alone as well."""
        return all(np.isfinite(weight).all() for weight in self.learner.get_weights())


def build_state(run: Run, steps: int, replicas: int) -> State:
    """A new run's state, its weights drawn from the seed. Called within the strategy's scope."""
    keras.utils.set_random_seed(run.config.seed)
    model = load.build_model(run)
    learner = _build_learner(model, run.config)
    distribute.synchronize_batch_norm(model, replicas)
    average = model
    if run.config.average:
        average = load.build_model(run)
        average.set_weights(model.get_weights())
    factor = tf.Variable(tf.constant(1.0), trainable=False)
    optimizer = build_optimizer(run.config, steps, factor)
    optimizer.build(learner.trainable_variables)  # before the first tf.function, and within the scope
    return State(tf.Variable(tf.constant(0, tf.int64)), model, learner, average, optimizer, factor)


def _build_learner(model: keras.Model, config: Config) -> keras.Model:
    """The model with heads that tell which digit lies where, if what it trains on knows and the run is to learn it."""
    known = any(DATASETS[name].locate for name in parse_train_on(config.train_on, config.dataset))
    with use_precision(config):
        return add_map_heads(model, MODELS[config.model].maps if known and config.map_weight else ())


def make_step(
    state: State,
    config: Config,
    strategy: tf.distribute.Strategy,
    teacher: Network | None = None,
) -> Callable[[Any], Counts]:
    """One step over a global batch: updates the state, returns the sums over all replicas."""

    variables = state.learner.trainable_variables

    def replica_step(batch: batches.Batch) -> Counts:
        taught = teacher(batch["image"]) if teacher else None
        with tf.GradientTape() as tape:
            outputs = state.learner(batch["image"], training=True)
            losses = compute_example_loss(batch, outputs, config.label_smoothing, taught, config.distillation)
            learnt = losses
            if "maps" in outputs:  # not counted: valid's loss is of the number alone, too
                learnt += config.map_weight * compute_map_loss(batch["map"], outputs["maps"])
            loss = tf.reduce_sum(learnt) / config.batch_size  # replicas' gradients are summed
        gradients = tape.gradient(loss, variables)
        gradients = distribute.clip_gradients(gradients, config.clip_norm, strategy.num_replicas_in_sync)
        state.optimizer.apply(gradients, variables)
        predicted, weight = decoding.decode_outputs(outputs).digits, tf.ones_like(losses)
        return metrics.count_batch(batch["digits"], predicted, losses, weight, pair_boxes(batch, outputs))

    @tf.function
    def step(batch: Any) -> Counts:
        counts = strategy.run(replica_step, args=(batch,))
        state.step.assign_add(1)
        if state.average is not state.model:
            _update_average(state, config.average, strategy)
        return Counts(*(strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None) for value in counts))

    return step


def _update_average(state: State, momentum: float, strategy: tf.distribute.Strategy) -> None:
    """Move the averaged weights towards the model's: by a running mean at first, then by 1 - momentum."""
    step = tf.cast(state.step, tf.float32)
    rate = 1 - tf.minimum(momentum, (1 + step) / (10 + step))

    def move(average: tf.Variable, value: tf.Tensor) -> None:
        average.assign_add(rate * (value - average) if average.dtype.is_floating else value - average)

    for average, variable in zip(state.average.variables, state.model.variables, strict=True):
        strategy.extended.update(average.value, move, args=(variable.value,))
