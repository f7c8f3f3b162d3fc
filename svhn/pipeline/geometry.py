"""The geometry of augmentation: affine transforms and waves that move pixels, and what the transforms do to boxes.

A transform is float32 (8,), as `tf.raw_ops.ImageProjectiveTransformV3` takes it: it maps a pixel of the result to a
place in the image. Pixels have their centers at whole numbers. Boxes are float32 (batch, 4): left, top, right and
bottom in shares of an image's width and height.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from svhn.pipeline import boxes as box_measures
from svhn.spec import Augmentation, Size


def make_transforms(
    noise: tf.Tensor,
    slopes: tf.Tensor,
    steps: Augmentation,
    images: Size,
    size: Size,
    boxes: tf.Tensor | None = None,
) -> tf.Tensor:
    """Random transforms, float32 (batch, 8).

    Args:
        noise, slopes: float32 (batch, 6) and (batch, 1) in -1…1.
        steps: how far. With `steps.inside`, no number in `boxes` leaves the result.
        images: height and width of the images, in pixels.
        size: height and width of the results, in pixels.
        boxes: the numbers' boxes in the images; `NOWHERE` or None if they are unknown.
    """
    drawn = _compose_affine(tf.concat([noise, slopes], axis=1), steps, images, size)
    return _keep_inside(drawn, boxes, images, size) if steps.inside and boxes is not None else drawn


def _compose_affine(noise: tf.Tensor, steps: Augmentation, images: Size, size: Size) -> tf.Tensor:
    """Transforms (batch, 8) of random rotation, shear, slope, zoom, shift and crop, from noise float32 (batch, 7)."""
    height, width = images
    zoom_x, zoom_y, angle, shear, shift_x, shift_y, slope = tf.unstack(noise, axis=1)
    radians = math.radians(steps.rotation) * angle
    matrix = (
        tf.exp(steps.scale * zoom_x) * tf.cos(radians),
        steps.shear * shear - tf.sin(radians),
        steps.slope * slope + tf.sin(radians),
        tf.exp(steps.scale * zoom_y) * tf.cos(radians),
    )
    slack_y, slack_x = (height - size[0]) / 2, (width - size[1]) / 2
    center_x = (width - 1) / 2 + (slack_x + steps.shift[1] * size[1]) * shift_x
    center_y = (height - 1) / 2 + (slack_y + steps.shift[0] * size[0]) * shift_y
    return center_transforms(matrix, (center_x, center_y), size)


def center_transforms(matrix: tuple[tf.Tensor, ...], center: tuple[tf.Tensor, tf.Tensor], size: Size) -> tf.Tensor:
    """The transforms (batch, 8) with a given linear part that map the middle of the result to a given place.

    Args:
        matrix: a, b, c and d, each (batch,): x = a * column + b * row + …, y = c * column + d * row + ….
        center: x and y in the image that the middle of the result is mapped to, each (batch,), in pixels.
        size: height and width of the result, in pixels.
    """
    a, b, c, d = matrix
    middle_x, middle_y = (size[1] - 1) / 2, (size[0] - 1) / 2
    shift_x = center[0] - a * middle_x - b * middle_y
    shift_y = center[1] - c * middle_x - d * middle_y
    return tf.stack([a, b, shift_x, c, d, shift_y, tf.zeros_like(a), tf.zeros_like(a)], axis=1)


def _keep_inside(transforms: tf.Tensor, boxes: tf.Tensor, images: Size, size: Size) -> tf.Tensor:
    """The transforms, zoomed out and shifted just as far as needed for each number to lie whole in the result."""
    known = box_measures.mark_known_boxes(boxes)[:, None] > 0
    left, top, right, bottom = tf.unstack(tf.where(known, compute_bounds(boxes, transforms, images, size), 0.5), axis=1)
    a, b, shift_x, c, d, shift_y, _, _ = tf.unstack(transforms, axis=1)
    zoom_x, middle_x = _zoom_to_fit(left, right, size[1])
    zoom_y, middle_y = _zoom_to_fit(top, bottom, size[0])
    center_x, center_y = a * middle_x + b * middle_y + shift_x, c * middle_x + d * middle_y + shift_y
    return center_transforms((a * zoom_x, b * zoom_y, c * zoom_x, d * zoom_y), (center_x, center_y), size)


def _zoom_to_fit(low: tf.Tensor, high: tf.Tensor, side: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The factor by which a side must show more to hold the range low…high, and the pixel in its middle afterwards.

    Args:
        low, high: ends of the range, (batch,), in shares of the side. 0…1 is what the side shows now.
        side: pixels.
    """
    zoom = tf.maximum(high - low, 1.0)
    middle = tf.minimum(tf.maximum(0.5, high - zoom / 2), low + zoom / 2)
    return zoom, middle * side - 0.5


