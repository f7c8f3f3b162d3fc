"""Runs that begin with another one's weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from support.digit_records import make_info, paths_of, train_run
from support.networks import new_model
from support.shelf import copy_run

from svhn.config import Paths
from svhn.errors import UserError
from svhn.models import MODELS
from svhn.run import Run
from svhn.runs import load
from svhn.runs.steps import list_steps
from svhn.runs.stored import make_config, read_run_info
from svhn.training import initial_weights
from svhn.training.initial_weights import Heads
from svhn.training.step import build_state

RECIPE = {"model": "shallow", "batch_size": 20, "random_crop": False, "augment": False, "warmup_steps": 0}


def numbered(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_a_weight_of_the_same_shape_is_kept() -> None:
    old, new = numbered(3, 4), np.zeros((3, 4))
    np.testing.assert_array_equal(initial_weights.adapt_weight("dense", old, new, Heads(5, True), Heads(5, True)), old)


@pytest.mark.parametrize("shape", [(2,), ()])
def test_what_is_said_of_slots_is_kept_and_further_ones_are_as_the_last(shape: tuple[int, ...]) -> None:
    """Two slots and the length, seven values of each, become four slots and the length."""
    old = numbered(*shape, 3 * 7)
    found = initial_weights.adapt_weight("looks", old, np.zeros((*shape, 5 * 7)), Heads(2, True), Heads(4, True))
    assert found is not None
    first, second, third, fourth, length = np.split(found, 5, axis=-1)
    before = np.split(old, 3, axis=-1)
    for slot, expected in ((first, 0), (second, 1), (third, 1), (fourth, 1), (length, 2)):
        np.testing.assert_array_equal(slot, before[expected])
    fewer = initial_weights.adapt_weight("looks", old, np.zeros((*shape, 2 * 7)), Heads(2, True), Heads(1, True))
    np.testing.assert_array_equal(fewer, np.concatenate([before[0], before[2]], axis=-1))


def test_what_is_said_of_lengths_is_kept_and_longer_ones_are_new() -> None:
    old, new = numbered(4, 3), -numbered(4, 5)
    found = initial_weights.adapt_weight("lengths", old, new, Heads(2, True), Heads(4, True))
    np.testing.assert_array_equal(found, np.concatenate([old, new[:, 3:]], axis=1))
    fewer = initial_weights.adapt_weight("lengths", old, new[:, :2], Heads(2, True), Heads(1, True))
    np.testing.assert_array_equal(fewer, old[:, :2])


def test_a_gray_picture_gets_the_sum_of_the_colors() -> None:
    old = numbered(3, 3, 3, 8)
    found = initial_weights.adapt_weight("conv2d", old, np.zeros((3, 3, 1, 8)), Heads(5, True), Heads(5, True))
    np.testing.assert_array_equal(found, old.sum(2, keepdims=True))


@pytest.mark.parametrize(
    ("layer", "old", "new"),
    [
        ("dense", (4, 12), (4, 24)),  # though it is two slots and the length, and then five
        ("gru", (30,), (60,)),
        ("looks", (3, 12), (4, 24)),
        ("looks", (4, 12), (4, 30)),
        ("lengths", (3, 3), (4, 6)),
    ],
)
def test_what_does_not_fit_stays_new(layer: str, old: tuple[int, ...], new: tuple[int, ...]) -> None:
    assert initial_weights.adapt_weight(layer, numbered(*old), numbered(*new), Heads(2, True), Heads(5, True)) is None


@pytest.fixture(scope="module")
def trained(digits_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_run(digits_run, tmp_path_factory.mktemp("transfer"))
    (folder / "checkpoints/demo").rename(folder / "checkpoints/first")
    return folder


def test_a_run_begins_where_the_other_ended(trained: Path) -> None:
    said: list[str] = []
    train_run(trained, said.append, **RECIPE, init_from="first", num_steps=1, lrate=1e-6)
    assert "Began with the weights of first: 4 of 4, the others are new" in said
    run = paths_of(trained).run_folder
    states = {name: list_steps(run.parent / name)[-1] for name in ("first", "demo")}
    models = [
        load.load_trained_model(Run(run.parent / name, make_config(RECIPE), make_info()), step)
        for name, step in states.items()
    ]
    for before, after in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-4)
    assert states["demo"] == 1
    said.clear()
    train_run(trained, said.append, **RECIPE, init_from="first", num_steps=2, lrate=1e-6)
    assert not any(line.startswith("Began") for line in said)  # it goes on


def test_a_run_of_another_model_is_refused(trained: Path) -> None:
    config = make_config({"model": "lenet5", "init_from": "first", "random_crop": False})
    run = Run(Path(), config, make_info())
    with pytest.raises(UserError, match=r"--init_from=first: .* train with --model=shallow"):
        initial_weights.initialize_weights(build_state(run, 1, 1), run, paths_of(trained), print)


def test_a_run_that_is_not_there_is_said(trained: Path) -> None:
    config = make_config({**RECIPE, "init_from": "none"})
    run = Run(Path(), config, make_info())
    with pytest.raises(UserError, match="none holds no run"):
        initial_weights.initialize_weights(build_state(run, 1, 1), run, paths_of(trained), print)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (Heads(2, True), Heads(4, False)),
        (Heads(2, True), Heads(3, False)),  # as many heads in all
        (Heads(2, False), Heads(4, True)),
        (Heads(3, False), Heads(2, True)),
    ],
)
def test_where_only_one_of_them_says_a_length_the_slots_are_kept(old: Heads, new: Heads) -> None:
    trained, begun = numbered(4, sum(old) * 7), -numbered(4, sum(new) * 7)
    found = initial_weights.adapt_weight("looks", trained, begun, old, new)
    assert found is not None
    heads, before = np.split(found, sum(new), axis=-1), np.split(trained, sum(old), axis=-1)
    for slot in range(new.slots):
        np.testing.assert_array_equal(heads[slot], before[min(slot, old.slots - 1)])
    if new.length:
        np.testing.assert_array_equal(heads[-1], begun[:, -7:])


def test_slots_of_their_own_weights_have_no_length_among_them() -> None:
    old = numbered(4, 20)
    found = initial_weights.adapt_weight("slots", old, np.zeros((4, 30)), Heads(2, True), Heads(3, True))
    np.testing.assert_array_equal(found, np.concatenate([old, old[:, 10:]], axis=1))


@pytest.mark.parametrize("name", [name for name, spec in MODELS.items() if not spec.fit])
def test_numbers_of_one_digit_can_begin_with_what_was_learned_of_all_lengths(name: str) -> None:
    """And the other way round: all weights but those of the length are told apart from it, whatever the model."""
    varied, fixed = new_model(name), MODELS[name].build((24, 40, 3), 5, 0)
    said = initial_weights.list_weights(varied, with_length=False)
    assert len(said) == len(fixed.weights) == len(varied.weights) - 2
    assert [weight.shape[:-1] for weight in said] == [weight.shape[:-1] for weight in fixed.weights]
    assert initial_weights.list_weights(varied, with_length=True) == varied.weights
    assert initial_weights.list_weights(fixed, with_length=True) == fixed.weights


def test_the_released_network_can_begin_a_run_of_single_digits(tmp_path: Path) -> None:
    """On pictures of its own size, it reads the first digit as before."""
    info = read_run_info(Paths("released").run_folder)
    config = make_config({"init_from": "released", "mixed_precision": False})
    single = Run(tmp_path, config, dataclasses.replace(info, max_length=1, fixed_length=True))
    state = build_state(single, 1, 1)
    lines: list[str] = []
    initial_weights.initialize_weights(state, single, Paths(checkpoints_dir=str(tmp_path)), lines.append)
    count = len(state.model.weights)
    assert lines[-1].endswith(f"{count} of {count}, the others are new")
    _, before = load.load_run(Paths("released", checkpoints_dir=str(tmp_path)).run_folder, {"mixed_precision": False})
    images = np.random.default_rng(0).uniform(0, 255, (3, *before.input_shape[1:])).astype(np.float32)
    for model in (state.model, state.average):
        np.testing.assert_allclose(model(images)["digits"], before(images)["digits"][:, :1], atol=1e-3)


def test_the_released_network_can_be_given_more_slots(tmp_path: Path) -> None:
    """It reads the same five digits and lengths as before, once it has eight slots."""
    info = read_run_info(Paths("released").run_folder)
    config = make_config({"init_from": "released", "mixed_precision": False})
    longer = Run(tmp_path, config, dataclasses.replace(info, max_length=8))
    state = build_state(longer, 1, 1)
    wider = state.average
    lines: list[str] = []
    initial_weights.initialize_weights(state, longer, Paths(checkpoints_dir=str(tmp_path)), lines.append)
    assert lines[-1].endswith(f"{len(wider.weights)} of {len(wider.weights)}, the others are new")
    _, before = load.load_run(Paths("released", checkpoints_dir=str(tmp_path)).run_folder, {"mixed_precision": False})
    images = np.random.default_rng(0).uniform(0, 255, (3, *before.input_shape[1:])).astype(np.float32)
    expected, found = before(images), wider(images)
    np.testing.assert_allclose(found["digits"][:, :5], expected["digits"], atol=1e-3)
    np.testing.assert_allclose(found["digits"][:, 5], expected["digits"][:, 4], atol=1e-3)
    np.testing.assert_allclose(found["length"][:, :6], expected["length"][:, :6], atol=1e-3)
    np.testing.assert_allclose(found["length"][:, -1], expected["length"][:, -1], atol=1e-3)  # longer numbers
