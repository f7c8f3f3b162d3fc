"""Six convolutions in three pairs, for SVHN's single digits."""

from __future__ import annotations

import keras
from keras import layers

from svhn.models.layers.heads import add_dense_heads
from svhn.models.layers.normalization import BatchNormalization


def build(image_shape: tuple[int, int, int], max_length: int, lengths: int) -> keras.Model:
    """The model as `ModelSpec.build` describes it. Pixels are brought to -1…1 first."""
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)

    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = BatchNormalization(momentum=0.95)(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.Dropout(0.2)(layers.MaxPooling2D()(x))

    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    x = layers.Dropout(0.3)(x)
    return keras.Model(image, add_dense_heads(x, max_length, lengths), name="conv6")
