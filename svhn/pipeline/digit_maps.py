"""Digit maps: which digit covers each place of a picture. Training can predict them beside the number itself.

They are a semantic segmentation, as in Long et al. 2015, Fully Convolutional Networks for Semantic Segmentation (arXiv
1411.4038).
"""

from __future__ import annotations

import tensorflow as tf

from svhn.labels import EMPTY, NUM_CLASSES, TOO_LONG
from svhn.spec import Size

PLACE_SIZE = 8  # pixels: height and width of a place
NO_DIGIT = NUM_CLASSES  # the class of a place that no digit covers
UNKNOWN = -1  # the value of a place in a picture without boxes of digits; the loss leaves it out


def compute_grid_size(size: Size) -> Size:
    """Rows and columns of the places of a picture of this size. Those at the right and bottom edge may be partial."""
    height, width = size
    return -(-height // PLACE_SIZE), -(-width // PLACE_SIZE)


def make_digit_maps(digits: tf.Tensor, boxes: tf.Tensor, transforms: tf.Tensor, images: Size, size: Size) -> tf.Tensor:
    """The digit in whose box the middle of each place lies. Of two boxes, the one with the nearer middle counts.

    Args:
        digits: int32 (batch, max_length), `EMPTY` past the length, or all `TOO_LONG`.
        boxes: the digits' boxes, float32 (batch, max_length, 4), in shares of the images' width and height.
        transforms: how augmentation moves the images, float32 (batch, 8), as in `geometry`.
        images: height and width of the images before augmentation, in pixels.
        size: height and width after augmentation, in pixels.

    Returns:
        int32 (batch, rows, columns): 0…9, or `NO_DIGIT`; `UNKNOWN` everywhere in a picture whose digits lack boxes,
        or are too many.
    """
    rows, columns = compute_grid_size(size)
    x, y = (side[:, None] for side in _trace_places(transforms, images, size))
    left, top, right, bottom = (side[..., None, None] for side in tf.unstack(boxes, axis=2))
    boxed = (right > left) & (bottom > top)
    width, height = (tf.where(boxed, side, 1.0) for side in (right - left, bottom - top))  # 1 avoids a division by 0
    distance = tf.maximum(tf.abs(x - (left + right) / 2) / width, tf.abs(y - (top + bottom) / 2) / height)
    distance = tf.where(boxed, distance, 1.0)  # (batch, max_length, rows, columns), below a half within the box
    nearest = tf.reshape(tf.argmin(distance, axis=1), [-1, rows * columns])
    covering = tf.reshape(tf.gather(digits, nearest, batch_dims=1), [-1, rows, columns])
    maps = tf.where(tf.reduce_min(distance, axis=1) < 0.5, covering, NO_DIGIT)
    known = tf.reduce_all(boxed[..., 0, 0] | (digits == EMPTY), axis=1) & (digits[:, 0] != TOO_LONG)
    return tf.where(known[:, None, None], maps, UNKNOWN)


def _trace_places(transforms: tf.Tensor, images: Size, size: Size) -> tuple[tf.Tensor, tf.Tensor]:
    """Where each place's middle was before augmentation: x and y (batch, rows, columns), in shares of the images."""
    rows, columns = compute_grid_size(size)
    y = PLACE_SIZE * (tf.range(rows, dtype=tf.float32)[:, None] + 0.5) - 0.5
    x = PLACE_SIZE * (tf.range(columns, dtype=tf.float32) + 0.5) - 0.5
    a, b, shift_x, c, d, shift_y, _, _ = tf.unstack(transforms[:, :, None, None], axis=1)
    height, width = images
    return (a * x + b * y + shift_x + 0.5) / width, (c * x + d * y + shift_y + 0.5) / height
