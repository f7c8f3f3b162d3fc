"""Image augmentation without state: functions of the images and of random numbers, the noise, of each example.

An example's noise depends only on the seed and on the example's place in the stream. So a run that was interrupted, or
that is spread over several workers, trains on exactly the same pictures as an uninterrupted run on one device.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import tensorflow as tf

from svhn.pipeline import digit_maps, geometry
from svhn.pipeline.boxes import merge_known_boxes
from svhn.spec import Augmentation, Size

MAX_CELLS = 8  # the noise shuffles at most this many cells of a picture


class NoiseParts(NamedTuple):
    """The noise of each step of augmentation: float32 (…, count), or, by default, the counts.

    New steps are added at the end, so that earlier runs go on with the same noise as before.
    """

    warp: Any = 6
    bend: Any = 8
    recolor: Any = 7
    rearrange: Any = MAX_CELLS
    blur: Any = 1
    erase: Any = 3
    join: Any = 1
    slope: Any = 1


NOISE_SIZE = sum(NoiseParts())  # random numbers of one example
BLUR_WINDOW = 5  # pixels: height and width of the square that one blur averages

SCALED_FIELDS = (  # of `Augmentation`, beside `shift`; probabilities and cells are not scaled
    "rotation",
    "scale",
    "shear",
    "slope",
    "elastic",
    "blur",
    "erasing",
    "saturation",
    "contrast",
    "brightness",
    "tint",
)


def scale_augmentation(steps: Augmentation, magnitude: float) -> Augmentation:
    """The steps with all ranges multiplied by one factor, as in RandAugment (Cubuk et al. 2020, arXiv 1909.13719)."""
    height, width = steps.shift
    ranges = {name: magnitude * getattr(steps, name) for name in SCALED_FIELDS}
    return replace(steps, **ranges, shift=(magnitude * height, magnitude * width))


def draw_example_noise(seed: int, index: tf.Tensor) -> tf.Tensor:
    """float32 (NOISE_SIZE,) in -1…1 for the example at this place, an int64 scalar, in the stream."""
    return tf.random.stateless_uniform(
        [NOISE_SIZE], seed=tf.stack([tf.constant(seed, tf.int64), index]), minval=-1.0, maxval=1.0
    )


def split_noise(noise: tf.Tensor) -> NoiseParts:
    """The noise float32 (…, NOISE_SIZE), divided among the steps."""
    return NoiseParts(*tf.split(noise, NoiseParts(), axis=-1))


def augment_images(
    images: tf.Tensor, noise: tf.Tensor, steps: Augmentation, size: Size, boxes: tf.Tensor | None = None
) -> tf.Tensor:
    """Vary a batch of images, and cut a random window of `size` out of each.

    Args:
        images: float32 (batch, height, width, channels) in 0…255.
        noise: float32 (batch, NOISE_SIZE) in -1…1.
        steps: what is varied, and how far.
        size: height and width of the result in pixels. If it is smaller than the images, the window's place is random.
        boxes: the numbers' boxes, float32 (batch, 4), in shares of the images' width and height. `steps.inside` needs
            them.

    Returns:
        float32 (batch, *size, channels) in 0…255.
    """
    drawn, transforms = split_noise(noise), _derive_transforms(images, noise, steps, size, boxes)
    if steps.elastic:
        images = geometry.sample_images(images, transforms, geometry.bend_grid(size, drawn.bend, steps))
    else:
        images = geometry.project_images(images, transforms, size)
    images = _jitter_colors(blur_images(images, drawn.blur, steps), drawn.recolor, steps)
    return erase_squares(images, drawn.erase, steps)


def _derive_transforms(
    images: tf.Tensor, noise: tf.Tensor, steps: Augmentation, size: Size, boxes: tf.Tensor | None
) -> tf.Tensor:
    drawn = split_noise(noise)
    return geometry.make_transforms(drawn.warp, drawn.slope, steps, _get_size(images), size, boxes)


def augment_boxes(boxes: tf.Tensor, images: tf.Tensor, noise: tf.Tensor, steps: Augmentation, size: Size) -> tf.Tensor:
    """The numbers' boxes after `augment_images`, called with the same arguments: float32 (batch, 4).

    `boxes` are in shares of the images' width and height, the returned ones in shares of the result's.
    """
    return geometry.transform_boxes(
        boxes, _derive_transforms(images, noise, steps, size, boxes), _get_size(images), size
    )


def rearrange_cells(
    images: tf.Tensor, digits: tf.Tensor, noise: tf.Tensor, steps: Augmentation
) -> tuple[tf.Tensor, tf.Tensor]:
    """Shuffle the cells of each image, and the digits of its label in the same way.

    Args:
        images: float32 (batch, height, width, channels). Height and width are multiples of the rows and columns.
        digits: int32 (batch, cells), row by row.
        noise: float32 (batch, NOISE_SIZE) in -1…1.
        steps: their `cells` are the rows and columns.

    Returns:
        Images and digits of the same shapes.
    """
    rows, columns = steps.cells
    if rows * columns == 1:
        return images, digits
    order = tf.argsort(split_noise(noise).rearrange[:, : rows * columns], axis=1)
    images = geometry.join_cells(
        tf.gather(geometry.split_cells(images, rows, columns), order, batch_dims=1), rows, columns
    )
    return images, tf.gather(digits, order, batch_dims=1)


def augment_digit_maps(
    digits: tf.Tensor, boxes: tf.Tensor, images: tf.Tensor, noise: tf.Tensor, steps: Augmentation, size: Size
) -> tf.Tensor:
    """Which digit covers each place of the result of `augment_images`: int32 (batch, rows, columns).

    The waves of `steps.elastic` are left out: they move pixels by less than a place.

    Args:
        digits: int32 (batch, max_length), `EMPTY` past the length.
        boxes: the digits' boxes, float32 (batch, max_length, 4), in shares of the images' width and height.
        images, noise, steps, size: as `augment_images` takes them.
    """
    transforms = _derive_transforms(images, noise, steps, size, merge_known_boxes(boxes))
    return digit_maps.make_digit_maps(digits, boxes, transforms, _get_size(images), size)


def _get_size(images: tf.Tensor) -> Size:
    return _get_shape(images)[:2]


def _get_shape(images: tf.Tensor) -> tuple[int, int, int]:
    """Height, width and channels of images whose shape is static but for the batch."""
    _, height, width, channels = images.shape
    return int(height), int(width), int(channels)  # pyright: ignore[reportArgumentType]


def blur_images(images: tf.Tensor, noise: tf.Tensor, steps: Augmentation) -> tf.Tensor:
    """Blur half of the images up to `steps.blur` times, as if they had been taken from further away.

    Args:
        images: float32 (batch, height, width, channels).
        noise: float32 (batch, 1) in -1…1. Below 0, the image stays as it is.
        steps: their `blur` counts.
    """
    times = tf.maximum(steps.blur * noise[:, :, None, None], 0.0)  # (batch, 1, 1, 1); a fraction blends the last blur
    for done in range(math.ceil(steps.blur)):
        mean = tf.nn.avg_pool2d(images, BLUR_WINDOW, 1, "SAME")  # at a border, the mean of the pixels that exist
        images += tf.clip_by_value(times - done, 0.0, 1.0) * (mean - images)
    return images


def erase_squares(images: tf.Tensor, noise: tf.Tensor, steps: Augmentation) -> tf.Tensor:
    """Paint over a square of half of the images with the image's mean color (Zhong et al. 2017, arXiv 1708.04896).

    Args:
        images: float32 (batch, height, width, channels).
        noise: float32 (batch, 3) in -1…1: the square's size, nothing below 0, and its center's y and x.
        steps: their `erasing` counts.
    """
    if not steps.erasing:
        return images
    height, width, channels = _get_shape(images)
    size, y, x = tf.unstack(noise[:, :, None], axis=1)
    reach = steps.erasing * height / 2 * size  # negative for half of the images, whose squares are then empty
    rows, columns = (
        tf.abs(0.5 + tf.range(side, dtype=tf.float32) - side * (center + 1) / 2) < reach
        for side, center in ((height, y), (width, x))
    )
    mean = tf.tile(tf.reduce_mean(images, axis=[1, 2]), [1, width])[:, None]
    inside = rows[:, :, None] & tf.repeat(columns, channels, axis=1)[:, None]
    lines = tf.reshape(images, [-1, height, width * channels])  # broadcasting over an axis of channels is slower
    return tf.reshape(tf.where(inside, mean, lines), tf.shape(images))


def _jitter_colors(images: tf.Tensor, noise: tf.Tensor, steps: Augmentation) -> tf.Tensor:
    """Vary saturation, contrast, brightness and tint, and invert some images, by one affine map of the colors.

    Args:
        images: float32 (batch, height, width, channels) in 0…255, as the result.
        noise: float32 (batch, 7) in -1…1.
        steps: how far.
    """
    saturation, contrast, brightness, *tint, invert = tf.unstack(noise[:, :, None], axis=1)  # (batch, 1)
    height, width, channels = _get_shape(images)
    pixels = tf.reshape(images, [-1, height * width, channels])
    gray = tf.fill((channels, channels), 1 / channels)  # the matrix that gives each channel the mean of all
    matrix = gray + (1 + steps.saturation * saturation)[..., None] * (tf.eye(channels) - gray)  # (batch, 3, 3)
    mean = tf.reduce_mean(pixels, axis=1, keepdims=True) @ matrix
    factor = tf.exp(steps.contrast * contrast)[..., None]
    moved = steps.brightness * brightness + steps.tint * tf.concat(tint[:channels], axis=1)
    offset = (1 - factor) * mean + 255 * moved[:, None]
    negative = ((invert + 1) / 2 < steps.inversion)[..., None]
    sign = tf.where(negative, -1.0, 1.0)
    pixels = pixels @ (sign * factor * matrix) + (sign * offset + tf.where(negative, 255.0, 0.0))
    return tf.reshape(tf.clip_by_value(pixels, 0.0, 255.0), tf.shape(images))
