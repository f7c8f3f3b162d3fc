"""The benchmark that tells turned digits apart: what was read in each, beside the angle it was drawn at."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.digit_records import paths_of
from support.mnist_fixtures import write_idx

from benchmarks import rotation
from svhn import records
from svhn.config import Paths
from svhn.datasets import mnist_stacked
from svhn.datasets.mnist_stacked import MAX_ROTATION, MNIST_STACKED
from svhn.errors import UserError
from svhn.evaluation import score
from svhn.reporting import analysis
from svhn.runs import load, stored
from svhn.training import loop
from svhn.wrangle import convert

COUNTS = {"train": 40, "valid": 12, "test": 25}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist_stacked, "PICTURES", COUNTS)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """Of a run that has seen a step of rows of digits of noise."""
    folder = tmp_path_factory.mktemp("rotation")
    (folder / "data").mkdir()
    options = convert.Options(MNIST_STACKED.size, MNIST_STACKED.margin)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mnist_stacked, "PICTURES", COUNTS)
        convert.convert_dataset(MNIST_STACKED, write_idx(folder / "data"), folder / "records", list(COUNTS), options)
    paths = dataclasses.replace(paths_of(folder), data_dir=str(folder / "data"))
    info = records.read_info(paths.records_dir, "mnist_stacked")
    run = stored.begin_run(paths.run_folder, {"dataset": "mnist_stacked", "model": "shallow", "num_steps": 1}, info)
    loop.train_model(run, paths, lambda _: None)
    return paths


def test_each_digit_has_its_angle_and_whether_it_was_read(trained: Paths) -> None:
    found = list(rotation.read_digits(trained))
    assert (
        MAX_ROTATION > max(degrees for degrees, _ in found) > 0 > min(degrees for degrees, _ in found) > -MAX_ROTATION
    )
    info = records.read_info(trained.records_dir, "mnist_stacked")
    run = stored.open_run(trained.run_folder, {}, info, "score")
    model = load.load_trained_model(run, 1)
    split = records.open_split(trained.records_dir, info, "test")
    drawn = {entry.name: entry.source.degrees for entry in MNIST_STACKED.entries(Path(trained.data_dir), "test", 0)}
    expected = np.concatenate([drawn[name] for name, _ in analysis.list_labels(split)])
    assert [degrees for degrees, _ in found] == expected.tolist()
    digits = score.make_scorer(load.freeze_model(model), run, split)("")["digit_accuracy"]
    assert np.mean([right for _, right in found]) == pytest.approx(digits)
    assert 0 < digits < 1


def test_rows_that_are_drawn_in_another_way_are_refused(trained: Paths, tmp_path: Path) -> None:
    paths = dataclasses.replace(trained, records_dir=str(tmp_path / "records"))
    shutil.copytree(trained.records_dir, paths.records_dir)
    info = records.read_info(paths.records_dir, "mnist_stacked")
    records.write_info(paths.records_dir, dataclasses.replace(info, seed=1))
    with pytest.raises(UserError, match=r"test/\d+: .* run `svhn wrangle --dataset=mnist_stacked`"):
        list(rotation.read_digits(paths))
