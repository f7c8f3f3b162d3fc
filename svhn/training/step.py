"""The state that training changes, and one step of training."""

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
from svhn.models import MODELS, PRETRAINED
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
    """The state that training changes and a checkpoint holds.

    Args:
        step: steps done, an int64 scalar.
        model: the model that is trained.
        learner: the model with further heads that only training needs; `model` itself if there are none.
        average: a model with the averaged weights, for evaluation; `model` itself if no average is kept.
        optimizer: the optimizer of the learner's weights.
        factor: multiplies the scheduled learning rate, a float32 scalar.
    """

    step: tf.Variable
    model: keras.Model
    learner: keras.Model
    average: keras.Model
    optimizer: keras.optimizers.Optimizer
    factor: tf.Variable

    def make_checkpoint(self) -> tf.train.Checkpoint:
        """The state as TensorFlow saves and restores it. Older checkpoints rely on the names given here."""
        weights = {id(variable) for variable in self.model.weights}
        seeds = [variable.value for variable in self.model.variables if id(variable) not in weights]  # dropout's
        return tf.train.Checkpoint(
            step=self.step,
            model=self.model,
            average=self.average,
            optimizer=self.optimizer,  # also holds the weights it changes, and so those of the learner's further heads
            factor=self.factor,
            seeds=seeds,
        )

    def is_finite(self) -> bool:
        """Whether all weights are finite, those of the learner's further heads included."""
        return all(np.isfinite(weight).all() for weight in self.learner.get_weights())


def build_state(run: Run, steps: int, replicas: int) -> State:
    """A new state with weights drawn from the run's seed. To be called inside the strategy's scope.

    Args:
        run: the run.
        steps: steps of the whole training, for the learning rate.
        replicas: number of replicas that train together.
    """
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
    optimizer.build(learner.trainable_variables)  # its variables can't be created later, inside a tf.function
    return State(tf.Variable(tf.constant(0, tf.int64)), model, learner, average, optimizer, factor)


def _build_learner(model: keras.Model, config: Config) -> keras.Model:
    """The model with heads for digit maps, if the run learns them and one of its data sets has boxes of digits."""
    known = any(DATASETS[name].locate for name in parse_train_on(config.train_on, config.dataset))
    with use_precision(config):
        return add_map_heads(model, MODELS[config.model].maps if known and config.map_weight else ())


def make_step(
    state: State,
    config: Config,
    strategy: tf.distribute.Strategy,
    teacher: Network | None = None,
) -> Callable[[Any], Counts]:
    """A function that trains on one global batch: it updates the state and returns the sums over all replicas.

    Args:
        state: the state.
        config: the options of the loss, and the batch size.
        strategy: the strategy in whose scope the state was built.
        teacher: a network whose predictions are learned beside the labels; None without one.
    """
    variables = state.learner.trainable_variables
    held = [each for each in variables if config.pretrained_rate < 1 and is_pretrained(each)]

    def replica_step(batch: batches.Batch) -> Counts:
        taught = teacher(batch["image"]) if teacher else None
        with tf.GradientTape() as tape:
            outputs = state.learner(batch["image"], training=True)
            losses = compute_example_loss(batch, outputs, config.label_smoothing, taught, config.distillation)
            objective = losses
            if "maps" in outputs:  # left out of the reported loss, which stays comparable to that on valid
                objective += config.map_weight * compute_map_loss(batch["map"], outputs["maps"])
            loss = tf.reduce_sum(objective) / config.batch_size  # the global one: replicas' gradients are summed
        gradients = tape.gradient(loss, variables)
        gradients = distribute.clip_gradients(gradients, config.clip_norm, strategy.num_replicas_in_sync)
        state.optimizer.apply(gradients, variables)
        predicted, weight = decoding.decode_outputs(outputs).digits, tf.ones_like(losses)
        return metrics.count_batch(batch["digits"], predicted, losses, weight, pair_boxes(batch, outputs))

    @tf.function
    def step(batch: Any) -> Counts:
        before = [tf.identity(variable.value) for variable in held]
        counts = strategy.run(replica_step, args=(batch,))
        _hold_back(held, before, config.pretrained_rate, strategy)
        state.step.assign_add(1)
        if state.average is not state.model:
            _update_average(state, config.average, strategy)
        return Counts(*(strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None) for value in counts))

    return step


def is_pretrained(weight: keras.Variable) -> bool:
    """Whether a weight is of a layer that the model has from elsewhere."""
    return get_layer_name(weight).startswith(PRETRAINED)


def get_layer_name(weight: keras.Variable) -> str:
    return weight.path.split("/")[-2]


def _hold_back(
    variables: list[keras.Variable], before: list[tf.Tensor], share: float, strategy: tf.distribute.Strategy
) -> None:
    """Leave to variables a share of their last step. Optimizers of Keras have one learning rate for all variables."""

    def move(variable: tf.Variable, old: tf.Tensor) -> None:
        variable.assign(old + share * (variable - old))

    for variable, old in zip(variables, before, strict=True):
        strategy.extended.update(variable.value, move, args=(old,))


def _update_average(state: State, momentum: float, strategy: tf.distribute.Strategy) -> None:
    """Move the averaged weights toward the model's.

    The rate is 1 - momentum in the end. It is higher at first, so that the initial weights are forgotten soon.
    """
    step = tf.cast(state.step, tf.float32)
    rate = 1 - tf.minimum(momentum, (1 + step) / (10 + step))

    def move(average: tf.Variable, value: tf.Tensor) -> None:
        average.assign_add(rate * (value - average) if average.dtype.is_floating else value - average)

    for average, variable in zip(state.average.variables, state.model.variables, strict=True):
        strategy.extended.update(average.value, move, args=(variable.value,))
