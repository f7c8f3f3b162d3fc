"""Optimizers, the learning rate over the steps, and when scores on valid lower it."""

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
    "adamw": keras.optimizers.Adam,  # Keras decouples the weight decay of every optimizer, which makes Adam AdamW
    "amsgrad": partial(keras.optimizers.Adam, amsgrad=True),
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": partial(keras.optimizers.SGD, momentum=0.9, nesterov=True),
}
PLATEAU_FACTOR = 0.5  # multiplies the learning rate when scores on valid stall


class Schedule(LearningRateSchedule):
    """A linear warm-up to the peak rate, then a decay to the last step, multiplied by a factor that can change.

    Args:
        config: the peak rate, the steps of the warm-up, and the kind of decay.
        steps: steps of the whole training.
        factor: float32 scalar.
    """

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
    """The run's optimizer with its `Schedule`. Biases and normalization's weights do not decay."""
    schedule = cast(Any, Schedule(config, steps, factor))
    optimizer = OPTIMIZERS[config.optimizer](schedule, weight_decay=config.weight_decay or None)
    if config.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def count_since_best(scores: Sequence[float]) -> int:
    """The number of scores after the best one, which is the highest, and the first among equals."""
    return len(scores) - 1 - scores.index(max(scores)) if scores else 0


def should_reduce_rate(scores: Sequence[float], patience: int) -> bool:
    """Whether the learning rate is lowered now: each time that `patience` more scores had no new best; never for 0."""
    stalled = count_since_best(scores)
    return patience > 0 and stalled > 0 and stalled % patience == 0
