"""Readings of pictures without labels, and Kaggle's file of them."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.digit_records import make_info, paths_of, pictures
from support.program import call, last_line
from support.shelf import copy_run

from svhn.config import Config
from svhn.errors import UserError
from svhn.labels import Number
from svhn.reading import crops, submission
from svhn.reading.engine import Network, load_network, wrap_tensorflow
from svhn.run import Run
from svhn.runs import load
from svhn.runs.stored import make_config, read_run_info
from svhn.spec import Info

LABELS = np.arange(23) * 7 % 10


def new_readings(batch_size: int, info: Info, count: int, **options: object) -> list[Number]:
    """Those of a model that was not trained."""
    config = make_config({"model": "shallow", "batch_size": batch_size, **options})
    model = load.build_model(Run(Path(), config, info))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.1, weight.shape) for weight in model.get_weights()])
    images = np.random.default_rng(1).integers(0, 256, (count, *info.size, info.channels), np.uint8)
    return list(crops.read_crops(wrap(model, config, info), images, batch_size))


def wrap(model: Any, config: Config, info: Info) -> Network:
    return wrap_tensorflow("demo", Run(Path(), config, info), model, locates=False)


def write_pixels(path: Path, images: np.ndarray, spoilt_row: int = -1) -> Path:
    header = [f"pixel{index}" for index in range(images[0].size)]
    rows = images.reshape(len(images), -1).astype(str).tolist()
    if spoilt_row >= 0:
        rows[spoilt_row][3] = "256"
    path.write_text("".join(",".join(row) + "\n" for row in [header, *rows]))
    return path


def read_submission(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def trained(digits_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run `demo`, which reads all it is shown, and without records."""
    return copy_run(digits_run, tmp_path_factory.mktemp("predict"), "records")


def submit(trained: Path, source: Path, target: Path) -> int:
    network = load_network(paths_of(trained), {}, "", "tensorflow")
    return submission.write_submission(network, source, target)


@pytest.mark.parametrize("max_length", [1, 4])
def test_readings_do_not_depend_on_the_batch_size(max_length: int) -> None:
    info = make_info(max_length=max_length, fixed_length=max_length == 1)
    found = [new_readings(size, info, count=23) for size in (1, 3, 64)]
    texts = [[reading.text for reading in readings] for readings in found]
    assert texts[0] == texts[1] == texts[2]
    assert len(texts[0]) == 23
    assert len(set(texts[0])) > 2
    confidences = [[reading.confidence for reading in readings] for readings in found]
    np.testing.assert_allclose(confidences[1:], [confidences[0]] * 2, rtol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7])
def test_every_picture_is_read_once(count: int) -> None:
    assert len(new_readings(3, make_info(), count)) == count


def test_pictures_are_cropped_and_gray_as_the_run_is() -> None:
    info = make_info(channels=3)
    found = new_readings(4, info, 5, random_crop=True, grayscale=True)
    assert len(found) == 5


def test_pictures_are_read_as_they_come() -> None:
    taken = 0

    def images() -> object:
        nonlocal taken
        for image in pictures(LABELS):
            taken += 1
            yield image

    config = Config(model="shallow", random_crop=False, batch_size=4)
    model = load.build_model(Run(Path(), config, make_info()))
    next(crops.read_crops(wrap(model, config, make_info()), images(), 4))  # type: ignore[arg-type]
    assert taken == 4


