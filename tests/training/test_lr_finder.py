"""The learning-rate finder: what it tries, what it suggests, and that it leaves all as it was."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from support.digit_records import make_info, paths_of, train_run, write_digits
from support.networks import make_small
from support.numbered_records import INFO, write_split

from svhn import records
from svhn.errors import UserError
from svhn.models import MODELS
from svhn.pipeline import batches
from svhn.records import Split
from svhn.run import Run
from svhn.runs import stored
from svhn.spec import Augmentation, Info
from svhn.training import lr_finder
from svhn.training.lr_finder import RATES, Sweep, smooth_losses
from svhn.training.step import State, build_state

OPTIONS = {
    "dataset": "mnist",
    "model": "shallow",
    "batch_size": 10,
    "augment": False,
    "warmup_steps": 0,
    "decay": "constant",
    "lrate": 1.0,
}
STEEPEST = 3e-3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder)
    return folder


def open_train(folder: Path) -> tuple[Info, Split]:
    info = records.read_info(folder / "records", "mnist")
    return info, records.open_split(folder / "records", info, "train")


def swept(state: State, folder: Path, **options: Any) -> Sweep:
    info, split = open_train(folder)
    run = Run(folder, stored.make_config({**OPTIONS, **options}), info)
    return lr_finder.sweep_rates(state, run.config, iter(batches.make_training_batches(run, split, Augmentation())))


def new_state(**options: Any) -> State:
    return build_state(
        Run(Path(), stored.make_config({**OPTIONS, **options}), make_info()), steps=len(RATES), replicas=1
    )


def values(state: State) -> list[np.ndarray]:
    held = [*state.learner.variables, *state.average.variables, *state.optimizer.variables]
    return [variable.numpy() for variable in (*held, state.step, state.factor)]


def files(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def falling() -> np.ndarray:
    """A loss that falls from 2.3 to 0.5, fastest at `STEEPEST`, and rises from 0.03 on."""
    decades = np.log10(RATES)
    fall = 1.8 / (1 + np.exp(-4 * (decades - np.log10(STEEPEST))))
    return 2.3 - fall + 3 * np.maximum(0, decades - np.log10(0.03))


def suggestion(losses: np.ndarray) -> float:
    return Sweep(RATES[: len(losses)], losses, smooth_losses(losses)).suggestion


def test_the_rates_rise_geometrically() -> None:
    assert (RATES[0], RATES[-1]) == pytest.approx((1e-6, 1.0))
    np.testing.assert_allclose(RATES[1:] / RATES[:-1], RATES[1] / RATES[0])
    assert RATES[1] > RATES[0]


@pytest.mark.parametrize("options", [{"average": 0.9}, {"average": 0.0, "optimizer": "amsgrad"}])
def test_a_sweep_leaves_the_state_as_it_was(folder: Path, options: dict[str, Any]) -> None:
    state = new_state(**options)
    rng = np.random.default_rng(0)
    for model in (state.model, state.average):
        model.set_weights([weight + rng.normal(0, 0.01, weight.shape) for weight in model.get_weights()])
    state.step.assign(7)
    state.factor.assign(0.5)
    before = values(state)
    found = swept(state, folder, **options)
    assert found.losses.min() < 0.5 * found.losses[0]  # it did learn meanwhile
    after = values(state)
    assert len(after) == len(before) > 8
    assert all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))


def test_heads_for_training_alone_are_left_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lr_finder, "RATES", RATES[-3:])
    monkeypatch.setitem(MODELS, "reader", make_small("reader", (32, 64, 96)))
    split = write_split(tmp_path)
    config = stored.make_config({"model": "reader", "batch_size": 4})
    state = build_state(Run(Path(), config, INFO), steps=3, replicas=1)
    assert len(state.learner.variables) == len(state.model.variables) + 4
    before = values(state)
    lr_finder.sweep_rates(
        state, config, iter(batches.make_training_batches(Run(Path(), config, INFO), split, Augmentation()))
    )
    assert all(np.array_equal(old, new) for old, new in zip(before, values(state), strict=True))


def test_dropout_and_moving_statistics_are_left_as_they_were(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lr_finder, "RATES", RATES[:3])
    state = new_state(model="kvn219", average=0.9)
    paths = " ".join(variable.path for variable in state.model.variables)
    assert "seed_generator" in paths
    assert "moving_mean" in paths
    before = values(state)
    swept(state, folder, model="kvn219", average=0.9)
    assert all(np.array_equal(old, new) for old, new in zip(before, values(state), strict=True))


def test_each_step_takes_its_rate(folder: Path) -> None:
    """Plain steps of the gradient, of which the first is too small to change the loss of the second."""
    found = swept(new_state(optimizer="sgd", average=0.0), folder, optimizer="sgd", average=0.0)
    np.testing.assert_array_equal(found.rates, RATES[: len(found.losses)])
    assert found.losses[:20] == pytest.approx(2.3, abs=0.4)
    assert 1e-3 < found.rates[found.losses < 0.5 * found.losses[0]][0] < 0.5
    np.testing.assert_array_equal(found.smoothed, smooth_losses(found.losses))


def test_a_loss_that_explodes_ends_the_sweep(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"optimizer": "sgd", "clip_norm": 0.0, "average": 0.0}
    rates = np.geomspace(1e-3, 1e9, 40)
    monkeypatch.setattr(lr_finder, "RATES", rates)
    state = new_state(**options)
    before = values(state)
    found = swept(state, folder, **options)
    assert 5 < len(found.losses) < 40
    assert len(found.rates) == len(found.smoothed) == len(found.losses)
    assert np.isfinite(found.losses).all()
    settled = found.smoothed[lr_finder.SETTLING_STEPS :]
    assert np.all(settled[1:] <= lr_finder.DIVERGENCE_FACTOR * np.minimum.accumulate(settled)[:-1])
    assert all(np.array_equal(old, new) for old, new in zip(before, values(state), strict=True))


def test_a_loss_that_is_not_finite_from_the_start_is_said(folder: Path) -> None:
    state = new_state(average=0.0)
    state.model.set_weights([np.full_like(weight, np.nan) for weight in state.model.get_weights()])
    found = swept(state, folder, average=0.0)
    assert len(found.losses) == 0
    with pytest.raises(UserError, match="look at the data, or try a new --name"):
        _ = found.suggestion


def test_the_suggestion_is_a_tenth_of_the_rate_with_the_lowest_loss() -> None:
    losses = falling()
    lowest = RATES[losses.argmin()]
    assert Sweep(RATES, losses, losses).suggestion == pytest.approx(lowest / 10)
    assert lowest / 10 <= suggestion(losses) < lowest / 5  # a running mean lags


@pytest.mark.parametrize("seed", range(10))
def test_the_suggestion_withstands_the_noise_of_batches(seed: int) -> None:
    noise = 0.3 * np.random.default_rng(seed).normal(size=len(RATES))
    lowest = RATES[falling().argmin()]
    assert lowest / 40 < suggestion(falling() + noise) < lowest / 3


@pytest.mark.parametrize("count", [1, 2, 3, 200])
def test_a_loss_that_only_rises_is_said(count: int) -> None:
    with pytest.raises(UserError) as error:
        suggestion(np.linspace(2.3, 9.0, count))
    assert str(error.value) == (
        "the loss only rises, whatever the learning rate: look at the data, or try a new --name"
    )


def test_the_running_mean_of_a_constant_is_the_constant() -> None:
    assert smooth_losses(np.full(50, 2.5)) == pytest.approx(2.5)
    step = smooth_losses(np.repeat([0.0, 1.0], 100))
    assert step[99] == 0
    assert step[100:103] == pytest.approx([0.1, 0.19, 0.271], rel=1e-3)
    assert len(smooth_losses(np.array([]))) == 0


def test_finding_changes_nothing_of_the_run(tmp_path: Path) -> None:
    write_digits(tmp_path)
    options = {**OPTIONS, "lrate": 3e-3, "num_steps": 12, "checkpoint_every": 6, "average": 0.0}
    run = train_run(tmp_path, lambda _: None, **options)
    before, lines = files(tmp_path), list[str]()
    keras.utils.set_random_seed(1)
    _, split = open_train(tmp_path)
    found = lr_finder.find_learning_rate(run, paths_of(tmp_path), split, lines.append)
    assert files(tmp_path) == before
    assert {path.name for path in before} >= {"config.json", "history.json", "ckpt-12.index", "ckpt-6.index"}
    assert lines == [f"Sweeping from new weights, and not from those of {tmp_path}/checkpoints/demo"]
    elsewhere = dataclasses.replace(run, folder=tmp_path / "checkpoints/new")
    fresh = lr_finder.find_learning_rate(elsewhere, paths_of(tmp_path, "new"), split, lines.append)
    np.testing.assert_allclose(found.losses, fresh.losses, rtol=1e-4)
    assert files(tmp_path) == before
    assert len(lines) == 1
