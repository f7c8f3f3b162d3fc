"""A step of training: which digit lies where is learned beside the number, by heads that are there for that alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.networks import make_small, new_state, one_batch

from svhn.config import Config
from svhn.models import MODELS, PRETRAINED, losses
from svhn.models.layers.heads import add_dense_heads
from svhn.runs import stored
from svhn.training.step import is_pretrained, make_step


def test_which_digit_lies_where_is_learned_by_heads_of_training_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "reader", make_small("reader", (32, 64, 96)))  # with maps of two sizes, as the reader
    state = new_state("reader", batch_size=8, average=0.5, weight_decay=0.0)
    config = Config(model="reader", batch_size=8, weight_decay=0.0, warmup_steps=0)
    batch = one_batch(state.model)
    assert len(state.learner.weights) == len(state.model.weights) + 4
    heads = state.learner.weights[len(state.model.weights) :]

    def map_loss() -> float:
        return float(tf.reduce_mean(losses.compute_map_loss(batch["map"], state.learner(batch["image"])["maps"])))

    plain = new_state("reader", batch_size=8, map_weight=0.0, weight_decay=0.0)
    first = float(make_step(plain, config, tf.distribute.get_strategy())(batch).loss) / 8
    before, logged = map_loss(), []
    step = make_step(state, config, tf.distribute.get_strategy())
    for _ in range(60):
        logged.append(float(step(batch).loss) / 8)
    assert map_loss() < before - 0.5
    assert logged[0] == pytest.approx(first, rel=1e-5)  # of the number alone, as on valid
    assert all(np.abs(weight.numpy()).max() > 0 for weight in heads)
    assert [weight.shape for weight in state.average.weights] == [weight.shape for weight in state.model.weights]
    assert state.is_finite()
    heads[0].assign(np.nan * heads[0])
    assert not state.is_finite()


def test_how_much_which_digit_lies_where_weighs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen in the first step that the head's biases make, by an optimizer that goes as far as the gradient."""
    monkeypatch.setitem(MODELS, "reader", make_small("reader"))

    def first_step(map_weight: float) -> np.ndarray:
        options = {"optimizer": "sgd", "weight_decay": 0.0, "warmup_steps": 0, "clip_norm": 0.0, "batch_size": 8}
        config = stored.make_config({"model": "reader", "map_weight": map_weight, **options})
        state = new_state("reader", map_weight=map_weight, **options)
        make_step(state, config, tf.distribute.get_strategy())(one_batch(state.model))
        return state.learner.weights[-1].numpy()

    once = first_step(1.0)
    assert np.abs(once).max() > 0
    np.testing.assert_allclose(first_step(0.5), 0.5 * once, rtol=1e-4, atol=1e-8)


def test_a_step_follows_the_mean_over_the_batch() -> None:
    """The same eight numbers twice in a batch make the same step, by an optimizer that goes as far as the gradient."""

    def first_step(times: int) -> np.ndarray:
        options = {"optimizer": "sgd", "weight_decay": 0.0, "warmup_steps": 0, "clip_norm": 0.0}
        config = stored.make_config({"model": "shallow", "batch_size": 8 * times, **options})
        state = new_state("shallow", batch_size=8 * times, **options)
        before = state.model.get_weights()[-1]
        batch = {name: tf.repeat(value, times, axis=0) for name, value in one_batch(state.model).items()}
        make_step(state, config, tf.distribute.get_strategy())(batch)
        return state.model.get_weights()[-1] - before

    once = first_step(1)
    assert np.abs(once).max() > 0
    np.testing.assert_allclose(first_step(2), once, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [{"map_weight": 0.0}, {"dataset": "folder"}, {"train_on": "folder"}, {"model": "kvn219"}],
    ids=["weight", "dataset", "train_on", "model"],
)
def test_which_digit_lies_where_is_not_learned(options: dict[str, Any]) -> None:
    """As asked, where what is trained on does not know, and by a model without layers for it."""
    state = new_state(options.pop("model", "reader"), **options)
    assert state.learner is state.model


def test_layers_from_elsewhere_learn_at_a_share_of_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "lenet5", dataclasses.replace(MODELS["lenet5"], build=build_pretrained))

    def learn(rate: float) -> list[np.ndarray]:
        options = {"optimizer": "sgd", "weight_decay": 0.0, "warmup_steps": 0, "batch_size": 4, "pretrained_rate": rate}
        state = new_state("lenet5", **options)
        before = state.model.get_weights()
        step = make_step(state, stored.make_config({"model": "lenet5", **options}), tf.distribute.get_strategy())
        step(one_batch(state.model))
        return [new - old for new, old in zip(state.model.get_weights(), before, strict=True)]

    whole, tenth, none = learn(1.0), learn(0.1), learn(0.0)
    published = [is_pretrained(weight) for weight in build_pretrained((24, 40, 3), 5, 7).weights]
    assert published == [True, True, False, False, False, False]
    for full, held, fixed, from_elsewhere in zip(whole, tenth, none, published, strict=True):
        assert full.any()
        np.testing.assert_allclose(held, (0.1 if from_elsewhere else 1.0) * full, rtol=1e-3, atol=1e-7)
        assert not from_elsewhere or not fixed.any()


def build_pretrained(image_shape: tuple[int, int, int], max_length: int, lengths: int) -> keras.Model:
    """A layer as if it were from elsewhere, and heads."""
    image = keras.Input(image_shape, name="image")
    seen = keras.layers.Conv2D(4, 8, 8, name=f"{PRETRAINED}0")(image)
    return keras.Model(image, add_dense_heads(keras.layers.Flatten()(seen), max_length, lengths))
