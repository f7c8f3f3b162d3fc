"""Runs whose valid score no longer rises: a lower learning rate, an early stop, and the history they are read off."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from support.digit_records import paths_of, train_run, write_digits

from svhn.errors import Interrupted, UserError
from svhn.runs import checkpoints, stored
from svhn.runs.steps import list_steps, read_best
from svhn.training import distribute

LAST = 18
STEPS = list(range(2, LAST + 1, 2))
RECIPE = {
    "model": "shallow",
    "batch_size": 10,
    "decay": "constant",
    "warmup_steps": 0,
    "average": 0.0,
    "augment": False,
    "checkpoint_every": 2,
    "log_every": 1,
}
LEARNED = {"lrate": 1e-3, "num_steps": LAST, "reduce_on_plateau": 2}  # all of valid is read after a few steps
STILL = {"lrate": 1e-30, "num_steps": 40}  # valid's score stays what it is
FACTOR = "factor/.ATTRIBUTES/VARIABLE_VALUE"
SCORES = {"loss", "sequence_accuracy", "digit_accuracy", "length_accuracy", "slot_accuracy"}


class Killed(Exception):  # noqa: N818 - what a kill is, within a process
    pass


def run_of(folder: Path) -> Path:
    return paths_of(folder).run_folder


def train(folder: Path, **given: Any) -> list[str]:
    """Train the run `demo`; returns what was said."""
    lines: list[str] = []
    train_run(folder, lines.append, **RECIPE, **given)
    return lines


def train_until(folder: Path, step: int, **given: Any) -> None:
    """The same, ended where a step is done and its checkpoint not yet begun."""

    def report(line: str) -> None:
        if f"Step: {step:5}," in line:
            raise Killed

    with pytest.raises(Killed):
        train_run(folder, report, **RECIPE, **given)


def held(folder: Path, step: int) -> dict[str, np.ndarray]:
    """Every value of a checkpoint, by name."""
    reader = tf.train.load_checkpoint(str(checkpoints.get_checkpoint_path(run_of(folder), step)))
    names = [name for name in reader.get_variable_to_shape_map() if not name.startswith("_CHECKPOINTABLE")]
    return {name: np.asarray(reader.get_tensor(name)) for name in names}


def factors(folder: Path) -> list[float]:
    return [float(held(folder, step)[FACTOR]) for step in list_steps(run_of(folder))]


def timeless(folder: Path) -> list[dict[str, Any]]:
    return [{**entry, "seconds": None} for entry in stored.read_history(run_of(folder))]


def damage(folder: Path, step: int) -> None:
    path = run_of(folder) / f"ckpt-{step}.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-200])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_digits(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that learns valid by heart, halves its rate every two checkpoints from then on, and isn't disturbed."""
    folder = tmp_path_factory.mktemp("straight")
    write_digits(folder)
    train(folder, **LEARNED)
    return folder


@pytest.fixture
def finished(straight: Path, tmp_path: Path) -> Path:
    """A copy of that run to change."""
    return Path(shutil.copytree(straight, tmp_path / "copy", ignore=shutil.ignore_patterns("logs")))


def test_the_rate_is_halved_and_the_run_stops_where_valid_gets_no_better(folder: Path) -> None:
    lines = train(folder, **STILL, reduce_on_plateau=2, early_stopping=5)
    assert list_steps(run_of(folder)) == [2, 4, 6, 8, 10, 12]
    assert factors(folder) == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    said = [line for line in lines if "valid:" in line or "Stopping" in line or "Done" in line]
    assert said == [
        "No better on valid: the learning rate is now 0.5 of the schedule's.",
        "No better on valid: the learning rate is now 0.25 of the schedule's.",
        "Stopping early: 5 checkpoints were no better on valid than the one before them.",
        "Done training for 1.2 epochs, 12 steps.",
    ]


