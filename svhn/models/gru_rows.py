"""A recurrent network that reads a picture one row of pixels after another, with one output layer for all digits.

If each digit has a cell of its own, it is set upright first: the network remembers only ten values for each digit, too
few to recognize digits at any angle.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from svhn.labels import NUM_CLASSES
from svhn.models.layers.heads import add_length_head, cast_outputs
from svhn.models.layers.upright import Upright

# The update gate's initial bias. It makes the network remember about 20 rows; 0 would make it remember 2 (Tallec and
# Ollivier 2018, Can Recurrent Neural Networks Warp Time?, arXiv 1804.11188).
UPDATE_GATE_BIAS = 3.0


def build(image_shape: tuple[int, int, int], max_length: int, lengths: int) -> keras.Model:
    """The model as `ModelSpec.build` describes it."""
    height, width, channels = image_shape
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 255)(image)
    if cells := _infer_cells(image_shape, max_length, lengths):
        x = Upright(*cells, dtype="float32")(x)
    x = layers.Reshape((height, width * channels))(x)

    units = max_length * NUM_CLASSES
    gru = layers.GRU(units, reset_after=False, return_sequences=True)  # Keras' reset_after serves NVIDIA's kernels
    x = layers.GlobalAveragePooling1D()(gru(x))  # the mean over the rows gives each row a gradient of its own
    bias = np.repeat([UPDATE_GATE_BIAS, 0.0, 0.0], units)  # of the update gate, the reset gate and the candidate
    gru.cell.bias.assign(bias)
    length = add_length_head(x, lengths) if lengths else None
    digits = layers.Dense(NUM_CLASSES)(layers.Reshape((max_length, NUM_CLASSES))(x))
    return keras.Model(image, cast_outputs(digits, length), name="gru_rows")


def _infer_cells(image_shape: tuple[int, int, int], max_length: int, lengths: int) -> tuple[int, int] | None:
    """Rows and columns of the digits' cells if pictures of this shape are those of `mnist_stacked`, else None.

    Pictures with colors are photos, in which the moments of the light are not those of a digit's ink.
    """
    height, width, channels = image_shape
    whole = max(height, width) % max_length == 0 and (height != width or max_length == 1)
    if channels != 1 or lengths or not whole:
        return None
    return (max_length, 1) if height > width else (1, max_length)
