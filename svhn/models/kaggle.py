"""Two pairs of convolutions and a dense layer, for Kaggle's digit recognizer."""

from __future__ import annotations

import keras
from keras import layers

from svhn.models.layers.heads import add_dense_heads


def build(image_shape: tuple[int, int, int], max_length: int, lengths: int) -> keras.Model:
    """The model as `ModelSpec.build` describes it. Pixels are brought to 0…1 first."""
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 255)(image)

    for filters, kernel in ((32, 5), (64, 3)):
        for _ in range(2):
            x = layers.Conv2D(filters, kernel, padding="same", activation="relu")(x)
        x = layers.Dropout(0.25)(layers.MaxPooling2D()(x))

    x = layers.Dense(256, activation="relu")(layers.Flatten()(x))
    x = layers.Dropout(0.5)(x)
    return keras.Model(image, add_dense_heads(x, max_length, lengths), name="kaggle")
