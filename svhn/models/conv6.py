"""Six convolutions in three pairs, for single digits of SVHN."""

from __future__ import annotations

import keras
from keras import layers

from svhn.models.layers.heads import add_dense_heads
from svhn.models.layers.normalization import BatchNormalization
from svhn.spec import ModelSpec


def build(image_shape: tuple[int, int, int], max_length: int, fixed_length: bool) -> keras.Model:
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)

    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = BatchNormalization(momentum=0.95)(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.Dropout(0.2)(layers.MaxPooling2D()(x))

    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    x = layers.Dropout(0.3)(x)
    return keras.Model(image, add_dense_heads(x, max_length, fixed_length), name="conv6")


CONV6 = ModelSpec(
    name="conv6",
    build=build,
    parameters=551_466,
    reference="the usual small network for SVHN's cropped digits, after Simonyan and Zisserman 2014 (arXiv 1409.1556)",
    dataset="svhn_cropped",
    defaults={
        "random_crop": False,
        "batch_size": 128,
        "num_epochs": 22,
        "optimizer": "amsgrad",
        "lrate": 2e-3,
        "weight_decay": 0.01,
        "average": 0.998,
        "checkpoint_every": 440,
        "early_stopping": 8,
    },
)
