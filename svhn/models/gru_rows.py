"""A recurrent network that reads a picture row of pixels after row, and one softmax that all digits share.

Where each digit has a cell of its own, it is set upright first: forty numbers are too few to know digits at any angle.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from svhn.labels import NUM_CLASSES
from svhn.models.layers.heads import add_length_head, cast_outputs
from svhn.models.layers.upright import Upright

UPDATE_GATE_BIAS = (
    3.0  # first bias of the update gate: what is read lasts for 20 rows and not 2 (Tallec and Ollivier 2018)
)


def build(image_shape: tuple[int, int, int], max_length: int, fixed_length: bool) -> keras.Model:
    height, width, channels = image_shape
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 255)(image)
    if cells := _infer_cells(image_shape, max_length, fixed_length):
        x = Upright(*cells, dtype="float32")(x)
    x = layers.Reshape((height, width * channels))(x)

    units = max_length * NUM_CLASSES
    gru = layers.GRU(units, reset_after=False, return_sequences=True)  # reset_after is for NVIDIA's kernels
    x = layers.GlobalAveragePooling1D()(gru(x))  # each row of pixels has its say, and a gradient of its own
    remember = np.repeat([UPDATE_GATE_BIAS, 0.0, 0.0], units)  # of the update gate, the reset gate and the candidate
    gru.cell.bias.assign(remember)
    length = None if fixed_length else add_length_head(x, max_length)
    digits = layers.Dense(NUM_CLASSES)(layers.Reshape((max_length, NUM_CLASSES))(x))
    return keras.Model(image, cast_outputs(digits, length), name="gru_rows")


def _infer_cells(image_shape: tuple[int, int, int], max_length: int, fixed_length: bool) -> tuple[int, int] | None:
    """Rows and columns of cells that hold a digit each, if pictures of these sides are those of `mnist_stacked`.

    Colours are photos, whose moments are not those of a digit's ink.
    """
    height, width, channels = image_shape
    whole = max(height, width) % max_length == 0 and (height != width or max_length == 1)
    if channels != 1 or not fixed_length or not whole:
        return None
    return (max_length, 1) if height > width else (1, max_length)
