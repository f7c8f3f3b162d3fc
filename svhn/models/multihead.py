"""A convolutional network that looks at each digit of a row of handwritten ones in turn."""

from __future__ import annotations

import keras
from keras import layers

from svhn.models.heads import attention_heads
from svhn.spec import ModelSpec

STAGES = ((32, 5, 2), (48, 3, 1), (96, 3, 2), (96, 3, 1), (160, 3, 2), (256, 3, 2))  # filters, kernel, stride


def build(image_shape: tuple[int, int, int], max_length: int, fixed_length: bool) -> keras.Model:
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 255)(image)

    for filters, kernel, stride in STAGES:
        x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))

    x = layers.Dropout(0.2)(x)
    return keras.Model(image, attention_heads(x, max_length, fixed_length), name="multihead")


MULTIHEAD = ModelSpec(
    name="multihead",
    build=build,
    parameters=1_491_386,
    reference="Goodfellow et al. 2014 (arXiv 1312.6082): several digits from shared convolutions",
    dataset="mnist_stacked",
    defaults={
        "random_crop": False,
        "batch_size": 32,
        "num_epochs": 6,
        "warmup_steps": 200,
        "average": 0.995,
        "checkpoint_every": 625,  # an epoch
    },
)
