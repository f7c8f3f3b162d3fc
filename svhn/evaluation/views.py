"""Test-time augmentation: a picture is read several times, slightly varied, and the probabilities are averaged."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import tensorflow as tf

from svhn.datasets import DATASETS
from svhn.models.losses import Network, Outputs
from svhn.pipeline import augment, batches, geometry
from svhn.run import Run
from svhn.spec import Augmentation

VIEW_STRENGTH = 0.5  # views vary half as far as training does, but random crops may lie anywhere
SEED = 0  # of the views; each picture is varied in the same ways
GEOMETRIC_STEPS = ("rotation", "scale", "shear", "slope", "shift", "elastic")


def average_views(network: Network, run: Run) -> Network:
    """A network that takes images as `prepare_input` does, and averages over the run's views.

    The first view is the picture as it is. The other `run.config.views` - 1 views are variations of it, with random
    crops if the run trains on such. A run that trains without variations has only the first view. The outputs are the
    logits of the one view, or the logarithm of the views' mean probability, both divided by the run's temperature.
    """
    steps = augment.scale_augmentation(
        select_geometric_steps(DATASETS[run.config.dataset].augmentation), VIEW_STRENGTH * run.config.magnitude
    )
    varies = run.config.augment and (run.config.random_crop or steps != Augmentation())
    variations = [partial(augment_view, run, steps, view) for view in range(1, run.config.views if varies else 1)]

    def compute_outputs(images: tf.Tensor) -> Outputs:
        outputs = [network(batches.prepare_input(images, run))]
        outputs += [network(vary(images)) for vary in variations]
        return apply_temperature(average_outputs(outputs) if variations else outputs[0], run.config.temperature)

    return compute_outputs


def apply_temperature(logits: Outputs, temperature: float | tf.Tensor) -> Outputs:
    """The logits divided by a temperature, which raises confidences if it is below 1 and lowers them if above.

    As in Guo et al. 2017 (arXiv 1706.04599). Boxes stay as they are.
    """
    return {head: values if head == "box" else values / temperature for head, values in logits.items()}


def select_geometric_steps(steps: Augmentation) -> Augmentation:
    """The steps that move pixels. Those that change colors, blur or erase are left out of views."""
    return Augmentation(**{name: getattr(steps, name) for name in GEOMETRIC_STEPS})


def augment_view(run: Run, steps: Augmentation, view: int, images: tf.Tensor) -> tf.Tensor:
    """The network's input for a view, 1 or above, of images as `prepare_input` takes them."""
    images = batches.apply_grayscale(tf.cast(images, tf.float32), run.config)
    x, y = locate_pixels(run, steps, view)
    return geometry.interpolate_pixels(images, tf.constant(x), tf.constant(y))


def locate_pixels(run: Run, steps: Augmentation, view: int) -> tuple[np.ndarray, np.ndarray]:
    """The x and y in an image of each pixel of a view, float32 (1, rows, columns) each.

    `augment.augment_images` moves pixels to the same places. Here they are constants, because exported files can hold
    neither random numbers nor the projection that training uses.
    """
    with tf.init_scope():  # computed at once, even while TensorFlow traces a function
        noise = augment.draw_example_noise(SEED, tf.constant(view, tf.int64))
        drawn = augment.split_noise(noise[None])
        transforms = geometry.make_transforms(drawn.warp, drawn.slope, steps, run.records.size, run.input_size)
        x, y = geometry.transform_places(transforms, geometry.bend_grid(run.input_size, drawn.bend, steps))
        return x.numpy(), y.numpy()


def average_outputs(outputs: list[Outputs]) -> Outputs:
    """The logarithm of the mean probability over the views, by head.

    The box is that of the first view, because the other views move the number.

    Args:
        outputs: the outputs of each view: logits (batch, …, classes) by head, and, of a finder, `box` (batch, 4).
    """
    heads = [head for head in outputs[0] if head != "box"]
    stacked = {head: tf.stack([tf.nn.log_softmax(logits[head]) for logits in outputs]) for head in heads}
    means = {head: tf.reduce_logsumexp(logs, axis=0) - math.log(len(outputs)) for head, logs in stacked.items()}
    return {**outputs[0], **means}
