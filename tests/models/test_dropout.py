"""Dropout whose random numbers are bytes, against Keras' own."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from svhn.models.layers.dropout import Dropout

ONES = tf.ones([17, 9, 7, 5])  # 5,355 values: no multiple of the four bytes of a word


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_a_share_of_the_values_is_dropped_and_the_others_make_up_for_it(rate: float) -> None:
    dropped = Dropout(rate, seed=1)(ONES, training=True).numpy()
    assert (dropped == 0).mean() == pytest.approx(rate, abs=0.03)
    assert dropped.mean() == pytest.approx(1, abs=0.15)
    kept = dropped[dropped != 0]
    assert kept == pytest.approx(1 / (1 - rate), rel=0.02)
    for axis in range(4):  # and none of a picture, a row, a column or a map more than of the others
        shares = (dropped == 0).mean(axis=tuple(set(range(4)) - {axis}))
        assert np.abs(shares - rate).max() < 0.12


def test_every_call_drops_others_and_the_seed_says_which() -> None:
    first, second = Dropout(0.5, seed=1), Dropout(0.5, seed=1)
    once, again = first(ONES, training=True), first(ONES, training=True)
    assert np.mean(once != again) == pytest.approx(0.5, abs=0.05)
    np.testing.assert_array_equal(second(ONES, training=True), once)
    assert np.mean(Dropout(0.5, seed=2)(ONES, training=True) != once) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (3, 1, 1), (2, 3, 1, 1)])
def test_values_need_not_fill_words(shape: tuple[int, ...]) -> None:
    assert Dropout(0.5, seed=1)(tf.ones(shape), training=True).shape == shape


@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_reading_drops_nothing(rate: float) -> None:
    layer = Dropout(rate)
    np.testing.assert_array_equal(layer(ONES), ONES)
    np.testing.assert_array_equal(layer(ONES, training=False), ONES)
    np.testing.assert_array_equal(Dropout(0.0)(ONES, training=True), ONES)


def test_gradients_come_through_what_was_kept() -> None:
    inputs, layer = tf.random.stateless_normal(tf.shape(ONES), (1, 2)), Dropout(0.25, seed=1)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
    kept = outputs.numpy() != 0
    gradient: Any = tape.gradient(outputs, inputs)
    np.testing.assert_allclose(gradient, kept / 0.75, rtol=1e-6)


def test_half_precision_stays_half() -> None:
    outputs = Dropout(0.5, dtype="mixed_bfloat16")(tf.cast(ONES, tf.bfloat16), training=True)
    assert outputs.dtype == tf.bfloat16
    assert set(np.unique(tf.cast(outputs, tf.float32))) == {0.0, 2.0}


def test_it_comes_back_from_a_file(tmp_path: object) -> None:
    model = keras.Sequential([keras.Input((5,)), Dropout(0.3)])
    model.save(f"{tmp_path}/model.keras")
    loaded: Any = keras.saving.load_model(f"{tmp_path}/model.keras")
    assert (type(loaded.layers[0]), loaded.layers[0].rate) == (Dropout, 0.3)
