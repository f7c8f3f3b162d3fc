"""Optimisers, the learning rate over the steps, and what valid's scores say about both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import keras
import tensorflow as tf
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule, PolynomialDecay

from svhn.config import Config

OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.Adam,  # the same: weight_decay is decoupled for all of them
    "amsgrad": partial(keras.optimizers.Adam, amsgrad=True),
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": partial(keras.optimizers.SGD, momentum=0.9, nesterov=True),
}
PLATEAU_FACTOR = 0.5  # of the learning rate on a plateau


class Schedule(LearningRateSchedule):
    """A linear warm-up to the peak rate and a decay to the last step, all times a factor that can be set meanwhile."""

    def __init__(self, config: Config, steps: int, factor: tf.Variable) -> None:
        self.peak, self.warmup, self.factor = config.lrate, config.warmup_steps, factor
        after = max(1, steps - config.warmup_steps)
        self.decay = {
            "cosine": CosineDecay(config.lrate, after),
            "linear": PolynomialDecay(config.lrate, after, end_learning_rate=0.0),
            "constant": lambda _: config.lrate,
        }[config.decay]

    def __call__(self, step: Any) -> Any:
        step = tf.cast(step, tf.float32)
        rising = self.peak * step / max(1, self.warmup)
        return self.factor * tf.where(step < self.warmup, rising, self.decay(tf.maximum(0.0, step - self.warmup)))


def build_optimizer(config: Config, steps: int, factor: tf.Variable) -> keras.optimizers.Optimizer:
    schedule = cast(Any, Schedule(config, steps, factor))
    optimizer = OPTIMIZERS[config.optimizer](schedule, weight_decay=config.weight_decay or None)
    if config.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def count_since_best(scores: Sequence[float]) -> int:
    """How many scores have come since the best one, the first of equals; higher is better."""
    return len(scores) - 1 - scores.index(max(scores)) if scores else 0


def should_reduce_rate(scores: Sequence[float], patience: int) -> bool:
    """Whether the learning rate is to be reduced now: at every `patience` scores without a new best one."""
    stalled = count_since_best(scores)
    return patience > 0 and stalled > 0 and stalled % patience == 0
