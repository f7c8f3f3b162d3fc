"""Test-time augmentation: a picture read several times, slightly varied, and the probabilities averaged."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import keras
import tensorflow as tf

from svhn import augment
from svhn.config import Config
from svhn.datasets import DATASETS
from svhn.spec import Augmentation

REACH = 0.5  # of how far training varies its pictures
SEED = 0
SHAPE = ("rotation", "scale", "shear", "shift", "elastic")

Outputs = dict[str, tf.Tensor]


def outputs(model: keras.Model, config: Config) -> Callable[[tf.Tensor], Outputs]:
    """A function from a batch of inputs to the model's outputs, divided by the temperature.

    With one view, those are its logits; with `config.views`, the logarithm of the mean probability over what the
    network sees as it is, and so many less one variations of that, the same for each picture. A run without
    augmentation has learnt of no variations, and has one view.
    """
    alone = config.views == 1 or not config.augment
    read = partial(model, training=False) if alone else averaged(model, config)
    return lambda images: at_temperature(read(images), config.temperature)


def at_temperature(logits: Outputs, temperature: float | tf.Tensor) -> Outputs:
    """Surer below a temperature of 1, less sure above it (Guo et al. 2017, arXiv 1706.04599)."""
    return {head: values / temperature for head, values in logits.items()}


def averaged(model: keras.Model, config: Config) -> Callable[[tf.Tensor], Outputs]:
    """As `outputs`, of several views."""
    steps = augment.scaled(shape_of(DATASETS[config.dataset].augmentation), REACH * config.magnitude)

    def read(images: tf.Tensor) -> Outputs:
        varied = [vary(images, view, steps) for view in range(1, config.views)]
        return average([model(view, training=False) for view in (images, *varied)])

    return read


def shape_of(steps: Augmentation) -> Augmentation:
    """The steps that move pixels; colours stay, since a picture's are what they are."""
    return Augmentation(**{name: getattr(steps, name) for name in SHAPE})


def vary(images: tf.Tensor, view: int, steps: Augmentation) -> tf.Tensor:
    noise = augment.noise(SEED, tf.constant(view, tf.int64))
    return augment.augment(images, tf.repeat(noise[None], tf.shape(images)[0], axis=0), steps, augment.size_of(images))


def average(seen: list[Outputs]) -> Outputs:
    """The logarithm of the mean probability, by head."""
    stacked = {head: tf.stack([tf.nn.log_softmax(logits[head]) for logits in seen]) for head in seen[0]}
    return {head: tf.reduce_logsumexp(logs, axis=0) - math.log(len(seen)) for head, logs in stacked.items()}