def test_a_signal_at_a_checkpoint_changes_nothing_of_the_run(folder: Path, straight: Path) -> None:
    def report(line: str) -> None:
        if f"Step: {4:5}," in line:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Interrupted):
        train_run(folder, report, **RECIPE, **LEARNED)
    train(folder, **LEARNED)
    assert (timeless(folder), factors(folder)) == (timeless(straight), factors(straight))


def test_a_run_that_stopped_early_stops_again_at_once(folder: Path) -> None:
    train(folder, **STILL, early_stopping=2)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run_of(folder).glob("*[!config].*")}
    lines = train(folder, **STILL, early_stopping=2)
    assert lines[-2:] == [
        "Stopping early: 2 checkpoints were no better on valid than the one before them.",
        "Done training for 0.6 epochs, 6 steps.",
    ]
    assert not any("Step:" in line or "Checkpoint" in line for line in lines)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before
    assert "history.json" in {path.name for path in before}
    train(folder, **STILL, early_stopping=4)  # more patience goes on
    assert list_steps(run_of(folder)) == [2, 4, 6, 8, 10]


def test_without_patience_nothing_stops_and_nothing_is_halved(folder: Path) -> None:
    lines = train(folder, lrate=1e-30, num_steps=12)
    assert list_steps(run_of(folder)) == [2, 4, 6, 8, 10, 12]
    assert set(factors(folder)) == {1.0}
    assert not any("No better" in line or "Stopping" in line for line in lines)


def test_without_valid_nothing_stops_and_nothing_is_halved(tmp_path: Path) -> None:
    write_digits(tmp_path, {"train": 100})
    train(tmp_path, lrate=1e-30, num_steps=8, reduce_on_plateau=1, early_stopping=1)
    assert set(factors(tmp_path)) == {1.0}
    assert [(entry["step"], entry["valid"]) for entry in stored.read_history(run_of(tmp_path))] == [
        (2, None),
        (4, None),
        (6, None),
        (8, None),
    ]


def test_a_run_that_gets_better_is_left_to_it(straight: Path) -> None:
    scores = [entry["valid"]["sequence_accuracy"] for entry in stored.read_history(run_of(straight))]
    best = scores.index(max(scores))
    assert 0 < best < 5
    assert factors(straight)[: best + 3] == [1.0] * (best + 2) + [0.5]


def test_the_history_holds_each_checkpoint(straight: Path) -> None:
    entries = json.loads((run_of(straight) / "history.json").read_text())
    assert [entry["step"] for entry in entries] == STEPS == list_steps(run_of(straight))
    seconds = np.array([0.0, *(entry["seconds"] for entry in entries)])
    assert np.all(np.diff(seconds) > 0)
    for entry in entries:
        assert entry.keys() == {"step", "seconds", "train", "valid"}
        assert entry["train"].keys() == entry["valid"].keys() == SCORES
        right = 20 * entry["train"]["sequence_accuracy"]  # two batches of ten
        assert right == pytest.approx(round(right))
    assert entries[-1]["train"]["loss"] < entries[0]["train"]["loss"]
    best = read_best(run_of(straight))
    (scores,) = (entry["valid"] for entry in entries if entry["step"] == best["step"])
    assert best == {"step": best["step"], **scores}


@pytest.mark.parametrize("step", [1, 14])
def test_an_interrupted_run_ends_like_one_that_was_not(straight: Path, folder: Path, step: int) -> None:
    train_until(folder, step, **LEARNED)
    assert [entry["step"] for entry in stored.read_history(run_of(folder))] == [done for done in STEPS if done < step]
    assert list_steps(run_of(folder)) == [done for done in STEPS if done < step]
    train(folder, **LEARNED)
    assert timeless(folder) == timeless(straight)
    assert factors(folder) == factors(straight)
    assert factors(folder)[-1] < 0.5
    own, expected = held(folder, LAST), held(straight, LAST)
    assert own.keys() == expected.keys()
    assert [name for name in own if not np.array_equal(own[name], expected[name])] == []
    seconds = [entry["seconds"] for entry in stored.read_history(run_of(folder))]
    assert np.all(np.diff(seconds) > 0)


