"""Image augmentation without state: a function of the images and of numbers that each example brings along.

Those numbers depend on the seed and on the example's place in the stream alone, so that a run which was interrupted,
or which is spread over several workers, sees the same pictures as one which was not.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import tensorflow as tf

from svhn.labels import EMPTY
from svhn.pipeline import digit_maps as segmentation
from svhn.pipeline import geometry
from svhn.pipeline.boxes import merge_known_boxes
from svhn.spec import Augmentation, Size

MAX_CELLS = 8  # most that can change places


class NoiseParts(NamedTuple):
    """How many numbers each step takes, or the numbers themselves; new ones come last: earlier runs keep their own."""

    warp: Any = 6
    bend: Any = 8
    recolour: Any = 7
    rearrange: Any = MAX_CELLS
    blur: Any = 1
    erase: Any = 3
    join: Any = 1
    slope: Any = 1


NOISE_SIZE = sum(NoiseParts())  # that an example brings
BLUR_WINDOW = 5  # pixels across that one blur averages

SCALED_FIELDS = (
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
    """All ranges times one factor, as RandAugment's (Cubuk et al. 2020, arXiv 1909.13719)."""
    height, width = steps.shift
    ranges = {name: magnitude * getattr(steps, name) for name in SCALED_FIELDS}
    return replace(steps, **ranges, shift=(magnitude * height, magnitude * width))


def draw_example_noise(seed: int, index: tf.Tensor) -> tf.Tensor:
    """float32 (NOISE,) in -1…1 for the example at this place of the stream."""
    return tf.random.stateless_uniform(
        [NOISE_SIZE], seed=tf.stack([tf.constant(seed, tf.int64), index]), minval=-1.0, maxval=1.0
    )


def split_noise(noise: tf.Tensor) -> NoiseParts:
    """float32 (…, NOISE) by step."""
    return NoiseParts(*tf.split(noise, NoiseParts(), axis=-1))


def augment_images(
    images: tf.Tensor, noise: tf.Tensor, steps: Augmentation, size: Size, boxes: tf.Tensor | None = None
) -> tf.Tensor:
    """Vary a batch of images, and cut a window of `size` out of each at random.

    Args:
        images: float32 (batch, height, width, channels) in 0…255.
        noise: float32 (batch, NOISE) in -1…1.
        steps: how far.
        size: height and width of the result; where it is smaller than the images, the window's place is random.
        boxes: where the numbers are, for `steps.inside`; float32 (batch, 4), in shares of the images' width and height.
    """
    drawn, transforms = split_noise(noise), _derive_transforms(images, noise, steps, size, boxes)
    if steps.elastic:
        images = geometry.sample_images(images, transforms, geometry.bend_grid(size, drawn.bend, steps))
    else:
        images = geometry.project_images(images, transforms, size)
    images = _jitter_colors(blur_images(images, drawn.blur, steps), drawn.recolour, steps)
    return erase_squares(images, drawn.erase, steps)


def _derive_transforms(
    images: tf.Tensor, noise: tf.Tensor, steps: Augmentation, size: Size, boxes: tf.Tensor | None
) -> tf.Tensor:
    drawn = split_noise(noise)
    return geometry.make_transforms(drawn.warp, drawn.slope, steps, _get_size(images), size, boxes)


def augment_boxes(boxes: tf.Tensor, images: tf.Tensor, noise: tf.Tensor, steps: Augmentation, size: Size) -> tf.Tensor:
    """Where `augment_images` takes the numbers: float32 (batch, 4), as its `boxes`, in shares of the result."""
    return geometry.transform_boxes(
        boxes, _derive_transforms(images, noise, steps, size, boxes), _get_size(images), size
    )


def rearrange_cells(
    images: tf.Tensor, digits: tf.Tensor, noise: tf.Tensor, steps: Augmentation
) -> tuple[tf.Tensor, tf.Tensor]:
    """Let the cells of each image change places, and their digits with them.

    Args:
        images: float32 (batch, height, width, channels), of sides that the cells divide.
        digits: int32 (batch, cells).
        noise: float32 (batch, NOISE) in -1…1.
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
    """Which digit `augment_images` takes to which place: int32 (batch, rows, columns), of boxes (batch, count, 4).

    Waves, which stay below a place, are left out of it.
    """
    transforms = _derive_transforms(images, noise, steps, size, merge_known_boxes(boxes))
    return segmentation.make_digit_maps(digits, boxes, transforms, _get_size(images), size)


def should_join(noise: tf.Tensor, steps: Augmentation) -> tf.Tensor:
    """Whether a number is to be joined with the one that follows, by its noise, float32 (NOISE,) in -1…1."""
    return (split_noise(noise).join[0] + 1) / 2 < steps.joining


def fits_slots(digits: tf.Tensor, following: tf.Tensor) -> tf.Tensor:
    """Whether the slots hold both numbers, each int32 (max_length,), `EMPTY` past the length."""
    count = tf.math.count_nonzero(tf.concat([digits, following], axis=0) != EMPTY, dtype=tf.int32)
    return count <= tf.size(digits)


def join_pictures(
    image: tf.Tensor, digits: tf.Tensor, following_image: tf.Tensor, following: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The picture of a longer number: both pictures side by side, each as wide as its share of the digits.

    Args:
        image, following_image: uint8 (height, width, channels).
        digits, following: int32 (max_length,), `EMPTY` past the length.
    """
    height, width, _ = image.shape
    shown, followed = (tf.boolean_mask(slots, slots != EMPTY) for slots in (digits, following))
    left = width * tf.size(shown) // (tf.size(shown) + tf.size(followed))
    parts = [
        tf.image.resize(part, (height, columns), antialias=True)
        for part, columns in ((image, left), (following_image, width - left))
    ]
    both = tf.concat([shown, followed], axis=0)
    both = tf.pad(both, [[0, tf.size(digits) - tf.size(both)]], constant_values=EMPTY)
    joined = tf.cast(tf.round(tf.concat(parts, axis=1)), image.dtype)
    return tf.ensure_shape(joined, image.shape), tf.ensure_shape(both, digits.shape)


