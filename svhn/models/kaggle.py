"""Two pairs of convolutions and a dense layer, for Kaggle's digit recognizer."""

from __future__ import annotations

import keras
from keras import layers

from svhn.models.layers.heads import add_dense_heads
from svhn.spec import ModelSpec


def build(image_shape: tuple[int, int, int], max_length: int, fixed_length: bool) -> keras.Model:
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 255)(image)

    for filters, kernel in ((32, 5), (64, 3)):
        for _ in range(2):
            x = layers.Conv2D(filters, kernel, padding="same", activation="relu")(x)
        x = layers.Dropout(0.25)(layers.MaxPooling2D()(x))

    x = layers.Dense(256, activation="relu")(layers.Flatten()(x))
    x = layers.Dropout(0.5)(x)
    return keras.Model(image, add_dense_heads(x, max_length, fixed_length), name="kaggle")


KAGGLE = ModelSpec(
    name="kaggle",
    build=build,
    parameters=887_530,
    reference="the network of Kaggle's introductory notebooks on https://www.kaggle.com/c/digit-recognizer",
    dataset="mnist",
    defaults={
        "random_crop": False,
        "batch_size": 128,
        "num_epochs": 32,
        "optimizer": "rmsprop",
        "lrate": 1e-3,
        "decay": "constant",
        "reduce_on_plateau": 3,
        "weight_decay": 0.0,
        "label_smoothing": 0.0,
        "average": 0.998,
        "checkpoint_every": 450,  # an epoch of MNIST has 445 steps
    },
)
