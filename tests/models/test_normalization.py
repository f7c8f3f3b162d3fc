"""Batch normalization in one operation, against Keras' own."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from svhn.models.layers.normalization import BatchNormalization

SHAPE = (8, 6, 5, 7)


def layers() -> tuple[Any, Any]:
    """Keras' and ours, with the same weights, none of them trivial."""
    both = keras.layers.BatchNormalization(momentum=0.9), BatchNormalization(momentum=0.9)
    for layer in both:
        layer.build(SHAPE)
        layer.set_weights([np.random.default_rng(seed).uniform(0.5, 2, SHAPE[-1]) for seed in range(4)])
    return both


def maps() -> tf.Tensor:
    return tf.constant(np.random.default_rng(9).normal(1, 3, SHAPE), tf.float32)


def results(layer: Any, training: bool) -> list[Any]:
    """What the layer makes of maps, and the gradients of something that depends on all of it."""
    inputs = maps()
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=training)
        total = tf.reduce_sum(tf.cast(outputs, tf.float32) ** 3)
    return [outputs, *tape.gradient(total, [inputs, layer.gamma.value, layer.beta.value])]


@pytest.mark.parametrize("training", [True, False])
def test_it_does_what_keras_does(training: bool) -> None:
    theirs, ours = layers()
    for expected, found in zip(results(theirs, training), results(ours, training), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_training_moves_the_statistics_and_reading_does_not() -> None:
    theirs, ours = layers()
    before = ours.get_weights()
    ours(maps(), training=False)
    for one, other in zip(ours.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    theirs(maps(), training=True)
    ours(maps(), training=True)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    for one, other in zip(ours.get_weights()[2:], before[2:], strict=True):
        assert np.abs(one - other).max() > 0.01


def test_a_layer_that_is_not_trained_keeps_its_statistics() -> None:
    _, ours = layers()
    mean, variance = ours.moving_mean.numpy(), ours.moving_variance.numpy()
    ours.trainable = False
    np.testing.assert_array_equal(ours(maps(), training=True), ours(maps(), training=False))
    np.testing.assert_array_equal(ours.moving_mean, mean)
    np.testing.assert_array_equal(ours.moving_variance, variance)


def test_in_bfloat16_statistics_stay_in_float32() -> None:
    layer = BatchNormalization(momentum=0.9, dtype="mixed_bfloat16")
    outputs = layer(tf.cast(maps(), tf.bfloat16), training=True)
    assert outputs.dtype == tf.bfloat16
    assert {variable.dtype for variable in layer.variables} == {"float32"}
    _, ours = layers()
    ours.set_weights([*layer.get_weights()[:2], np.zeros(SHAPE[-1]), np.ones(SHAPE[-1])])
    expected = ours(maps(), training=True)
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), expected, rtol=0.02, atol=0.02)


def test_over_several_replicas_it_is_keras_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(keras.layers.BatchNormalization, "call", lambda _self, inputs, **_: seen.append(1) or inputs)
    _, ours = layers()
    ours(maps(), training=True)
    assert not seen
    ours.synchronized = True
    ours(maps(), training=True)
    assert seen
