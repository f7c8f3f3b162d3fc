"""The network of kvn219/multi-number-recognition (2017) with three corrections.

Batch normalization learns its statistics, the dense layer has an activation, and the length has a head, which the
original shows in its diagram but lacks in its code.
"""

from __future__ import annotations

import keras
from keras import layers

from svhn.models.layers.heads import add_dense_heads
from svhn.models.layers.normalization import BatchNormalization


def build(image_shape: tuple[int, int, int], max_length: int, lengths: int) -> keras.Model:
    """The model as `ModelSpec.build` describes it. Pictures become 32x32 pixels, less their mean, as in 2017."""
    image = keras.Input(image_shape, name="image")
    x = layers.Resizing(32, 32)(image)
    x = x - keras.ops.mean(x, axis=(1, 2, 3), keepdims=True)

    for filters, kernel, stride in ((16, 3, 1), (32, 3, 1), (64, 5, 3), (256, 5, 3)):
        x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
        x = BatchNormalization(momentum=0.99)(x)
        x = layers.ReLU()(x)

    x = layers.Dropout(0.15)(layers.Flatten()(x))
    x = layers.Dense(512, activation="relu")(x)
    return keras.Model(image, add_dense_heads(x, max_length, lengths), name="kvn219")
