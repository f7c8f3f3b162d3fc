"""LeNet-5 in its form of today: rectified linear units, maximum pooling and a softmax."""

from __future__ import annotations

import keras
from keras import layers

from svhn.models.layers.heads import add_dense_heads


def build(image_shape: tuple[int, int, int], max_length: int, lengths: int) -> keras.Model:
    """The model as `ModelSpec.build` describes it. Pixels are brought to 0…1 first."""
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 255)(image)
    x = layers.MaxPooling2D()(layers.Conv2D(6, 5, padding="same", activation="relu")(x))
    x = layers.MaxPooling2D()(layers.Conv2D(16, 5, activation="relu")(x))

    x = layers.Dense(120, activation="relu")(layers.Flatten()(x))
    x = layers.Dense(84, activation="relu")(x)
    return keras.Model(image, add_dense_heads(x, max_length, lengths), name="lenet5")
