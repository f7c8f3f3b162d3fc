"""Which digit covers which place of a picture: what a network can learn beside the number, as a semantic segmentation.

Long et al. 2015, Fully Convolutional Networks for Semantic Segmentation (arXiv 1411.4038).
"""

from __future__ import annotations

import tensorflow as tf

from svhn.labels import EMPTY, NUM_CLASSES
from svhn.spec import Size

PLACE_SIZE = 8  # pixels: height and width of a place
NO_DIGIT = NUM_CLASSES  # the class of a place that none covers
UNKNOWN = -1  # nobody knows which: nothing is learnt there


def compute_grid_size(size: Size) -> Size:
    """Rows and columns of the places of a picture."""
    height, width = size
    return -(-height // PLACE_SIZE), -(-width // PLACE_SIZE)


def make_digit_maps(digits: tf.Tensor, boxes: tf.Tensor, transforms: tf.Tensor, images: Size, size: Size) -> tf.Tensor:
    """The digit in whose box the middle of each place lies; of two, the one whose own middle is nearer.

    Args:
        digits: int32 (batch, max_length), `EMPTY` past the length.
        boxes: of each digit in the images, float32 (batch, max_length, 4), in shares of their width and height.
        transforms: what has been done with the images since, as in `placing`.
        images: their height and width.
        size: height and width of the results.

    Returns:
        int32 (batch, rows, columns): 0…9, `NO_DIGIT`, or `UNKNOWN` in all of a picture whose digits lack boxes.
    """
    rows, columns = compute_grid_size(size)
    x, y = (side[:, None] for side in _trace_places(transforms, images, size))
    left, top, right, bottom = (side[..., None, None] for side in tf.unstack(boxes, axis=2))
    boxed = (right > left) & (bottom > top)
    across, down = (tf.where(boxed, side, 1.0) for side in (right - left, bottom - top))
    apart = tf.maximum(tf.abs(x - (left + right) / 2) / across, tf.abs(y - (top + bottom) / 2) / down)
    apart = tf.where(boxed, apart, 1.0)  # (batch, max_length, rows, columns), below a half within the box
    nearest = tf.reshape(tf.argmin(apart, axis=1), [-1, rows * columns])
    covering = tf.reshape(tf.gather(digits, nearest, batch_dims=1), [-1, rows, columns])
    maps = tf.where(tf.reduce_min(apart, axis=1) < 0.5, covering, NO_DIGIT)
    known = tf.reduce_all(boxed[..., 0, 0] | (digits == EMPTY), axis=1)
    return tf.where(known[:, None, None], maps, UNKNOWN)


def _trace_places(transforms: tf.Tensor, images: Size, size: Size) -> tuple[tf.Tensor, tf.Tensor]:
    """Where in the images the middle of each place comes from: x and y, (batch, rows, columns), in shares of a side."""
    rows, columns = compute_grid_size(size)
    y = PLACE_SIZE * (tf.range(rows, dtype=tf.float32)[:, None] + 0.5) - 0.5
    x = PLACE_SIZE * (tf.range(columns, dtype=tf.float32) + 0.5) - 0.5
    a, b, shift_x, c, d, shift_y, _, _ = tf.unstack(transforms[:, :, None, None], axis=1)
    height, width = images
    return (a * x + b * y + shift_x + 0.5) / width, (c * x + d * y + shift_y + 0.5) / height
