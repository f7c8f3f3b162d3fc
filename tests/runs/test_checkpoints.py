"""A run's checkpoints: which there are, which is best, and what becomes of damaged ones."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from svhn.errors import UserError
from svhn.runs import checkpoints
from svhn.runs.steps import list_steps, mark_best, read_best, resolve_step, resolve_steps
from svhn.runs.stored import begin_run
from svhn.spec import Info

DATA = "data-00000-of-00001"  # the end of the name of a checkpoint's weights
INFO = Info("svhn", (57, 95), 0.3, 3, 5, "jpeg", {"train": [9]}, {}, {}, {"train": "ab"}, seed=0)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "demo"


def make_model() -> keras.Model:
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(40), keras.layers.Dense(2)])


def fill(model: keras.Model, value: float) -> None:
    model.set_weights([np.full_like(weight, value) for weight in model.get_weights()])


def value_of(model: keras.Model) -> float:
    """What all weights of the model are; nan if they differ."""
    values = np.concatenate([weight.ravel() for weight in model.get_weights()])
    return float(values[0]) if np.all(values == values[0]) else float("nan")


def save_steps(run: Path, *steps: int) -> tuple[keras.Model, tf.train.Checkpoint]:
    """Checkpoints whose weights all are their step; returns the model and its checkpoint, then all -1."""
    run.mkdir(parents=True, exist_ok=True)
    model = make_model()
    checkpoint = tf.train.Checkpoint(average=model, step=tf.Variable(tf.constant(0, tf.int64)))
    for step in steps:
        fill(model, step)
        checkpoint.step.assign(step)
        checkpoints.save_checkpoint(run, checkpoint, step)
    fill(model, -1)
    checkpoint.step.assign(-1)
    return model, checkpoint


def touch(run: Path, *steps: int) -> None:
    """The files of checkpoints, empty."""
    run.mkdir(parents=True, exist_ok=True)
    for step in steps:
        for suffix in ("index", DATA):
            (run / f"ckpt-{step}.{suffix}").touch()


def test_checkpoints_are_chosen_by_name_or_step(run: Path) -> None:
    touch(run, 100, 20, 3)
    assert list_steps(run) == [3, 20, 100]
    assert resolve_steps(run, "all") == [3, 20, 100]
    assert resolve_steps(run, "latest") == [100]
    assert resolve_steps(run, "20") == [20]
    mark_best(run, 3, {"sequence_accuracy": 0.5})
    assert resolve_steps(run, "best") == [3]


@pytest.mark.parametrize("which", ["best", "4", "newest", "-3", ""])
def test_an_unknown_checkpoint_is_answered_with_those_there_are(run: Path, which: str) -> None:
    touch(run, 3, 20)
    with pytest.raises(UserError) as error:
        resolve_steps(run, which)
    expected = "expected all, latest, best (once valid was scored) or one of [3, 20]"
    assert str(error.value) == f"--checkpoint={which}: {expected}"


@pytest.mark.parametrize("which", ["all", "best", "latest", "1"])
def test_a_run_without_checkpoints_says_so(run: Path, which: str) -> None:
    begin_run(run, {}, INFO)
    with pytest.raises(UserError, match=f"{run} has no checkpoint yet: train with `svhn train"):
        resolve_steps(run, which)


def test_pruning_keeps_the_newest_and_the_best(run: Path) -> None:
    touch(run, 1, 2, 10, 11, 20)
    mark_best(run, 2, {"sequence_accuracy": 0.5})
    checkpoints.prune_checkpoints(run, 5, 20)
    assert list_steps(run) == [1, 2, 10, 11, 20]
    checkpoints.prune_checkpoints(run, 2, 20)
    assert list_steps(run) == [2, 11, 20]
    assert sorted({path.name.split(".")[0] for path in run.glob("ckpt-*")}) == ["ckpt-11", "ckpt-2", "ckpt-20"]


def test_pruning_works_where_nothing_was_scored(run: Path) -> None:
    touch(run, 1, 2, 10)
    checkpoints.prune_checkpoints(run, 1, 10)
    assert list_steps(run) == [10]


def test_pruning_takes_no_later_checkpoint_for_the_newest(run: Path) -> None:
    touch(run, 1, 2, 20)  # 20 can't be read: training goes on from 2
    checkpoints.prune_checkpoints(run, 1, 2)
    assert list_steps(run) == [2, 20]


def test_what_is_left_of_incomplete_checkpoints_is_removed_and_named(run: Path) -> None:
    touch(run, 1, 2, 3, 4)
    (run / "ckpt-2.index").unlink()  # half-deleted, or half-written
    (run / "ckpt-3.data-00000-of-00001").unlink()
    (run / "ckpt-4_temp").mkdir()
    (run / "ckpt-4.data-00000-of-00001.tempstate123").touch()
    (run / "ckpt-5_temp").mkdir()
    (run / "ckpt-6.npz").touch()
    (run / "ckpt-1.index.bak").touch()  # the user's, as the next two
    (run / "ckpt-2.index.bak").touch()
    (run / "ckpt-7.txt").touch()
    lines: list[str] = []
    checkpoints.remove_leftovers(run, lines.append)
    left = {path.name for path in run.iterdir()}
    own = {"ckpt-1.index.bak", "ckpt-2.index.bak", "ckpt-7.txt"}
    assert left == {"ckpt-6.npz", *own, *(f"ckpt-{step}.{end}" for step in (1, 4) for end in ("index", DATA))}
    assert [line.split(",")[0] for line in lines] == [f"Removed what was left of checkpoint {step}" for step in (2, 3)]


@pytest.mark.parametrize("content", ["", "[", "[]", "7"])
def test_a_damaged_mark_is_named_where_the_best_is_asked_for(run: Path, content: str) -> None:
    touch(run, 1, 2)
    (run / "best.json").write_text(content)
    for which in ("best", ""):
        with pytest.raises(UserError, match=rf"^{run}/best.json is damaged \(.+\): .*svhn train --name=demo"):
            resolve_step(run, which)
    assert [resolve_step(run, which) for which in ("latest", "1")] == [2, 1]


def test_only_a_better_checkpoint_becomes_the_best(run: Path) -> None:
    touch(run, 1, 2, 3, 4)
    marked = [mark_best(run, step, {"sequence_accuracy": value}) for step, value in enumerate((0, 0.5, 0.5), 1)]
    assert marked == [True, True, False]
    assert read_best(run) == {"step": 2, "sequence_accuracy": 0.5}
    assert not mark_best(run, 4, {"sequence_accuracy": 0.49})
    assert mark_best(run, 4, {"sequence_accuracy": 0.51, "loss": 1.0})
    assert read_best(run) == {"step": 4, "sequence_accuracy": 0.51, "loss": 1.0}


def test_of_checkpoints_that_read_as_many_the_surer_one_is_the_best(run: Path) -> None:
    touch(run, 1, 2, 3, 4)
    losses = enumerate((0.3, 0.2, 0.2, 0.25), 1)
    marked = [mark_best(run, step, {"sequence_accuracy": 0.5, "loss": loss}) for step, loss in losses]
    assert marked == [True, True, False, False]
    assert read_best(run)["step"] == 2
    assert not mark_best(run, 3, {"sequence_accuracy": 0.4, "loss": 0.1})


def test_a_best_checkpoint_that_is_gone_is_not_the_best(run: Path) -> None:
    touch(run, 1, 2)
    mark_best(run, 1, {"sequence_accuracy": 0.9})
    checkpoints.delete_checkpoint(run, 1)
    assert read_best(run) == {}
    assert mark_best(run, 2, {"sequence_accuracy": 0.1})


def test_the_newest_checkpoint_is_restored(run: Path) -> None:
    model, checkpoint = save_steps(run, 9, 10)
    lines: list[str] = []
    assert checkpoints.restore_latest(run, checkpoint, lines.append) == 10
    assert (value_of(model), int(checkpoint.step)) == (10, 10)
    assert lines == [f"Restored model from: {run}/ckpt-10"]


def test_without_checkpoints_nothing_is_restored(run: Path) -> None:
    model, checkpoint = save_steps(run)
    lines: list[str] = []
    assert checkpoints.restore_latest(run, checkpoint, lines.append) == 0
    assert (value_of(model), lines) == (-1, [])


def data_file(run: Path, step: int) -> Path:
    return run / f"ckpt-{step}.data-00000-of-00001"


def truncate_data(run: Path, step: int) -> None:
    path = data_file(run, step)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty_data(run: Path, step: int) -> None:
    data_file(run, step).write_bytes(b"")


def delete_data(run: Path, step: int) -> None:
    data_file(run, step).unlink()


def flip_data(run: Path, step: int) -> None:
    content = bytearray(data_file(run, step).read_bytes())
    content[100] ^= 1  # of a kernel
    data_file(run, step).write_bytes(content)


def garble_index(run: Path, step: int) -> None:
    (run / f"ckpt-{step}.index").write_bytes(b"garbage" * 50)


def empty_index(run: Path, step: int) -> None:
    (run / f"ckpt-{step}.index").write_bytes(b"")


def truncate_index(run: Path, step: int) -> None:
    path = run / f"ckpt-{step}.index"
    path.write_bytes(path.read_bytes()[:-20])


Spoil = Callable[[Path, int], None]
every_damage = pytest.mark.parametrize(
    "spoil", [truncate_data, empty_data, delete_data, flip_data, garble_index, empty_index, truncate_index]
)


@every_damage
def test_a_damaged_checkpoint_is_said_and_the_one_before_it_taken(run: Path, spoil: Spoil) -> None:
    model, checkpoint = save_steps(run, 1, 2)
    spoil(run, 2)
    lines: list[str] = []
    assert checkpoints.restore_latest(run, checkpoint, lines.append) == 1
    assert (value_of(model), int(checkpoint.step)) == (1, 1)
    assert lines[0].startswith(f"{run}/ckpt-2 can't be read")
    assert lines[1:] == [f"Restored model from: {run}/ckpt-1"]
    assert list_steps(run) == [1, 2]


@every_damage
def test_where_all_are_damaged_the_model_stays_as_it_was(run: Path, spoil: Spoil) -> None:
    model, checkpoint = save_steps(run, 1)
    spoil(run, 1)
    lines: list[str] = []
    with pytest.raises(UserError, match=rf"none of the checkpoints in {run} can be read.* another --name"):
        checkpoints.restore_latest(run, checkpoint, lines.append)
    assert (value_of(model), int(checkpoint.step)) == (-1, -1)
    assert len(lines) == 1


@every_damage
def test_weights_of_a_damaged_checkpoint_are_refused(run: Path, spoil: Spoil) -> None:
    model, _ = save_steps(run, 1, 2)
    spoil(run, 2)
    with pytest.raises(UserError, match=rf"^{run}/ckpt-2 can't be read \(.+\).* with --checkpoint, .* another --name"):
        checkpoints.load_weights(run, model, 2)
    checkpoints.load_weights(run, model, 1)
    assert value_of(model) == 1


def test_a_checkpoint_of_another_model_is_refused(run: Path) -> None:
    save_steps(run, 1)
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(7)])
    with pytest.raises(UserError, match="can't be read"):
        checkpoints.load_weights(run, other, 1)


def test_a_checkpoint_without_its_index_is_none(run: Path) -> None:
    model, checkpoint = save_steps(run, 1, 2)
    (run / "ckpt-2.index").unlink()
    (run / "ckpt-3.data-00000-of-00001.tempstate123").write_bytes(b"")
    lines: list[str] = []
    assert checkpoints.restore_latest(run, checkpoint, lines.append) == value_of(model) == 1
    assert lines == [f"Restored model from: {run}/ckpt-1"]


def write_single_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def write_huge_array(path: Path) -> None:
    """An .npz of a few bytes, whose array says that it has 36 TiB."""
    with zipfile.ZipFile(path, "w") as archive, archive.open("arr_0.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**13,)})


@pytest.mark.parametrize("write", [write_single_array, write_huge_array])
def test_released_weights_that_are_no_weights_are_refused(run: Path, write: Callable[[Path], None]) -> None:
    run.mkdir(parents=True)
    write(run / "ckpt-7.npz")
    with pytest.raises(UserError, match=r"ckpt-7 can't be read .* --checkpoint"):
        checkpoints.load_weights(run, make_model(), 7)


@pytest.mark.parametrize("name", ["run [1]", "a[b", "a*b", "a?b", "a\\b", "[!a]*?{b,c}"])
def test_a_folder_named_like_a_pattern_is_read(tmp_path: Path, name: str) -> None:
    run = tmp_path / name
    model, checkpoint = save_steps(run, 1, 2)
    assert checkpoints.restore_latest(run, checkpoint, print) == value_of(model) == 2
    checkpoints.load_weights(run, model, 1)
    assert value_of(model) == 1


def test_a_folder_named_relatively_like_a_pattern_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model, checkpoint = save_steps(Path("[1]"), 1)
    assert checkpoints.restore_latest(Path("[1]"), checkpoint, print) == value_of(model) == 1


@every_damage
def test_a_checkpoint_is_read_back_when_it_is_written(run: Path, monkeypatch: pytest.MonkeyPatch, spoil: Spoil) -> None:
    save_steps(run, 1)
    own = tf.train.Checkpoint.write

    def write(checkpoint: tf.train.Checkpoint, path: str) -> str:
        written = own(checkpoint, path)
        spoil(run, 2)
        return written

    monkeypatch.setattr(tf.train.Checkpoint, "write", write)
    with pytest.raises(UserError, match=rf"^{run}/ckpt-2 can't be read back \(.+\): .* --checkpoints_dir"):
        save_steps(run, 2)
