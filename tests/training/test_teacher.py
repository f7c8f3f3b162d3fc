"""A run that learns from another: how much the other's readings count, and which runs can teach."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from support.digit_records import COUNTS, paths_of, pictures, train_run
from support.shelf import copy_run

from svhn import records
from svhn.config import Config
from svhn.run import Run
from svhn.runs import stored
from svhn.training import lr_finder

KINDS = ("records", "checkpoints", "results")
OPTIONS = {"model": "shallow", "batch_size": 10, "random_crop": False, "num_steps": 150, "lrate": 0.003}


@pytest.fixture(scope="module")
def school(digits_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run `demo`, which reads digits right, and records to train on whose labels are all wrong."""
    folder = copy_run(digits_run, tmp_path_factory.mktemp("school"))
    (path,) = records.get_shard_paths(folder / "records", "mnist", "train", 1)
    labels = np.arange(COUNTS["train"]) % 10
    encoded = (tf.io.encode_png(image).numpy() for image in pictures(labels))
    rows = zip(encoded, labels, strict=True)
    wrong = (records.serialize_example(image, str((label + 1) % 10), f"train/{label}") for image, label in rows)
    records.write_shard(path, wrong)
    return folder


def student(school: Path, folder: Path, **given: Any) -> float:
    """Accuracy on valid, whose labels are right, after training on wrong ones."""
    shutil.copytree(school, folder, dirs_exist_ok=True)
    train_run(folder, lambda _: None, **{**OPTIONS, "name": "student", "teacher": "demo", **given})
    return stored.read_history(paths_of(folder, "student").run_folder)[-1]["valid"]["sequence_accuracy"]


def test_a_teacher_alone_is_believed_against_all_labels(school: Path, tmp_path: Path) -> None:
    assert student(school, tmp_path, distillation=1.0) > 0.9


@pytest.mark.parametrize("other", [{"distillation": 0.0}, {"distillation": 1.0, "teacher": ""}], ids=str)
def test_without_a_share_or_a_teacher_the_labels_are(school: Path, tmp_path: Path, other: dict[str, Any]) -> None:
    assert student(school, tmp_path, **other) < 0.1


def test_the_learning_rate_is_looked_for_with_the_teacher(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The labels are wrong: the teacher's own weights, from which the sweep starts, agree with the teacher alone."""
    monkeypatch.setattr(lr_finder, "RATES", np.array([1e-9, 1e-9]))
    info = records.read_info(school / "records", "mnist")
    split = records.open_split(school / "records", info, "train")
    losses = {}
    for teacher in ("demo", ""):
        options = {"dataset": "mnist", "augment": False, **OPTIONS, "teacher": teacher, "distillation": 1.0}
        paths = paths_of(school, "student")
        run = Run(paths.run_folder, Config(**options, init_from="demo"), info)
        losses[teacher] = lr_finder.find_learning_rate(run, paths, split, print).losses[0]
    assert losses["demo"] < losses[""] - 1
