"""The support vector machine: as scikit-learn's own vote reads, in one checkpoint, and for single digits alone."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import pytest
from sklearn.multiclass import OneVsOneClassifier
from sklearn.svm import LinearSVC
from support.digit_records import pictures, train_run, write_digits

from svhn import records
from svhn.errors import UserError
from svhn.evaluation import score
from svhn.labels import EMPTY, NUM_CLASSES
from svhn.models import svm
from svhn.runs import load, stored
from svhn.runs.steps import list_steps, resolve_steps

SIZE = (8, 8)


@pytest.fixture(autouse=True)
def small_search(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SEARCH_EXAMPLES": 60, "FOLDS": 2, "DRAWS": 2}.items():
        monkeypatch.setattr(svm, name, value)


def fakes(
    count: int, noise: float, seed: int, digits: tuple[int, ...] = tuple(range(NUM_CLASSES))
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures float32 (count, 8, 8, 1) in 0…255, each one of ten patterns in noise, and their digits (count, 1)."""
    patterns = np.random.default_rng(0).uniform(0, 255, (NUM_CLASSES, *SIZE, 1))
    rng = np.random.default_rng(seed)
    labels = np.array(digits)[np.arange(count) % len(digits)]
    images = np.clip(patterns[labels] + rng.normal(0, noise, (count, *SIZE, 1)), 0, 255)
    return images.round().astype(np.float32), labels[:, np.newaxis].astype(np.int32)


def fitted(images: np.ndarray, digits: np.ndarray, seed: int = 0) -> keras.Model:
    model = svm.build((*SIZE, 1), max_length=1, lengths=0)
    svm.fit_svm(model, images, digits, seed)
    return model


def read(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.asarray(model(images)["digits"]).argmax(axis=-1)[:, 0]


def votes(images: np.ndarray, digits: np.ndarray, unseen: np.ndarray, c: float) -> np.ndarray:
    """What scikit-learn reads with that C."""
    machines = OneVsOneClassifier(LinearSVC(dual=cast(Any, False), tol=1e-3, random_state=0, C=c))
    return machines.fit(images.reshape(len(images), -1) / 255, digits[:, 0]).predict(
        unseen.reshape(len(unseen), -1) / 255
    )


def found(line: str) -> float:
    """The C that was found, as it was said."""
    return float(line.split()[2].rstrip(":"))


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> float:
    """A C that the search is made to find, as it is said with four figures only."""
    monkeypatch.setattr(svm, "search_regularization", lambda *_: (0.25, 0.9))
    return 0.25


@pytest.mark.parametrize("noise", [20.0, 200.0])  # what anyone can read; what leaves ties and mistakes
def test_it_reads_what_scikit_learn_reads(chosen: float, noise: float) -> None:
    images, digits = fakes(200, noise, seed=1)
    unseen, true = fakes(300, noise, seed=2)
    own, expected = read(fitted(images, digits), unseen), votes(images, digits, unseen, chosen)
    np.testing.assert_array_equal(own, expected)
    assert (noise < 100) == (expected == true[:, 0]).all()


@pytest.mark.parametrize("missing", [0, 4, 9])
def test_a_digit_that_never_occurs_is_never_read(chosen: float, missing: int) -> None:
    known = tuple(digit for digit in range(NUM_CLASSES) if digit != missing)
    images, digits = fakes(180, 200.0, seed=1, digits=known)
    unseen, _ = fakes(300, 200.0, seed=2)
    model = fitted(images, digits)
    own = read(model, unseen)
    assert set(own.tolist()) == set(known)
    np.testing.assert_array_equal(own, votes(images, digits, unseen, chosen))
    assert set(np.asarray(model(unseen)["digits"]).argmin(axis=-1).ravel().tolist()) == {missing}  # it loses every vote


def test_two_digits_are_enough(chosen: float) -> None:
    images, digits = fakes(40, 100.0, seed=1, digits=(3, 8))
    unseen, _ = fakes(60, 100.0, seed=2)
    np.testing.assert_array_equal(read(fitted(images, digits), unseen), votes(images, digits, unseen, chosen))


def test_the_search_says_what_it_found_and_the_seed_decides() -> None:
    images, digits = fakes(200, 60.0, seed=1)
    model = svm.build((*SIZE, 1), max_length=1, lengths=0)
    lines = [svm.fit_svm(model, images, digits, seed) for seed in (3, 3, 4)]
    assert lines[0] == lines[1] != lines[2]
    assert all(2**-7 <= found(line) <= 2**6 for line in lines)
    assert lines[0].endswith("on up to 60 examples")
    unseen, true = fakes(100, 60.0, seed=2)
    assert (read(model, unseen) == true[:, 0]).mean() > 0.95


def test_the_vote_comes_before_the_margins() -> None:
    """2 wins all its pairs narrowly; 7 loses to it and wins the others by far."""
    model = svm.build((*SIZE, 1), max_length=1, lengths=0)
    bias = np.array([margin(*pair) for pair in svm.PAIRS.tolist()], np.float32)
    model.get_layer("margins").set_weights([np.zeros((64, len(svm.PAIRS)), np.float32), bias])
    logits = np.asarray(model(np.zeros((1, *SIZE, 1), np.float32))["digits"])[0, 0]
    assert np.argsort(logits)[::-1][:2].tolist() == [2, 7]


def margin(first: int, second: int) -> float:
    """Above 0 for the second digit of the pair, below for the first."""
    if 2 in (first, second):
        return 0.01 if second == 2 else -0.01
    if 7 in (first, second):
        return 100.0 if second == 7 else -100.0
    return 0.0


@pytest.mark.parametrize("digits", [np.array([[1, 2], [3, 4]], np.int32), np.array([[1, EMPTY]] * 2)])
def test_numbers_of_several_digits_are_refused(digits: np.ndarray) -> None:
    images, _ = fakes(2, 0.0, seed=0)
    with pytest.raises(UserError) as error:
        fitted(images, digits)
    assert re.fullmatch(r"--model=svm reads single digits.* another --model .*", str(error.value))


@pytest.mark.parametrize("package", ["sklearn.multiclass", "sklearn.svm", "joblib"])
def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=r"scikit-learn: .*pip install -e '\.\[svm\]'"):
        fitted(*fakes(20, 0.0, seed=0))


