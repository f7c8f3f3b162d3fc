"""The learning-rate finder: the losses of training steps with a rising learning rate (Smith 2015, arXiv 1506.01186)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from svhn.config import Config, Paths
from svhn.datasets import DATASETS
from svhn.errors import Say, UserError
from svhn.evaluation import metrics
from svhn.models import MODELS
from svhn.models.losses import Network
from svhn.pipeline.batches import Batch, make_training_batches
from svhn.records import Split
from svhn.run import Run
from svhn.runs.steps import list_steps
from svhn.training import initial_weights
from svhn.training.step import State, build_state, make_step
from svhn.training.teacher import load_teacher

RATES = np.geomspace(1e-6, 1.0, 200)  # one learning rate per step
SMOOTHING = 0.9  # momentum of the running mean of the loss
DIVERGENCE_FACTOR = 4.0  # the sweep ends where the mean loss exceeds its minimum this many times
SETTLING_STEPS = 10  # steps after which the running mean is a mean of enough losses


class Sweep(NamedTuple):
    """The learning rates that were tried, the loss of each step, and the loss's running mean; all float64 (steps,)."""

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray

    @property
    def suggestion(self) -> float:
        """A tenth of the rate with the lowest mean loss, well below rates that diverge.

        The rate at which the loss falls fastest, the usual choice, depends mostly on noise.

        Raises:
            UserError: the loss only rises.
        """
        lowest = int(self.smoothed.argmin()) if self.smoothed.size else 0
        if lowest < 2:
            raise UserError("the loss only rises, whatever the learning rate: look at the data, or try a new --name")
        return float(self.rates[lowest] / 10)


def find_learning_rate(run: Run, paths: Paths, split: Split, say: Say) -> Sweep:
    """Sweep the learning rate from the weights that a new run begins with. The run's folder stays as it is.

    Args:
        run: the run, or a new run without a folder yet.
        paths: where the runs of `--teacher` and `--init_from` lie.
        split: the records to train on.
        say: prints a line.

    Raises:
        UserError: the model is fitted without gradient descent, or the weights to begin with can't be read.
    """
    if MODELS[run.config.model].fit:
        raise UserError(
            f"--model={run.config.model} is fitted at once and has no learning rate: train it without looking for one"
        )
    constant = run.with_options(lrate=1.0, decay="constant", warmup_steps=0)
    state = build_state(constant, steps=len(RATES), replicas=1)
    if list_steps(run.folder):  # a rate that suits trained weights would be far too low for the training that it is for
        say(f"Sweeping from new weights, and not from those of {run.folder}")
    initial_weights.initialize_weights(state, run, paths, say)
    augmentation = DATASETS[run.config.dataset].augmentation
    batches = make_training_batches(constant, split, augmentation)
    return sweep_rates(state, constant.config, iter(batches), load_teacher(run, paths))


def sweep_rates(
    state: State,
    config: Config,
    batches: Iterator[Batch],
    teacher: Network | None = None,
) -> Sweep:
    """Take one step at each of `RATES` until the loss explodes, then set the state back to what it was.

    Args:
        state: a state whose optimizer has a constant rate of 1, so that `state.factor` is the rate.
        config: the options of this optimizer.
        batches: batches for training.
        teacher: the run's teacher, if it has one.
    """
    changing = (state.learner, state.average, state.optimizer)
    variables = [*chain.from_iterable(each.variables for each in changing), state.step, state.factor]
    before = [tf.identity(variable) for variable in variables]
    take_step = make_step(state, config, tf.distribute.get_strategy(), teacher)
    losses: list[float] = []
    for rate, batch in zip(RATES, batches, strict=False):
        state.factor.assign(rate)
        loss = metrics.compute_scores(metrics.sum_counts([take_step(batch)]))["loss"]
        means = smooth_losses(np.array([*losses, loss]))
        if not math.isfinite(loss) or (
            len(means) > SETTLING_STEPS and means[-1] > DIVERGENCE_FACTOR * means[SETTLING_STEPS:].min()
        ):
            break
        losses.append(loss)
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return Sweep(RATES[: len(losses)], np.array(losses), smooth_losses(np.array(losses)))


def smooth_losses(values: np.ndarray) -> np.ndarray:
    """The exponential running mean of the values, float64 (steps,), started at the first value."""
    mean, means = values[0] if len(values) else 0.0, []
    for value in values:
        mean = SMOOTHING * mean + (1 - SMOOTHING) * value
        means.append(mean)
    return np.array(means)
