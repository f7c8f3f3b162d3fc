"""Residual networks (He et al. 2015, arXiv 1512.03385) with attention heads."""

from __future__ import annotations

from functools import partial

import keras
from keras import layers

from svhn.models.layers.dropout import Dropout
from svhn.models.layers.heads import add_attention_heads, add_box_head
from svhn.models.layers.normalization import add_convolution

Stages = tuple[tuple[int, int, int], ...]  # filters, number of blocks, and stride of each stage


def build(
    name: str,
    stem: int,
    stages: Stages,
    dropout: float,
    image_shape: tuple[int, int, int],
    max_length: int,
    lengths: int,
    finds: bool = False,
) -> keras.Model:
    """A model as `ModelSpec.build` describes it: a convolution, stages of residual blocks, and attention heads.

    Each picture is standardized to mean 0 and deviation 1 first, so that faint numbers count as much as others.

    Args:
        name: the model's name.
        stem: filters of the first convolution.
        stages: the stages; the last block of stage n is the layer `stage<n>`.
        dropout: rate between the two convolutions of a block, as in wide residual networks (Zagoruyko and Komodakis
            2016, arXiv 1605.07146), where SVHN gained most from it.
        image_shape, max_length, lengths: as in `ModelSpec.build`.
        finds: whether the model has a further output `box`: see `add_box_head`.
    """
    image = keras.Input(image_shape, name="image")
    x = layers.GroupNormalization(1, epsilon=1.0, center=False, scale=False, dtype="float32")(image)
    x = add_convolution(x, stem, stride=2)

    for number, (filters, blocks, stride) in enumerate(stages, start=1):
        for block in range(blocks):
            name_of_last = f"stage{number}" if block == blocks - 1 else None
            x = _add_residual_block(x, filters, stride if block == 0 else 1, dropout, name_of_last)

    outputs = add_attention_heads(x, max_length, lengths)
    return keras.Model(image, {**outputs, **add_box_head(x)} if finds else outputs, name=name)


def _add_residual_block(
    x: keras.KerasTensor, filters: int, stride: int, dropout: float, name: str | None = None
) -> keras.KerasTensor:
    """Two convolutions over a map (batch, height, width, channels), added to the map; `name` is the last layer's."""
    y = add_convolution(x, filters, stride=stride)
    y = Dropout(dropout)(y) if dropout else y
    y = add_convolution(y, filters, relu=False)
    if stride != 1 or x.shape[-1] != filters:
        x = add_convolution(x, filters, size=1, stride=stride, relu=False)
    return layers.ReLU(name=name)(layers.Add()([x, y]))


build_reader = partial(build, "reader", 32, ((48, 1, 1), (96, 2, 2), (192, 2, 2), (256, 1, 2)), 0.1)
build_finder = partial(build, "finder", 24, ((32, 1, 1), (64, 2, 2), (128, 2, 2), (192, 1, 2)), 0.0, finds=True)