def test_a_longer_run_goes_on_with_the_reduced_rate(finished: Path) -> None:
    before = factors(finished)[-1]
    train(finished, **{**LEARNED, "num_steps": LAST + 2, "reduce_on_plateau": 0})
    assert factors(finished)[-2:] == [before, before]
    assert [entry["step"] for entry in stored.read_history(run_of(finished))] == [*STEPS, LAST + 2]


def test_entries_past_the_step_that_was_restored_are_dropped(straight: Path, finished: Path) -> None:
    for step in STEPS[-3:]:
        damage(finished, step)
    train_until(finished, LAST - 3, **LEARNED)  # one checkpoint on from the one that was restored
    assert [entry["step"] for entry in stored.read_history(run_of(finished))] == STEPS[:-2]
    assert timeless(finished) == timeless(straight)[:-2]
    damage(finished, STEPS[-3])
    lines = train(finished, **LEARNED)
    assert f"Restored model from: {run_of(finished)}/ckpt-{STEPS[-4]}" in lines
    assert timeless(finished) == timeless(straight)
    assert factors(finished) == factors(straight)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[{",
        b"null",
        b"7",
        b'"text"',
        b"[1, 2]",
        b"[{}]",
        b'[{"step": 18}]',
        b'[{"step": "x", "seconds": 1, "train": null, "valid": null}]',
        b'[{"step": 18, "seconds": null, "train": null, "valid": null}]',
        b"\xff\xfe",
    ],
)
def test_a_damaged_history_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "history.json").write_bytes(content)
    with pytest.raises(UserError, match=rf"^{tmp_path}/history.json is damaged \(.+\): .*svhn train"):
        stored.read_history(tmp_path)


@pytest.mark.parametrize(
    ("step", "way", "signum"),
    [
        (LAST, signal.SIGINT, signal.SIGINT),  # else compare would go on with the next model
        (LAST - 1, signal.SIGHUP, signal.SIGHUP),
        (LAST - 1, BrokenPipeError(), signal.SIGPIPE),
    ],
)
def test_every_way_to_stop_leaves_a_checkpoint(
    tmp_path: Path, step: int, way: signal.Signals | OSError, signum: signal.Signals
) -> None:
    write_digits(tmp_path)

    def report(line: str) -> None:
        if f"Step: {step:5}," in line:
            if isinstance(way, OSError):
                raise way
            signal.raise_signal(way)

    with pytest.raises(Interrupted) as stopped:
        train_run(tmp_path, report, **RECIPE, **LEARNED)
    assert stopped.value.signum == signum
    assert list_steps(run_of(tmp_path))[-1] == step
    assert train(tmp_path, **LEARNED)[-1].startswith("Done training")


def test_a_signal_to_another_worker_is_heard_also_in_the_last_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_digits(tmp_path)
    said: list[str] = []
    monkeypatch.setattr(
        distribute, "make_any_reduce", lambda _strategy: lambda own: own or said[-1].startswith("Done training")
    )
    with pytest.raises(Interrupted) as stopped:
        train_run(tmp_path, said.append, **RECIPE, **LEARNED)
    assert stopped.value.signum == signal.SIGTERM


def test_a_run_whose_checkpoints_were_deleted_is_forgotten(tmp_path: Path) -> None:
    write_digits(tmp_path)
    run_of(tmp_path).mkdir(parents=True)
    (run_of(tmp_path) / "best.json").write_text(json.dumps({"step": STEPS[0], "sequence_accuracy": 2.0, "loss": 0.0}))
    train(tmp_path, **LEARNED)
    assert read_best(run_of(tmp_path))["sequence_accuracy"] <= 1


def test_a_run_past_its_last_step_says_where_it_stands(tmp_path: Path) -> None:
    write_digits(tmp_path)
    train(tmp_path, **LEARNED)
    lines = train(tmp_path, **{**LEARNED, "num_steps": LAST - 3})
    assert lines[-1].endswith(f", {LAST} steps.")
