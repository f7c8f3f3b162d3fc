"""What a training that was killed, or whose files were damaged, left undone: the same command makes up for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from support.digit_records import paths_of, train_run, write_digits
from support.shelf import copy_run

from svhn.runs.steps import list_steps, mark_best, read_best
from svhn.runs.stored import read_history
from svhn.training.ledger import Ledger
from svhn.training.loop import Loop

ACCURACIES = {2: 0.2, 4: 0.9, 6: 0.3, 8: 0.4, 10: 0.5}  # on valid
BEST, LAST = 4, 8
RECIPE = {
    "model": "shallow",
    "batch_size": 10,
    "average": 0.0,
    "checkpoint_every": 2,
    "num_steps": LAST,
    "max_to_keep": 1,
}
OPERATIONS = 5  # on the run's folder at the checkpoint `BEST`: history, checkpoint, mark, and two files of checkpoint 2


class Killed(BaseException):
    """What a kill is, within a process."""


def fix_scores(patched: pytest.MonkeyPatch) -> None:
    """Let the accuracies on valid be `ACCURACIES`, whatever the weights."""

    def score(_: Loop, step: int) -> dict[str, float]:
        names = ("sequence_accuracy", "digit_accuracy", "length_accuracy")
        return {"loss": 1.0, **dict.fromkeys(names, ACCURACIES[step])}

    patched.setattr(Loop, "_score_on_valid", score)
    patched.setattr(Loop, "_score_checkpoint", score)


@pytest.fixture(autouse=True)
def known_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    fix_scores(monkeypatch)


def train(folder: Path, **given: Any) -> list[str]:
    """Train the run `demo`; returns what was said."""
    lines: list[str] = []
    train_run(folder, lines.append, **{**RECIPE, **given})
    return lines


def run_of(folder: Path) -> Path:
    return paths_of(folder).run_folder


def describe(folder: Path) -> tuple[set[str], dict[str, Any], list[tuple[int, float]]]:
    """The names of a run's files, its best checkpoint, and the history's steps and accuracies."""
    run = run_of(folder)
    entries = [(entry["step"], entry["valid"]["sequence_accuracy"]) for entry in read_history(run)]
    return {path.name for path in run.iterdir()}, read_best(run), entries


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    write_digits(folder)
    with pytest.MonkeyPatch.context() as patched:
        fix_scores(patched)
        train(folder)
    return folder


@pytest.fixture
def folder(undisturbed: Path, tmp_path: Path) -> Path:
    """The records alone."""
    return copy_run(undisturbed, tmp_path, "checkpoints", "logs")


@pytest.fixture
def finished(undisturbed: Path, tmp_path: Path) -> Path:
    return copy_run(undisturbed, tmp_path, "logs")


def die_at_operation(patched: pytest.MonkeyPatch, number: int) -> list[str]:
    """Be killed in place of this operation on the run's folder, counted from the checkpoint `BEST`; lists them all."""
    begun: list[str] = []
    save = Ledger.save

    def save_and_count(self: Ledger, checkpoint: tf.train.Checkpoint, step: int, max_to_keep: int) -> bool:
        if step == BEST:
            for place, name in ((Path, "replace"), (Path, "unlink"), (tf.train.Checkpoint, "write")):
                patched.setattr(place, name, make_deadly(name, getattr(place, name)))
        is_best = save(self, checkpoint, step, max_to_keep)
        if step == BEST:
            raise Killed
        return is_best

    def make_deadly(name: str, own: Any) -> Any:
        def operate(*args: Any, **options: Any) -> Any:
            begun.append(name)
            if len(begun) >= number:  # also what would clear up after an error: nothing does after a kill
                raise Killed
            return own(*args, **options)

        return operate

    patched.setattr(Ledger, "save", save_and_count)
    return begun


@pytest.mark.parametrize("number", [3, 5, *(pytest.param(each, marks=pytest.mark.slow) for each in (1, 2, 4, 6))])
def test_a_kill_at_any_moment_of_a_checkpoint_is_made_up_for(undisturbed: Path, folder: Path, number: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        begun = die_at_operation(patched, number)
        with pytest.raises(Killed):
            train(folder)
    if number > OPERATIONS:
        assert len(begun) == OPERATIONS
    train(folder)
    assert describe(folder) == describe(undisturbed)
    assert read_best(run_of(folder))["step"] == BEST


def test_a_finished_run_is_left_as_it_is(finished: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run_of(finished).glob("*[!config].*")}
    lines = train(finished)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before
    assert not any("best.json" in line or "history.json" in line for line in lines)


@pytest.mark.parametrize("content", [None, b"[{"])
@pytest.mark.parametrize("name", ["history.json", "best.json"])
def test_a_file_that_is_lost_or_damaged_is_made_anew(
    undisturbed: Path, finished: Path, name: str, content: bytes | None
) -> None:
    run, aside = run_of(finished), set()
    (run / name).unlink()
    if content is not None:
        (run / name).write_bytes(content)
        aside = {f"{name}.damaged"}
    lines = train(finished)
    names, best, entries = describe(undisturbed)
    kept = {path.stem for path in run.glob("ckpt-*.index")}
    if name == "history.json":
        entries = [(step, accuracy) for step, accuracy in entries if f"ckpt-{step}" in kept]
    assert describe(finished) == (names | aside, best, entries)
    if content is not None:
        assert (run / f"{name}.damaged").read_bytes() == content
        assert any(line.startswith(f"{run / name} is damaged (") and f"{name}.damaged" in line for line in lines)


def test_the_best_is_not_pruned_before_it_is_known(finished: Path) -> None:
    """Without history and mark, the next checkpoint could pass for the best."""
    run = run_of(finished)
    (run / "history.json").write_text("[")
    (run / "best.json").write_text("{")
    train(finished, num_steps=LAST + 2)
    assert (read_best(run)["step"], list_steps(run)) == (BEST, [BEST, LAST + 2])


def test_the_scores_of_a_checkpoint_that_cannot_be_read_stay_unknown(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # real scores
    run = run_of(finished)
    for path in (run / "history.json", run / "best.json"):
        path.unlink()
    data = run / f"ckpt-{BEST}.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-200])
    lines = train(finished)
    assert any(line.startswith(f"{run}/ckpt-{BEST} can't be read") for line in lines)
    (entry,) = read_history(run)
    assert read_best(run) == {"step": LAST, **entry["valid"]}


def test_a_mark_of_a_checkpoint_that_cannot_be_read_is_taken_back(finished: Path) -> None:
    run = run_of(finished)
    mark_best(run, LAST, {"sequence_accuracy": 1.0})
    data = run / f"ckpt-{LAST}.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-200])
    train(finished, num_steps=BEST)  # nothing to do, so that the damaged checkpoint is not written anew
    assert read_best(run)["step"] == BEST
