"""Batch normalization (Ioffe and Szegedy 2015, arXiv 1502.03167) by the one operation that TensorFlow has for it."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable("svhn")
class BatchNormalization(layers.BatchNormalization):
    """Keras' batch normalization of maps (batch, height, width, channels), with the same results in less time.

    Keras' layer computes several operations over float32 copies of the maps, which took a quarter of a training step
    of `reader` (docs/ablation.md). Synchronized over several replicas, this layer computes as Keras' does.
    """

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
            variance *= tf.cast((count - 1) / count, variance.dtype)  # TensorFlow's is unbiased, Keras' is not
            for variable, value in zip(moving, (mean, variance), strict=True):
                variable.assign_add((1 - self.momentum) * (value - variable))
        return outputs


def add_convolution(
    x: keras.KerasTensor, filters: int, size: int = 3, stride: int = 1, relu: bool = True
) -> keras.KerasTensor:
    """A convolution over a map (batch, height, width, channels), with batch normalization in place of a bias.

    Args:
        x: the map.
        filters: channels of the result.
        size: height and width of the kernel.
        stride: step of the kernel, down and across.
        relu: whether a rectified linear unit follows.
    """
    x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x)
    x = BatchNormalization(momentum=0.95)(x)
    return layers.ReLU()(x) if relu else x
