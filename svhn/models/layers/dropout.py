"""Dropout (Srivastava et al. 2014) that draws a byte for each value, where Keras draws a float32."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers

ANY_WORD: Any = {"minval": None, "maxval": None, "dtype": tf.uint32}


@keras.saving.register_keras_serializable("svhn")
class Dropout(layers.Dropout):
    """Keras' own but for its rate, which is a multiple of 1/256 here; random numbers are most of what it costs."""

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if not training or not self.rate:
            return inputs
        size, dropped = tf.size(inputs), round(256 * self.rate)
        words = tf.random.stateless_uniform([size // 4 + 1], self.seed_generator.next(), **ANY_WORD)
        kept = tf.reshape(tf.bitcast(words, tf.uint8), [-1])[:size] >= dropped
        factor = tf.cast(256 / (256 - dropped), inputs.dtype)
        return inputs * tf.reshape(tf.cast(kept, inputs.dtype) * factor, tf.shape(inputs))