def test_a_run_is_fitted_once_into_one_checkpoint(tmp_path: Path) -> None:
    info = write_digits(tmp_path)
    lines: list[str] = []
    run = train_run(tmp_path, lines.append, model="svm")
    folder = run.folder
    assert lines[:2] == ["Starting new train session", "Fitting..."]
    assert lines[2].startswith("C = ")
    assert "Checkpoint 1: valid loss " in lines[3]
    assert lines[3].endswith("Seq Acc: 1.0000, Dig Acc: 1.0000, the best so far")
    assert list_steps(folder) == resolve_steps(folder, "best") == [1]
    (entry,) = stored.read_history(folder)
    assert (entry["step"], entry["train"], entry["valid"]["sequence_accuracy"]) == (1, None, 1.0)

    before = {path: path.read_bytes() for path in folder.iterdir()}
    lines.clear()
    train_run(tmp_path, lines.append, model="svm")
    assert lines == [f"Restored model from: {folder}/ckpt-1", "Already fitted: another --name fits anew."]
    assert {path: path.read_bytes() for path in folder.iterdir()} == before

    for name in ("valid", "test"):
        split = records.open_split(tmp_path / "records", info, name)
        (row,) = score.score_checkpoints(run, split, [1], lines.append)
        assert row.scores["sequence_accuracy"] == 1.0


def test_the_weights_survive_the_checkpoint(tmp_path: Path) -> None:
    write_digits(tmp_path)
    run = train_run(tmp_path, lambda _: None, model="svm", average=0.9, batch_size=7)
    model = load.load_trained_model(run, 1)
    labels = np.arange(50) % 10
    np.testing.assert_array_equal(read(model, pictures(labels, seed=9).astype(np.float32)), labels)
