"""Optimizers by name, what they decay, the learning rate over the steps, and when valid's scores lower it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from svhn.config import CHOICES, Config
from svhn.errors import UserError
from svhn.training.optimizers import OPTIMIZERS, Schedule, build_optimizer, count_since_best, should_reduce_rate

STEPS = 100
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


def new_model() -> keras.Model:
    """Kernels, biases, gamma and beta, none of them zero."""
    layers = [
        keras.layers.Dense(5, name="first"),
        keras.layers.BatchNormalization(name="normalized"),
        keras.layers.Dense(2, name="last"),
    ]
    model = keras.Sequential([keras.Input((3,)), *layers], name="tiny")
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.0, weight.shape) for weight in model.get_weights()])
    return model


def new_optimizer(name: str, model: keras.Model, factor: float = 1.0, **options: Any) -> keras.optimizers.Optimizer:
    given = {"lrate": 0.1, "warmup_steps": 0, "decay": "constant", "weight_decay": 0.0, **options}
    optimizer = build_optimizer(Config(optimizer=name, **given), STEPS, tf.Variable(tf.constant(factor)))
    optimizer.build(model.trainable_variables)
    return optimizer


def after(name: str, gradients: Sequence[float], **options: Any) -> dict[str, np.ndarray]:
    """The trainable weights by name, after a step with each gradient; it is that of every weight."""
    model = new_model()
    optimizer = new_optimizer(name, model, **options)
    for gradient in gradients:
        values = [tf.fill(variable.shape, gradient) for variable in model.trainable_variables]
        optimizer.apply(values, model.trainable_variables)
    return weights(model)


def weights(model: keras.Model) -> dict[str, np.ndarray]:
    return {variable.path: variable.numpy() for variable in model.trainable_variables}


def moved(name: str, gradients: Sequence[float], **options: Any) -> float:
    """How far the first bias has come."""
    model = new_model()
    optimizer = new_optimizer(name, model, **options)
    bias = model.layers[0].bias
    before = bias.numpy()
    for gradient in gradients:
        optimizer.apply([tf.fill(variable.shape, gradient) for variable in model.trainable_variables])
    return float(np.mean(bias.numpy() - before))


def rates(config: Config, factor: float = 1.0, steps: int = STEPS) -> np.ndarray:
    schedule = Schedule(config, steps, tf.Variable(tf.constant(factor)))
    return np.array([float(schedule(tf.constant(step, tf.int64))) for step in range(steps + 1)])


def test_the_options_and_the_registry_have_the_same_names() -> None:
    assert CHOICES["optimizer"] == tuple(OPTIMIZERS)


def test_an_unknown_optimizer_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError) as error:
        Config(optimizer="adagrad")
    assert str(error.value) == "--optimizer=adagrad: expected one of adam, adamw, amsgrad, rmsprop, sgd"


def test_an_unknown_decay_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError) as error:
        Config(decay="step")
    assert str(error.value) == "--decay=step: expected one of cosine, linear, constant"


@every_optimizer
def test_every_optimizer_learns(name: str) -> None:
    model = new_model()
    optimizer = new_optimizer(name, model, lrate=0.01)
    inputs, wanted = tf.random.stateless_normal((16, 3), (0, 1)), tf.ones((16, 2))

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(inputs, training=True) - wanted) ** 2)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    losses = [float(step()) for _ in range(20)]
    assert losses[-1] < 0.7 * losses[0]
    assert int(optimizer.iterations) == 20


@every_optimizer
def test_kernels_are_decayed_and_nothing_else(name: str) -> None:
    plain, decayed = after(name, [0.3]), after(name, [0.3], weight_decay=0.5)
    shrinking = {key for key in plain if not np.array_equal(plain[key], decayed[key])}
    assert shrinking == {key for key in plain if key.endswith("kernel")}
    assert len(shrinking) == 2
    before = weights(new_model())
    for key in shrinking:  # decoupled: by the rate times the decay, whatever the gradient
        np.testing.assert_allclose(plain[key] - decayed[key], 0.1 * 0.5 * before[key], rtol=1e-4)


def test_adam_and_adamw_are_one() -> None:
    one, other = (after(name, [0.3, -0.1], weight_decay=0.5) for name in ("adam", "adamw"))
    assert all(np.array_equal(one[key], other[key]) for key in one)


def test_amsgrad_keeps_its_largest_second_moment() -> None:
    model = new_model()
    optimizer = new_optimizer("amsgrad", model)
    for gradient in (10.0, 0.0, 0.0):
        optimizer.apply([tf.fill(variable.shape, gradient) for variable in model.trainable_variables])
    largest = [variable.numpy() for variable in optimizer.variables if "velocity_hat" in variable.path]
    assert len(largest) == len(model.trainable_variables)
    np.testing.assert_allclose(np.concatenate([value.ravel() for value in largest]), 0.001 * 10**2, rtol=1e-5)
    assert moved("amsgrad", [10.0, 0.0, 0.0]) != moved("adam", [10.0, 0.0, 0.0])


def test_sgd_has_the_momentum_of_nesterov() -> None:
    """Steps of 1 + 0.9, then of 1 + 0.9 (1 + 0.9): each looks ahead by the momentum it will have."""
    assert moved("sgd", [1.0]) == pytest.approx(-0.1 * 1.9, rel=1e-5)
    assert moved("sgd", [1.0, 1.0]) == pytest.approx(-0.1 * (1.9 + 2.71), rel=1e-5)


def test_rmsprop_has_no_momentum() -> None:
    """Its mean of squares starts at 0 with momentum 0.9, uncorrected: the first step is the rate / sqrt(0.1)."""
    assert moved("rmsprop", [1.0]) == pytest.approx(-0.1 / np.sqrt(0.1), rel=1e-4)
    assert moved("rmsprop", [1.0, 0.0]) == moved("rmsprop", [1.0])


@pytest.mark.parametrize("name", ["adam", "amsgrad"])
def test_the_first_step_of_adam_is_the_rate(name: str) -> None:
    assert moved(name, [0.3]) == pytest.approx(-0.1, rel=1e-4)


@every_optimizer
def test_the_factor_can_be_set_between_compiled_steps(name: str) -> None:
    model, factor = new_model(), tf.Variable(tf.constant(0.0))
    optimizer = build_optimizer(Config(optimizer=name, warmup_steps=0, decay="constant"), STEPS, factor)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step() -> None:
        optimizer.apply([tf.ones(variable.shape) for variable in model.trainable_variables])

    before = weights(model)
    step()
    assert all(np.array_equal(value, before[key]) for key, value in weights(model).items())
    factor.assign(0.5)
    assert float(optimizer.learning_rate) == pytest.approx(0.5 * Config.lrate)
    step()
    assert not any(np.array_equal(value, before[key]) for key, value in weights(model).items())


@pytest.mark.parametrize("decay", CHOICES["decay"])
def test_the_rate_rises_linearly_from_zero_to_its_peak(decay: str) -> None:
    found = rates(Config(lrate=0.4, warmup_steps=10, decay=decay))
    np.testing.assert_allclose(found[:11], np.linspace(0, 0.4, 11), atol=1e-7)
    assert found.max() == found[10]


@pytest.mark.parametrize(("decay", "halfway"), [("cosine", 0.2), ("linear", 0.2), ("constant", 0.4)])
def test_the_rate_after_the_warm_up(decay: str, halfway: float) -> None:
    for warmup in (0, 20):
        found = rates(Config(lrate=0.4, warmup_steps=warmup, decay=decay))
        assert found[warmup] == pytest.approx(0.4)
        assert found[(warmup + STEPS) // 2] == pytest.approx(halfway, rel=1e-5)
        assert found[STEPS] == pytest.approx(0.4 if decay == "constant" else 0.0, abs=1e-7)
        assert np.all(np.diff(found[warmup:]) <= 1e-8)


def test_a_cosine_is_flat_at_its_ends_and_a_line_is_not() -> None:
    quarter = {decay: rates(Config(lrate=1.0, warmup_steps=0, decay=decay))[STEPS // 4] for decay in CHOICES["decay"]}
    expected = {"cosine": (1 + np.cos(np.pi / 4)) / 2, "linear": 0.75, "constant": 1.0}
    assert quarter == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("decay", CHOICES["decay"])
def test_the_factor_multiplies_the_whole_schedule(decay: str) -> None:
    config = Config(lrate=0.4, warmup_steps=10, decay=decay)
    np.testing.assert_allclose(rates(config, factor=0.25), 0.25 * rates(config), rtol=1e-6)


@pytest.mark.parametrize("decay", CHOICES["decay"])
def test_a_warm_up_as_long_as_the_run_or_longer_only_rises(decay: str) -> None:
    for warmup in (STEPS, 2 * STEPS):
        found = rates(Config(lrate=0.4, warmup_steps=warmup, decay=decay))
        np.testing.assert_allclose(found, 0.4 * np.arange(STEPS + 1) / warmup, atol=1e-7)


@pytest.mark.parametrize(
    ("scores", "stalled"),
    [
        ([], 0),
        ([0.0], 0),  # the first is the best, whatever it is
        ([0.5], 0),
        ([0.1, 0.2, 0.3], 0),
        ([0.5, 0.4], 1),
        ([0.5, 0.5], 1),  # no better
        ([0.5, 0.6, 0.6, 0.6], 2),
        ([0.5, 0.1, 0.4, 0.4999], 3),  # better than the one before it is not enough
        ([0.5, 0.1, 0.4, 0.51], 0),
    ],
)
def test_scores_that_stall(scores: list[float], stalled: int) -> None:
    assert count_since_best(scores) == stalled


@pytest.mark.parametrize(
    ("patience", "reduced"),
    [(0, []), (1, [1, 2, 3, 5, 6, 7, 8]), (2, [2, 6, 8]), (3, [3, 7]), (4, [8]), (5, [])],
)
def test_the_rate_is_reduced_at_every_patience_scores_without_a_better_one(patience: int, reduced: list[int]) -> None:
    scores = [0.5, 0.5, 0.4, 0.5, 0.6, 0.6, 0.6, 0.0, 0.1]
    assert [count for count in range(len(scores)) if should_reduce_rate(scores[: count + 1], patience)] == reduced
    assert not should_reduce_rate([], patience)
