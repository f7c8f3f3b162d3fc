"""Image augmentation without state: a function of the images and of numbers that each example brings along.

Those numbers depend on the seed and on the example's place in the stream alone, so that a run which was interrupted,
or which is spread over several workers, sees the same pictures as one which was not.
"""

from __future__ import annotations

import math

import tensorflow as tf

from svhn.spec import Augmentation, Size

NOISE = 16  # uniform numbers an example brings


def noise(seed: int, index: tf.Tensor) -> tf.Tensor:
    """float32 (NOISE,) in -1…1 for the example at this place of the stream."""
    return tf.random.stateless_uniform(
        [NOISE], seed=tf.stack([tf.constant(seed, tf.int64), index]), minval=-1.0, maxval=1.0
    )


def augment(images: tf.Tensor, noise: tf.Tensor, steps: Augmentation, size: Size) -> tf.Tensor:
    """Vary a batch of images, and cut a window of `size` out of each at random.

    Args:
        images: float32 (batch, height, width, channels) in 0…255.
        noise: float32 (batch, NOISE) in -1…1.
        steps: how far.
        size: height and width of the result; where it is smaller than the images, the window's place is random.
    """
    images = warp(images, noise[:, :7], steps, size)
    return recolour(images, noise[:, 7:14], steps)


def warp(images: tf.Tensor, noise: tf.Tensor, steps: Augmentation, size: Size) -> tf.Tensor:
    """Zoom, rotate, shear, shift and crop in a single bilinear sampling; (batch, *size, channels)."""
    height, width = (int(side) for side in images.shape[1:3])  # pyright: ignore[reportArgumentType]
    zoom_x, zoom_y, angle, shear, shift_x, shift_y, _ = tf.unstack(noise, axis=1)
    a, d = tf.exp(steps.scale * zoom_x), tf.exp(steps.scale * zoom_y)
    radians = math.radians(steps.rotation) * angle
    matrix = (a * tf.cos(radians), steps.shear * shear - tf.sin(radians), tf.sin(radians), d * tf.cos(radians))
    slack_y, slack_x = (height - size[0]) / 2, (width - size[1]) / 2
    centre_x = (width - 1) / 2 + (slack_x + steps.shift[1] * size[1]) * shift_x
    centre_y = (height - 1) / 2 + (slack_y + steps.shift[0] * size[0]) * shift_y
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=around(matrix, (centre_x, centre_y), size),
        output_shape=size,
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def around(matrix: tuple[tf.Tensor, ...], centre: tuple[tf.Tensor, tf.Tensor], size: Size) -> tf.Tensor:
    """The transforms (batch, 8), from output to input pixels, that take the output's centre to `centre`."""
    a, b, c, d = matrix
    middle_x, middle_y = (size[1] - 1) / 2, (size[0] - 1) / 2
    shift_x = centre[0] - a * middle_x - b * middle_y
    shift_y = centre[1] - c * middle_x - d * middle_y
    return tf.stack([a, b, shift_x, c, d, shift_y, tf.zeros_like(a), tf.zeros_like(a)], axis=1)


def recolour(images: tf.Tensor, noise: tf.Tensor, steps: Augmentation) -> tf.Tensor:
    """Saturation, contrast, brightness and tint, clipped to 0…255, then inversion."""
    saturation, contrast, brightness, *tint, invert = tf.unstack(noise[:, :, None, None, None], axis=1)
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    images = grey + (images - grey) * (1 + steps.saturation * saturation)
    mean = tf.reduce_mean(images, axis=[1, 2], keepdims=True)
    images = mean + (images - mean) * tf.exp(steps.contrast * contrast)
    images += 255 * (steps.brightness * brightness + steps.tint * tf.concat(tint[: images.shape[3]], axis=3))
    images = tf.clip_by_value(images, 0.0, 255.0)
    return tf.where((invert + 1) / 2 < steps.inversion, 255 - images, images)
