"""What a command says at its end holds: the checkpoint that it names is there and is read, wherever the run lies."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support.program import RECIPE, call, last_line, write_records
from support.shelf import copy_run

from svhn.runs import checkpoints
from svhn.runs.steps import list_steps
from svhn.training import loop

SUGGESTION = "Now score it: svhn test "
FLAGS = RECIPE[:-3]  # all but the number of steps and what depends on it
Train = Callable[..., None]


def save_step(folder: Path, step: int) -> None:
    checkpoints.save_checkpoint(folder, tf.train.Checkpoint(value=tf.Variable(tf.constant(1.0))), step)


def train_nothing(*_: object) -> None:
    """Say nothing and write nothing, as a run of no steps."""


def train_unscored(run: loop.Run, *_: object) -> None:
    save_step(run.folder, 3)


def train_in_vain(run: loop.Run, *_: object) -> None:
    """Leave a checkpoint that is damaged once it was read back."""
    save_step(run.folder, 3)
    data = run.folder / "ckpt-3.data-00000-of-00001"
    data.write_bytes(b"")


@pytest.mark.parametrize(("train", "suggested"), [(train_nothing, ""), (train_unscored, "--checkpoint=latest")])
def test_a_checkpoint_is_suggested_only_if_it_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, train: Train, suggested: str
) -> None:
    write_records(tmp_path / "records")
    monkeypatch.setattr(loop, "train_model", train)
    assert call(tmp_path) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(SUGGESTION) == bool(suggested)
    assert suggested in last


def test_a_checkpoint_that_can_not_be_read_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_records(tmp_path / "records")
    monkeypatch.setattr(loop, "train_model", train_in_vain)
    assert call(tmp_path) == 1
    ended = capsys.readouterr()
    assert "ckpt-3 can't be read" in ended.err
    assert SUGGESTION not in ended.out


@pytest.fixture(scope="module")
def odd(numbers_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run in a folder, and of a name, with letters that stand for others in patterns."""
    folder = copy_run(numbers_run, tmp_path_factory.mktemp("odd") / "a [1] *b? \\c", "logs", "results")
    (folder / "checkpoints/demo").rename(folder / "checkpoints/[0-9]?*")
    return folder


def test_an_odd_name_is_trained_on(odd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(shutil.copytree(odd, tmp_path / odd.name))
    assert call(folder, "--name=[0-9]?*", *FLAGS, "--num_steps=21") == 0
    output = capsys.readouterr().out
    assert f"Restored model from: {folder}/checkpoints/[0-9]?*/ckpt-20\n" in output
    assert SUGGESTION in output
    assert list_steps(folder / "checkpoints/[0-9]?*") == [8, 16, 20, 21]


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags",
    [
        ("--mode=valid", "--checkpoint=latest"),
        ("--mode=test", "--checkpoint=best"),
        ("--mode=report",),
        ("--mode=lr",),
        ("--mode=train", "--name=other", *FLAGS, "--num_steps=1", "--init_from=[0-9]?*", "--teacher=[0-9]?*"),
        ("--mode=compare", *FLAGS, "--dataset=svhn", "--num_steps=1"),
        ("--mode=export", "--format=onnx"),
        ("--mode=release",),
        ("--mode=read", "--engine=tensorflow", "PICTURE"),
    ],
)
def test_every_command_takes_odd_names(odd: Path, flags: tuple[str, ...]) -> None:
    picture = odd / "[p].png"
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(picture)
    assert call(odd, "--name=[0-9]?*", *(str(picture) if flag == "PICTURE" else flag for flag in flags)) == 0


def test_a_savedmodel_is_refused_where_tensorflow_could_not_load_it(
    odd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(odd, "--name=[0-9]?*", "--mode=export", "--format=savedmodel") == 1
    assert "--output" in last_line(capsys)
    assert not list(odd.rglob("*savedmodel*"))
    with pytest.raises(OSError, match="Failed to find any matching files"):
        save_and_load(tmp_path / "[1]")
    save_and_load(tmp_path / "*b?")


def save_and_load(folder: Path) -> None:
    module = tf.train.Checkpoint(value=tf.Variable(tf.constant(1.0)))
    tf.saved_model.save(module, str(folder))
    tf.saved_model.load(str(folder))
