"""Pictures of equal cells, such as rows of digits that have one each: taken apart, and put together again."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def split(images: tf.Tensor, rows: int, columns: int) -> tf.Tensor:
    """(batch, height, width, channels) to (batch, cells, …), row by row; the sides must be multiples."""
    shape: Any = images.shape
    _, height, width, channels = shape
    grid = tf.reshape(images, [-1, rows, height // rows, columns, width // columns, channels])
    cells = tf.transpose(grid, [0, 1, 3, 2, 4, 5])
    return tf.reshape(cells, [-1, rows * columns, height // rows, width // columns, channels])


def join(cells: tf.Tensor, rows: int, columns: int) -> tf.Tensor:
    """The reverse of `split`."""
    shape: Any = cells.shape
    _, _, height, width, channels = shape
    grid = tf.reshape(cells, [-1, rows, columns, height, width, channels])
    return tf.reshape(tf.transpose(grid, [0, 1, 3, 2, 4, 5]), [-1, rows * height, columns * width, channels])
