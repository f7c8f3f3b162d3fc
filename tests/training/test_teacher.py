"""A run that learns from another: how much the other's readings count, and which runs can teach."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from support.digit_records import COUNTS, make_info, paths_of, pictures, train_run
from support.shelf import copy_run

from svhn import records
from svhn.cli import flags
from svhn.config import Config
from svhn.errors import UserError
from svhn.models.losses import Network
from svhn.run import Run
from svhn.runs import checkpoints, stored
from svhn.spec import Info
from svhn.training import lr_finder
from svhn.training.teacher import load_teacher

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
    """The labels are wrong: a new network agrees with neither, a network of the teacher's weights with the teacher."""
    losses = {}
    for teacher in ("demo", ""):
        options = {"dataset": "mnist", "augment": False, **OPTIONS, "teacher": teacher, "distillation": 1.0}
        info = records.read_info(school / "records", "mnist")
        split = records.open_split(school / "records", info, "train")
        monkeypatch.setattr(lr_finder, "RATES", np.array([1e-9, 1e-9]))
        monkeypatch.setattr(checkpoints, "restore_latest", restore_teacher)
        paths = paths_of(school, "student")
        run = Run(paths.run_folder, Config(**options), info)
        swept = lr_finder.find_learning_rate(run, paths, split, print)
        losses[teacher] = swept.losses[0]
    assert losses["demo"] < losses[""] - 1


def restore_teacher(run: Path, checkpoint: tf.train.Checkpoint, _report: object) -> int:
    checkpoint.read(str(run.with_name("demo") / "ckpt-60")).expect_partial()
    return 0


def teach(folder: Path, name: str, info: Info | None = None, **options: Any) -> Network | None:
    config = Config(**{"dataset": "mnist", **OPTIONS, "teacher": name, **options})
    return load_teacher(Run(Path(), config, info or make_info()), paths_of(folder, "student"))


def test_a_teacher_is_as_sure_as_its_temperature_says(school: Path) -> None:
    images = tf.constant(pictures(np.arange(10)), tf.float32)
    teacher, released = teach(school, "demo"), school / "checkpoints/given"
    flags.main(["main.py", "--name=demo", "--mode=release", *(f"--{kind}_dir={school}/{kind}" for kind in KINDS)])
    shutil.copytree(school / "results/demo/released", released)
    temperature = stored.read_config(released)["config"]["temperature"]
    sure = teach(school, "given")
    assert teacher
    assert sure
    assert temperature != 1
    expected = teacher(images)["digits"] / temperature
    np.testing.assert_allclose(sure(images)["digits"], expected, rtol=0.05, atol=0.1)  # its kernels are in float16


def test_a_run_of_an_earlier_version_can_teach(school: Path, tmp_path: Path) -> None:
    """It was trained on JPEGs decoded otherwise, and gets the pictures of the run that it teaches."""
    folder = copy_run(school, tmp_path)
    path = folder / "checkpoints/demo/config.json"
    content = json.loads(path.read_text())
    del content["config"]["exact_jpeg"]
    path.write_text(json.dumps({**content, "schema": 2}))
    assert not stored.read_config(path.parent)["config"]["exact_jpeg"]
    images = tf.constant(pictures(np.arange(10)), tf.float32)
    before, now = teach(school, "demo"), teach(folder, "demo", exact_jpeg=True)
    assert before
    assert now
    np.testing.assert_array_equal(now(images)["digits"], before(images)["digits"])


def test_no_teacher_unless_named(school: Path) -> None:
    assert teach(school, "") is None


@pytest.mark.parametrize(
    ("name", "info", "options", "message"),
    [
        ("nobody", {}, {}, "nobody holds no run: train one with"),
        ("student", {}, {}, "--teacher=student: a run can't teach itself"),
        (
            "demo",
            {},
            {"random_crop": True},
            "random_crop=False (now True): train with its options and records",
        ),
        ("demo", {"margin": 0.1}, {}, "--teacher=demo is a run with margin=0.0 (now 0.1): train with its"),
        ("demo", {"max_length": 2, "fixed_length": False}, {}, "max_length=1 (now 2), fixed_length=True (now False): "),
        ("demo", {"seed": 7}, {}, "--teacher=demo is a run with wrangle_seed=0 (now 7): train"),
        (
            "demo",
            {"splits": {"train": [7], "valid": [8]}},
            {},
            f"train={COUNTS['train']} (now 7), valid={COUNTS['valid']} (now 8): train",
        ),
        ("demo", {}, {"model": "svm"}, "--model=svm is fitted at once and can't be taught: leave out --teacher"),
    ],
    ids=["unknown", "itself", "crop", "margin", "length", "draw", "counts", "fitted"],
)
def test_who_cannot_teach_is_told_why(
    school: Path, name: str, info: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as error:
        teach(school, name, dataclasses.replace(make_info(), **info), **options)
    assert message in str(error.value)


def test_a_teacher_of_another_data_set_may_have_another_draw(school: Path) -> None:
    assert teach(school, "demo", dataclasses.replace(make_info(), dataset="synthetic", seed=7))


@pytest.mark.parametrize("options", [{"distillation": 1.1}, {"distillation": -0.1}, {"teacher": "../demo"}], ids=str)
def test_options_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=f"--{next(iter(options))}="):
        Config(**options)
