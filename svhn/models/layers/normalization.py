"""Batch normalization (Ioffe and Szegedy 2015, arXiv 1502.03167) in TensorFlow's one operation for it."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable("svhn")
class BatchNormalization(layers.BatchNormalization):
    """Keras' own, of maps (batch, height, width, channels); it takes several operations over float32 copies of them."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if self.synchronized:
            return super().call(inputs, training=training, mask=mask)
        moving: Any = (self.moving_mean, self.moving_variance)
        learning = bool(training) and self.trainable
        outputs, mean, variance, _, _, _ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=moving[0],
            variance=moving[1],
            epsilon=self.epsilon,
            is_training=learning,
        )
        if learning:
            count = tf.size(inputs) / inputs.shape[-1]
            variance *= tf.cast((count - 1) / count, variance.dtype)  # Keras' is not the unbiased one
            for variable, value in zip(moving, (mean, variance), strict=True):
                variable.assign_add((1 - self.momentum) * (value - variable))
        return outputs


def add_convolution(
    x: keras.KerasTensor, filters: int, size: int = 3, stride: int = 1, relu: bool = True
) -> keras.KerasTensor:
    """Of a map (batch, height, width, channels), normalised in place of a bias."""
    x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x)
    x = BatchNormalization(momentum=0.95)(x)
    return layers.ReLU()(x) if relu else x
