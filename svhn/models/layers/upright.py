"""Handwritten digits, moved to one place, size and angle by the moments of their ink before a network reads them."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers

from svhn.pipeline import geometry

LONG_AXIS = 0.2  # the ink's standard deviation along its longer axis afterwards, as a share of the cell's height
AXIS_RATIO = 0.55  # shorter over longer axis of a digit whose proportions the layer keeps
RATIO_EXPONENT = 0.6  # share of the way to AXIS_RATIO, in logarithms; 0 and 1 were both worse in a trial on valid
MIN_VARIANCE = 1.0  # square pixels; thinner ink counts as this thick, so that a dot is not blown up


@keras.saving.register_keras_serializable("svhn")
class Upright(layers.Layer):
    """Moves each cell's digit to the middle, turns its longer axis upright, and scales this axis to one length.

    As in Hu 1962, Visual Pattern Recognition by Moment Invariants. The ink is light, on a ground of 0.

    Args:
        rows, columns: rows and columns of equal cells, with one digit in each cell. The images' height must be a
            multiple of `rows`, and their width of `columns`.
    """

    def __init__(self, rows: int, columns: int, **options: Any) -> None:
        super().__init__(**options)
        self.rows, self.columns = rows, columns

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rows": self.rows, "columns": self.columns}

    def call(self, images: Any) -> Any:
        """Images float32 (batch, height, width, channels), to images of the same shape."""
        cells = geometry.split_cells(images, self.rows, self.columns)
        _, count, height, width, channels = cells.shape
        digits = tf.reshape(cells, [-1, height, width, channels])
        x, y = tf.meshgrid(tf.range(width, dtype=tf.float32), tf.range(height, dtype=tf.float32))
        digits = geometry.sample_images(digits, _make_upright_transforms(digits), (x[None], y[None]))
        return geometry.join_cells(tf.reshape(digits, [-1, count, height, width, channels]), self.rows, self.columns)


def _make_upright_transforms(digits: tf.Tensor) -> tf.Tensor:
    """The transforms (batch, 8) that set digits upright, from the moments of float32 (batch, height, width, channels).

    They are of the kind that `geometry` describes.
    """
    shape: Any = digits.shape
    _, height, width, _ = shape
    ink = tf.reduce_mean(digits, axis=-1)
    ink /= tf.reduce_sum(ink, axis=[1, 2], keepdims=True) + 1e-3

    def mean(values: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(ink * values, axis=[1, 2])

    x, y = tf.range(width, dtype=tf.float32), tf.range(height, dtype=tf.float32)[:, None]
    middle_x, middle_y = mean(x), mean(y)
    across, down = x - middle_x[:, None, None], y - middle_y[:, None, None]
    matrix = _align_axes(mean(across**2), mean(down**2), mean(across * down), LONG_AXIS * height)
    return geometry.center_transforms(matrix, (middle_x, middle_y), (height, width))


def _align_axes(
    across: tf.Tensor, down: tf.Tensor, both: tf.Tensor, length: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """The matrix, from the result's pixels to the image's, that gives the ink its upright axes.

    Args:
        across, down, both: the ink's second central moments in the image, (batch,) each, in square pixels.
        length: the longer axis' standard deviation in the result, in pixels.
    """
    half, radius = (across + down) / 2, tf.sqrt(((down - across) / 2) ** 2 + both**2)
    longer, shorter = (tf.sqrt(tf.maximum(half + sign * radius, MIN_VARIANCE)) for sign in (1, -1))
    cosine_of_twice = (down - across) / tf.maximum(2 * radius, 1e-6)  # of twice the longer axis' angle from upright
    sine = tf.where(both < 0, -1.0, 1.0) * tf.sqrt(tf.maximum(1 - cosine_of_twice, 0.0) / 2)
    cosine = tf.sqrt(tf.maximum(1 + cosine_of_twice, 0.0) / 2)
    scale_y = longer / length
    scale_x = scale_y * (shorter / (AXIS_RATIO * longer)) ** RATIO_EXPONENT
    return cosine * scale_x, sine * scale_y, -sine * scale_x, cosine * scale_y