def compute_bounds(boxes: tf.Tensor, transforms: tf.Tensor, images: Size, size: Size) -> tf.Tensor:
    """The boxes around the numbers after the transforms. They may reach beyond the edges of the result.

    A number is modeled as a row of ellipses half as wide as high, or as one narrower ellipse. The box around the
    corners of a turned box would be a quarter too wide for a single digit, and a network would learn such boxes.

    Args:
        boxes: the numbers' boxes in the images.
        transforms: float32 (batch, 8).
        images, size: height and width of the images and of the results, in pixels.
    """
    low, high = tf.split(boxes * tf.constant([*images[::-1], *images[::-1]], tf.float32) - 0.5, 2, axis=1)
    a, b, shift_x, c, d, shift_y, _, _ = tf.unstack(transforms, axis=1)
    x, y = tf.unstack((low + high) / 2, axis=1)
    half_width, half_height = tf.unstack((high - low) / 2, axis=1)
    ellipse = tf.minimum(half_width, half_height / 2)  # half the width of one ellipse
    x, y, area = x - shift_x, y - shift_y, (a * d - b * c)[:, None]

    def reach(across: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
        return tf.abs(across) * (half_width - ellipse) + tf.sqrt((across * ellipse) ** 2 + (down * half_height) ** 2)

    center = tf.stack([d * x - b * y, a * y - c * x], axis=1) / area  # by the inverse of the transform's matrix
    reached = tf.stack([reach(d, b), reach(c, a)], axis=1) / tf.abs(area)
    sides = tf.concat([center - reached, center + reached], axis=1)
    return (sides + 0.5) / tf.constant([*size[::-1], *size[::-1]], tf.float32)


def transform_boxes(boxes: tf.Tensor, transforms: tf.Tensor, images: Size, size: Size) -> tf.Tensor:
    """The boxes of `compute_bounds`, cut off at the edges of the result. `NOWHERE` stays `NOWHERE`."""
    seen = tf.clip_by_value(compute_bounds(boxes, transforms, images, size), 0.0, 1.0)
    return box_measures.mark_known_boxes(boxes)[:, None] * seen


def project_images(images: tf.Tensor, transforms: tf.Tensor, size: Size) -> tf.Tensor:
    """The images (batch, height, width, channels) under transforms (batch, 8), as float32 (batch, *size, channels).

    Pixels are interpolated bilinearly. Places outside an image have the color of the nearest border.
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=size,
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def bend_grid(size: Size, noise: tf.Tensor, steps: Augmentation) -> tuple[tf.Tensor, tf.Tensor]:
    """The x and y of each pixel, float32 (batch, height, width), each moved by a wave.

    So each digit of a row is turned, slanted and stretched in its own way. Amplitude, direction and phase of a wave are
    random, and so is its length, from half the shorter side to all of it.

    Args:
        size: height and width, in pixels.
        noise: float32 (batch, 8) in -1…1: four numbers for each wave.
        steps: their `elastic` is the largest amplitude.
    """
    height, width = size
    y, x = tf.range(height, dtype=tf.float32)[:, None], tf.range(width, dtype=tf.float32)

    def wave(amplitude: tf.Tensor, direction: tf.Tensor, length: tf.Tensor, phase: tf.Tensor) -> tf.Tensor:
        along = tf.cos(math.pi * direction) * x + tf.sin(math.pi * direction) * y
        turns = along / (min(size) * (0.75 + 0.25 * length)) + phase
        return steps.elastic * min(size) * amplitude * tf.sin(2 * math.pi * turns)

    numbers = tf.unstack(noise[:, :, None, None], axis=1)
    return x + wave(*numbers[:4]), y + wave(*numbers[4:])


def sample_images(images: tf.Tensor, transforms: tf.Tensor, places: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """The images under transforms, as `project_images` returns them, but with pixels that were moved before.

    Transform and moves share one interpolation, because a second one would blur the images.

    Args:
        images: float32 (batch, height, width, channels).
        transforms: float32 (batch, 8).
        places: x and y of each pixel of the result before the transform, float32 (batch, rows, columns) each, or
            (1, rows, columns) for places that all images share.

    Returns:
        float32 (batch, rows, columns, channels).
    """
    return interpolate_pixels(images, *transform_places(transforms, places))


def transform_places(transforms: tf.Tensor, places: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """The x and y in the images that transforms (batch, 8) map places of the results to.

    Args:
        transforms: float32 (batch, 8).
        places: x and y in the results, float32 (batch, rows, columns) each, or (1, rows, columns) for places that all
            results share.

    Returns:
        x and y in the images, float32 (batch, rows, columns) each.
    """
    a, b, shift_x, c, d, shift_y, _, _ = tf.unstack(transforms[:, :, None, None], axis=1)
    return a * places[0] + b * places[1] + shift_x, c * places[0] + d * places[1] + shift_y


def interpolate_pixels(images: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The images' colors at places between their pixels, interpolated bilinearly, as `project_images` does.

    Args:
        images: float32 (batch, height, width, channels).
        x, y: the places, float32 (batch, rows, columns), or (1, rows, columns) for places that all images share.

    Returns:
        float32 (batch, rows, columns, channels).
    """
    shape: Any = images.shape
    _, height, width, channels = shape
    x, y = tf.clip_by_value(x, 0.0, width - 1.0), tf.clip_by_value(y, 0.0, height - 1.0)
    left, top = tf.floor(x), tf.floor(y)
    right, bottom = tf.minimum(left + 1, width - 1.0), tf.minimum(top + 1, height - 1.0)
    pixels = tf.reshape(images, [-1, height * width, channels])

    def at(row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
        places = tf.cast(row * width + column, tf.int32)
        return tf.gather(pixels, places[0], axis=1) if x.shape[0] == 1 else tf.gather(pixels, places, batch_dims=1)

    across, down = (x - left)[..., None], (y - top)[..., None]
    upper = at(top, left) * (1 - across) + at(top, right) * across
    lower = at(bottom, left) * (1 - across) + at(bottom, right) * across
    return upper * (1 - down) + lower * down


def split_cells(images: tf.Tensor, rows: int, columns: int) -> tf.Tensor:
    """Images (batch, height, width, channels) as (batch, cells, height / rows, width / columns, channels), row by row.

    The height must be a multiple of `rows`, and the width of `columns`.
    """
    shape: Any = images.shape
    _, height, width, channels = shape
    grid = tf.reshape(images, [-1, rows, height // rows, columns, width // columns, channels])
    cells = tf.transpose(grid, [0, 1, 3, 2, 4, 5])
    return tf.reshape(cells, [-1, rows * columns, height // rows, width // columns, channels])


def join_cells(cells: tf.Tensor, rows: int, columns: int) -> tf.Tensor:
    """The images whose cells these are: the reverse of `split_cells`."""
    shape: Any = cells.shape
    _, _, height, width, channels = shape
    grid = tf.reshape(cells, [-1, rows, columns, height, width, channels])
    return tf.reshape(tf.transpose(grid, [0, 1, 3, 2, 4, 5]), [-1, rows * height, columns * width, channels])
