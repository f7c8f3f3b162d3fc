"""The backbone of PP-OCRv6's small recognizer (PaddleOCR, Apache-2.0) under this project's attention heads.

Its convolutions have biases in place of batch normalization, as in the published file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import keras
from keras import layers, ops

from svhn.models import PRETRAINED
from svhn.models.layers.heads import add_attention_heads

# Filters, whether channels are weighed, and whether the height is halved, of each block in turn.
BLOCKS = (
    *((96, True, False), (96, False, False), (96, False, False), (192, False, True)),
    *((192, True, False), (192, False, False), (192, True, False), (192, False, False)),
    *((192, True, False), (192, False, False), (384, False, True), (384, True, False), (384, False, False)),
)
SPREAD = 1 / 3  # deviation of new depthwise weights: nine of them keep the spread of what they add up
KEYS = 32  # channels from which the attention weights are computed
LEVELS = 0.5  # deviation of a picture's levels as the backbone gets them; those of PaddleOCR lie between -1 and 1

Names = Iterator[str]  # of the layers whose weights are published, in the order of the published file


def build(image_shape: tuple[int, int, int], max_length: int, lengths: int) -> keras.Model:
    """A model as `ModelSpec.build` describes it.

    Each picture is standardized first, as for `reader`. PaddleOCR orders a picture's channels blue, green and red.
    """
    image = keras.Input(image_shape, name="image")
    x = layers.GroupNormalization(1, epsilon=1.0, center=False, scale=False, dtype="float32")(image)
    x = add_backbone(LEVELS * x[..., ::-1])
    x = layers.AveragePooling2D((1, 2), padding="same", name="pooled")(x)
    return keras.Model(image, add_attention_heads(x, max_length, lengths, keys=KEYS), name="ppocr")


def add_backbone(x: keras.KerasTensor) -> keras.KerasTensor:
    """A map (batch, height / 16, width / 4, 384) of pictures (batch, height, width, 3); `blockN` is block N's layer."""
    names = (f"{PRETRAINED}{number}" for number in count())
    x = _add_stem(x, names)
    for number, (filters, weighs, halves) in enumerate(BLOCKS):
        x = _add_block(x, names, filters, weighs, halves)
        x = layers.Activation("linear", name=f"block{number}")(x)
    return x


def _add_stem(x: keras.KerasTensor, names: Names) -> keras.KerasTensor:
    """A map (batch, height / 4, width / 4, 96) of a picture."""
    x = _add_convolution(x, names, 48, 3, 2, "relu")
    fine = _add_convolution(_add_convolution(x, names, 24, 2, 1, "relu"), names, 48, 2, 1, "relu")
    x = layers.Concatenate()([layers.MaxPooling2D(2, 1, padding="same")(x), fine])
    return _add_convolution(_add_convolution(x, names, 48, 3, 2, "relu"), names, 96, 1, 1, "relu")


def _add_block(x: keras.KerasTensor, names: Names, filters: int, weighs: bool, halves: bool) -> keras.KerasTensor:
    """A depthwise convolution, weights of channels (Hu et al. 2018, arXiv 1709.01507), and two convolutions of 1x1."""
    new: Any = keras.initializers.RandomNormal(stddev=SPREAD)  # one for each layer: it draws the same values each time
    seen: Any = layers.DepthwiseConv2D(3, padding="same", depthwise_initializer=new, name=next(names))(x)
    seen = seen[:, ::2] if halves else seen
    seen = _weigh_channels(seen, names) if weighs else seen
    y = _add_convolution(seen, names, 2 * seen.shape[-1], 1, 1, "gelu")
    y = _add_convolution(y, names, filters, 1, 1)
    return y if halves else layers.Add()([seen, y])


def _weigh_channels(x: keras.KerasTensor, names: Names) -> keras.KerasTensor:
    weights: Any = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = _add_convolution(weights, names, x.shape[-1] // 4, 1, 1, "relu")
    weights = _add_convolution(weights, names, x.shape[-1], 1, 1)
    weights = layers.Flatten()(weights)  # tf2onnx 1.17 ends in an error where a number is added to a convolution's map
    weights = ops.clip(weights / 6 + 0.5, 0, 1)
    return layers.Multiply()([x, layers.Reshape((1, 1, -1))(weights)])


def _add_convolution(
    x: keras.KerasTensor, names: Names, filters: int, size: int, stride: int, activation: str | None = None
) -> keras.KerasTensor:
    """Padded on both sides alike where it strides, as published; Keras' own padding is not."""
    if stride > 1:
        x = layers.ZeroPadding2D(size // 2)(x)
    padding = "valid" if stride > 1 else "same"
    return layers.Conv2D(filters, size, stride, padding, activation=activation, name=next(names))(x)
