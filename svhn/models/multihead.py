"""A convolutional network with attention heads, for rows of handwritten digits."""

from __future__ import annotations

import keras
from keras import layers

from svhn.models.layers.heads import add_attention_heads
from svhn.models.layers.normalization import add_convolution

STAGES = ((48, 1), (96, 2), (160, 2), (256, 1))  # filters and number of convolutions of each stage


def build(image_shape: tuple[int, int, int], max_length: int, lengths: int) -> keras.Model:
    """The model as `ModelSpec.build` describes it. Pixels are brought to 0…1 first."""
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 255)(image)
    x = add_convolution(x, 32, size=5, stride=2)

    for stage, (filters, convolutions) in enumerate(STAGES):
        x = layers.MaxPooling2D(padding="same")(x) if stage else x
        for _ in range(convolutions):
            x = add_convolution(x, filters)

    x = layers.Dropout(0.2)(x)
    return keras.Model(image, add_attention_heads(x, max_length, lengths, looks=3, keys=32), name="multihead")
