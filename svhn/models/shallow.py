"""A network with one hidden layer, for MNIST's single digits."""

from __future__ import annotations

import keras
from keras import layers

from svhn.models.layers.heads import add_dense_heads


def build(image_shape: tuple[int, int, int], max_length: int, lengths: int) -> keras.Model:
    """The model as `ModelSpec.build` describes it. Pixels are brought to 0…1 first."""
    image = keras.Input(image_shape, name="image")
    x = layers.Flatten()(layers.Rescaling(1 / 255)(image))
    x = layers.LeakyReLU(negative_slope=0.01)(layers.Dense(400)(x))
    return keras.Model(image, add_dense_heads(x, max_length, lengths), name="shallow")