def join_boxes(boxes: tf.Tensor, digits: tf.Tensor, followed: tf.Tensor, following: tf.Tensor) -> tf.Tensor:
    """Where `join_pictures` puts both numbers' digits, to a pixel; float32 (max_length, 4), `NOWHERE` if unknown."""
    count, added = (tf.math.count_nonzero(slots != EMPTY, dtype=tf.int32) for slots in (digits, following))
    share = tf.cast(count / (count + added), tf.float32)
    left = boxes[:count] * tf.stack([share, 1.0, share, 1.0])
    right = followed[:added] * tf.stack([1 - share, 1.0, 1 - share, 1.0]) + tf.stack([share, 0.0, share, 0.0])
    both = tf.pad(tf.concat([left, right], axis=0), [[0, tf.size(digits) - count - added], [0, 0]])
    return tf.ensure_shape(both, boxes.shape)


def _get_size(images: tf.Tensor) -> Size:
    return _get_shape(images)[:2]


def _get_shape(images: tf.Tensor) -> tuple[int, int, int]:
    """Height, width and channels."""
    _, height, width, channels = images.shape
    return int(height), int(width), int(channels)  # pyright: ignore[reportArgumentType]


def blur_images(images: tf.Tensor, noise: tf.Tensor, steps: Augmentation) -> tf.Tensor:
    """Blur half of the images, as if they had been taken from further away."""
    times = tf.maximum(steps.blur * noise[:, :, None, None], 0.0)  # (batch, 1, 1, 1), a fraction is a blend
    for done in range(math.ceil(steps.blur)):
        mean = tf.nn.avg_pool2d(images, BLUR_WINDOW, 1, "SAME")  # at a border, of what is there
        images += tf.clip_by_value(times - done, 0.0, 1.0) * (mean - images)
    return images


def erase_squares(images: tf.Tensor, noise: tf.Tensor, steps: Augmentation) -> tf.Tensor:
    """Paint a square of half of the images over with their mean colour (Zhong et al. 2017, arXiv 1708.04896)."""
    if not steps.erasing:
        return images
    height, width, channels = _get_shape(images)
    size, y, x = tf.unstack(noise[:, :, None], axis=1)  # the centre is anywhere
    reach = steps.erasing * height / 2 * size  # below 0, nothing is near enough
    rows, columns = (
        tf.abs(0.5 + tf.range(side, dtype=tf.float32) - side * (centre + 1) / 2) < reach
        for side, centre in ((height, y), (width, x))
    )
    mean = tf.tile(tf.reduce_mean(images, axis=[1, 2]), [1, width])[:, None]
    inside = rows[:, :, None] & tf.repeat(columns, channels, axis=1)[:, None]
    lines = tf.reshape(images, [-1, height, width * channels])  # with no axis of channels to broadcast over: faster
    return tf.reshape(tf.where(inside, mean, lines), tf.shape(images))


def _jitter_colors(images: tf.Tensor, noise: tf.Tensor, steps: Augmentation) -> tf.Tensor:
    """Saturation, contrast, brightness, tint and inversion as one affine map of the colours, clipped to 0…255."""
    saturation, contrast, brightness, *tint, invert = tf.unstack(noise[:, :, None], axis=1)  # (batch, 1)
    height, width, channels = _get_shape(images)
    pixels = tf.reshape(images, [-1, height * width, channels])
    grey = tf.fill((channels, channels), 1 / channels)
    matrix = grey + (1 + steps.saturation * saturation)[..., None] * (tf.eye(channels) - grey)  # (batch, 3, 3)
    mean = tf.reduce_mean(pixels, axis=1, keepdims=True) @ matrix
    factor = tf.exp(steps.contrast * contrast)[..., None]
    moved = steps.brightness * brightness + steps.tint * tf.concat(tint[:channels], axis=1)
    offset = (1 - factor) * mean + 255 * moved[:, None]
    negative = ((invert + 1) / 2 < steps.inversion)[..., None]
    sign = tf.where(negative, -1.0, 1.0)
    pixels = pixels @ (sign * factor * matrix) + (sign * offset + tf.where(negative, 255.0, 0.0))
    return tf.reshape(tf.clip_by_value(pixels, 0.0, 255.0), tf.shape(images))
