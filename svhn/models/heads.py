"""The heads that every model of whole numbers ends in."""

from __future__ import annotations

import keras
from keras import layers

from svhn.labels import CLASSES


def number_heads(features: keras.KerasTensor, max_length: int) -> dict[str, keras.KerasTensor]:
    """Logits of the length and of each slot's digit, in float32 whatever the policy, from features (batch, units)."""
    digits = layers.Dense(max_length * CLASSES)(features)
    digits = layers.Reshape((max_length, CLASSES))(digits)
    length = layers.Dense(max_length + 1)(features)
    return {
        "digits": layers.Activation("linear", dtype="float32", name="digits")(digits),
        "length": layers.Activation("linear", dtype="float32", name="length")(length),
    }
