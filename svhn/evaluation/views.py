"""Test-time augmentation: a picture read several times, slightly varied, and the probabilities averaged."""

from __future__ import annotations

import math
from functools import partial

import tensorflow as tf

from svhn.datasets import DATASETS
from svhn.models.losses import Network, Outputs
from svhn.pipeline import augment, batches
from svhn.run import Run
from svhn.spec import Augmentation

VIEW_STRENGTH = 0.5  # of how far training varies its pictures, but for the place of a random crop
SEED = 0
GEOMETRIC_STEPS = ("rotation", "scale", "shear", "slope", "shift", "elastic")


def average_views(network: Network, run: Run) -> Network:
    """A function from a batch of images, as `pipeline.to_input` takes them, to the outputs at the run's temperature.

    With one view, those are its logits; with `config.views`, the logarithm of the mean probability over what the
    network sees as it is, and so many less one variations of that, the same for each picture. A run on random crops
    sees another crop in each. A run that learns of no variations has one view.
    """
    steps = augment.scale_augmentation(
        select_geometric_steps(DATASETS[run.config.dataset].augmentation), VIEW_STRENGTH * run.config.magnitude
    )
    varies = run.config.augment and (run.config.random_crop or steps != Augmentation())
    varied = [partial(augment_view, run, steps, view) for view in range(1, run.config.views if varies else 1)]

    def read(images: tf.Tensor) -> Outputs:
        seen = [network(batches.prepare_input(images, run))]
        seen += [network(view(images)) for view in varied]
        return apply_temperature(average_outputs(seen) if varied else seen[0], run.config.temperature)

    return read


def apply_temperature(logits: Outputs, temperature: float | tf.Tensor) -> Outputs:
    """Surer below a temperature of 1, less sure above it (Guo et al. 2017, arXiv 1706.04599)."""
    return {head: values if head == "box" else values / temperature for head, values in logits.items()}


def select_geometric_steps(steps: Augmentation) -> Augmentation:
    """The steps that move pixels; colours stay, since a picture's are what they are."""
    return Augmentation(**{name: getattr(steps, name) for name in GEOMETRIC_STEPS})


def augment_view(run: Run, steps: Augmentation, view: int, images: tf.Tensor) -> tf.Tensor:
    noise = augment.draw_example_noise(SEED, tf.constant(view, tf.int64))
    images = batches.apply_grayscale(tf.cast(images, tf.float32), run.config)
    noises = tf.repeat(noise[None], tf.shape(images)[0], axis=0)
    return augment.augment_images(images, noises, steps, run.input_size)


def average_outputs(seen: list[Outputs]) -> Outputs:
    """The logarithm of the mean probability, by head; a box is that of the picture as it is."""
    heads = [head for head in seen[0] if head != "box"]
    stacked = {head: tf.stack([tf.nn.log_softmax(logits[head]) for logits in seen]) for head in heads}
    means = {head: tf.reduce_logsumexp(logs, axis=0) - math.log(len(seen)) for head, logs in stacked.items()}
    return {**seen[0], **means}
