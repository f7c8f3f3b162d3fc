"""One hidden layer, for single digits of MNIST."""

from __future__ import annotations

import keras
from keras import layers

from svhn.models.layers.heads import add_dense_heads
from svhn.spec import ModelSpec


def build(image_shape: tuple[int, int, int], max_length: int, fixed_length: bool) -> keras.Model:
    image = keras.Input(image_shape, name="image")
    x = layers.Flatten()(layers.Rescaling(1 / 255)(image))
    x = layers.LeakyReLU(negative_slope=0.01)(layers.Dense(400)(x))
    return keras.Model(image, add_dense_heads(x, max_length, fixed_length), name="shallow")


SHALLOW = ModelSpec(
    name="shallow",
    build=build,
    parameters=318_010,
    reference="LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition, section III.C",
    dataset="mnist",
    defaults={
        "random_crop": False,
        "batch_size": 128,
        "num_epochs": 40,
        "weight_decay": 0.0,
        "label_smoothing": 0.0,
        "mixed_precision": False,
    },
)