def test_a_submission_counts_from_one_in_the_files_order(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = write_pixels(tmp_path / "test.csv", pictures(LABELS, seed=5)), tmp_path / "deep/submission.csv"
    assert submit(trained, source, target) == 23
    expected = [[str(index), str(label)] for index, label in enumerate(LABELS, start=1)]
    assert read_submission(target) == [["ImageId", "Label"], *expected]
    once = target.read_bytes()
    for size in (1, 3, 64):
        monkeypatch.setattr(submission, "BATCH_SIZE", size)
        submit(trained, source, target)
        assert target.read_bytes() == once


def test_a_file_with_a_mistake_leaves_the_older_submission(trained: Path, tmp_path: Path) -> None:
    source = write_pixels(tmp_path / "test.csv", pictures(LABELS), spoilt_row=21)
    target = tmp_path / "submission.csv"
    target.write_text("older\n")
    with pytest.raises(UserError, match=r"test\.csv, line 23, column pixel3: '256', expected a whole number"):
        submit(trained, source, target)
    assert target.read_text() == "older\n"
    assert {path.name for path in tmp_path.iterdir()} == {"test.csv", "submission.csv"}


def test_what_is_read_is_not_written_over(trained: Path, tmp_path: Path) -> None:
    source = write_pixels(tmp_path / "test.csv", pictures(LABELS))
    before = source.read_bytes()
    with pytest.raises(UserError, match=r"^--output=.*test\.csv is .*name another file"):
        submit(trained, source, tmp_path / "." / "test.csv")
    assert source.read_bytes() == before


def test_a_run_of_longer_numbers_is_refused(tmp_path: Path) -> None:
    info = make_info(max_length=5, fixed_length=False)
    config = make_config({"model": "shallow"})
    network = wrap(load.build_model(Run(Path(), config, info)), config, info)
    with pytest.raises(UserError) as error:
        submission.write_submission(network, tmp_path / "test.csv", tmp_path / "out.csv")
    assert f"{tmp_path}/test.csv holds single digits" in str(error.value)
    assert "--name" in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_what_a_run_knows_of_its_records(trained: Path) -> None:
    assert read_run_info(paths_of(trained).run_folder).form == make_info().form


def test_the_mode_needs_no_records(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = write_pixels(tmp_path / "test.csv", pictures(LABELS, seed=5)), tmp_path / "mine.csv"
    assert call(trained, "read", str(source), "--name=demo", f"--output={target}") == 0
    assert capsys.readouterr().out == f"23 readings saved to {target}\n"
    assert [row[1] for row in read_submission(target)[1:]] == LABELS.astype(str).tolist()


def test_the_mode_needs_pictures(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(trained, "--mode=predict") == 2
    assert "svhn read door.jpg photos/" in last_line(capsys)


def test_a_run_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_pixels(tmp_path / "test.csv", pictures(LABELS))
    assert call(tmp_path, "read", "--name=none", str(source)) == 1
    assert re.search(f"{tmp_path}/checkpoints/none .*svhn train --name=none", last_line(capsys))


def test_a_file_that_is_not_there(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(trained, "read", "--name=demo", f"{tmp_path}/none.csv", f"--output={tmp_path}/mine.csv") == 1
    assert f"{tmp_path}/none.csv" in last_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_the_flag_of_the_version_before_reads_the_same(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = write_pixels(tmp_path / "test.csv", pictures(LABELS, seed=5)), tmp_path / "mine.csv"
    flags = ("--mode=predict", "--name=demo", f"--csv={source}", f"--output={target}")
    assert call(trained, *flags) == 0
    assert len(read_submission(target)) == len(LABELS) + 1
    assert f"svhn read {source}" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["folder", "new/", "table.parquet", "table"])
def test_the_output_of_pixels_is_checked_before_a_network_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    monkeypatch.setattr("svhn.reading.engine.load_network", pytest.fail)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    write_pixels(tmp_path / "test.csv", pictures(LABELS))
    assert call(tmp_path, "read", "test.csv", f"--output={output}") == 1
    line = last_line(capsys)
    assert f"--output={output}" in line
    assert "ends in .csv" in line
    assert {path.name for path in tmp_path.iterdir()} == {"test.csv", "folder"}


@pytest.mark.parametrize("more", [["door.jpg"], ["--images=door.jpg"], ["other.csv"], ["--annotate=copies"]])
def test_pixels_are_read_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    assert call(tmp_path, "read", "test.csv", *more) == 2
    assert "test.csv" in last_line(capsys)
    assert list(tmp_path.iterdir()) == []
