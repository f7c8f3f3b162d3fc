"""The default model: a residual network (He et al. 2015, arXiv 1512.03385) whose heads look where they like."""

from __future__ import annotations

import keras
from keras import layers

from svhn.models.heads import attention_heads
from svhn.spec import ModelSpec

STAGES = ((48, 1, 1), (96, 2, 2), (192, 2, 2), (256, 1, 2))  # filters, blocks, stride


def build(image_shape: tuple[int, int, int], max_length: int) -> keras.Model:
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = convolution(x, 32, stride=2)

    for filters, blocks, stride in STAGES:
        for block in range(blocks):
            x = residual(x, filters, stride if block == 0 else 1)

    return keras.Model(image, attention_heads(x, max_length), name="svhn")


def convolution(
    x: keras.KerasTensor, filters: int, size: int = 3, stride: int = 1, relu: bool = True
) -> keras.KerasTensor:
    x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.95)(x)
    return layers.ReLU()(x) if relu else x


def residual(x: keras.KerasTensor, filters: int, stride: int) -> keras.KerasTensor:
    y = convolution(x, filters, stride=stride)
    y = convolution(y, filters, relu=False)
    if stride != 1 or x.shape[-1] != filters:
        x = convolution(x, filters, size=1, stride=stride, relu=False)
    return layers.ReLU()(layers.Add()([x, y]))


SVHN = ModelSpec(
    name="svhn",
    build=build,
    parameters=2_840_714,
    reference="He et al. 2015 (arXiv 1512.03385), Goodfellow et al. 2014 (arXiv 1312.6082)",
)
