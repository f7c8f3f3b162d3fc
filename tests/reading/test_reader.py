"""The two networks that come with the package, on whole pictures, as a user calls them who has nothing else."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.networks import make_info
from support.numbered_wall import EXAMPLES, PLACES, SIZE, make_wall, place_box
from support.program import ROOT, call, last_line

import svhn
from benchmarks.helpers.wild.scores import measure_overlap
from svhn.confidence import estimate_confidence
from svhn.config import RELEASED, Paths
from svhn.datasets import format1
from svhn.datasets.synthetic import dataset
from svhn.labels import TOO_LONG
from svhn.pipeline import boxes
from svhn.reading import engine
from svhn.run import Run
from svhn.runs import stored
from svhn.runs.steps import list_steps, read_best

FINDER = RELEASED / "finder"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    dataset.render_split(folder / "test", 60, seed=11)
    return folder


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> svhn.Reader:
    return svhn.Reader.load(checkpoints_dir=tmp_path_factory.mktemp("none"))


def test_the_finder_is_small_and_its_card_has_its_scores_on_valid() -> None:
    (step,) = list_steps(FINDER)
    scores, card = read_best(FINDER), (FINDER / "README.md").read_text(encoding="utf-8")
    assert scores["step"] == step
    assert (FINDER / f"ckpt-{step}.npz").stat().st_size < 5e6
    assert 0 < stored.read_config(FINDER)["config"]["threshold"] < 1
    assert f"{scores['box_accuracy']:.2%}".replace("%", " %") in card
    assert "non-commercial" in card


def test_it_reads_rendered_pictures_that_no_box_was_given_of(photos: Path, reader: svhn.Reader) -> None:
    entries = list(format1.list_entries(photos, "test"))
    readings = reader.read([entry.source[0] for entry in entries])
    assert np.mean([reading.text == entry.label for reading, entry in zip(readings, entries, strict=True)]) > 0.5
    found = [measure_overlap(entry.source[1], reading.box) for reading, entry in zip(readings, entries, strict=True)]
    assert np.mean(np.array(found) >= boxes.IOU_THRESHOLD) > 0.7


def test_a_number_that_is_too_long_is_answered_without_a_digit() -> None:
    def compute(images: np.ndarray) -> engine.Outputs:
        rows = {"number": [TOO_LONG] * 5, "confidence": 0.9, "digit_confidences": [0.5] * 5, "probability": 0.99}
        return {name: np.array([row] * len(images)) for name, row in {**rows, "box": [0.25, 0.25, 0.75, 0.75]}.items()}

    network = engine.Network("stub", compute, make_info(), 0.5, locates=True, engine="litert")
    reading = svhn.Reader(network, network, threads=1).read_one(Image.new("RGB", (80, 40)))
    assert (reading.text, reading.surest.truncated, reading.confidence) == (
        "",
        True,
        estimate_confidence(0.9 * 0.99, 1),
    )
    assert reading.box == (20, 10, 60, 30)


def test_a_threshold_that_is_given_is_the_finders(tmp_path: Path) -> None:
    certain, lax = (svhn.Reader.load(checkpoints_dir=tmp_path, threshold=value) for value in (1.0, 0.0))
    picture = Image.new("RGB", (9, 9))
    assert certain.read(picture)[0].text == ""
    assert lax.read(picture)[0].text or not lax.read(picture)[0].refused.text  # type: ignore[union-attr]


def test_both_networks_compute_in_the_precision_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []

    def noted(name: str, run: Run, step: int) -> Any:
        runs.append(run)
        return load_tensorflow(name, run, step)

    load_tensorflow = engine._load_tensorflow
    monkeypatch.setattr(engine, "_load_tensorflow", noted)
    svhn.Reader.from_runs(Paths(name="released"), given={"mixed_precision": False}, engine="tensorflow")
    assert [run.config.mixed_precision for run in runs] == [False, False]


def test_one_by_one_or_together_the_answer_is_the_same(photos: Path, reader: svhn.Reader) -> None:
    paths = sorted((photos / "test").glob("*.png"))[:6]
    together = reader.read(paths)
    for path, expected in zip(paths, together, strict=True):
        for same in (path, path.read_bytes(), Image.open(path), np.asarray(Image.open(path))):
            assert reader.read([same]) == [expected]


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (200, 100), (700, 30)])
def test_plain_colors_have_no_number(size: tuple[int, int], reader: svhn.Reader) -> None:
    (reading,) = reader.read([Image.new("RGB", size, (120, 90, 60))])
    assert (reading.text, reading.confidence, reading.digit_confidences, reading.box) == ("", 0, (), None)
    assert reading.refused
    assert reading.refused.confidence < 0.1 < reading.refused.needed


def test_a_number_in_a_large_photo_is_found(photos: Path, reader: svhn.Reader) -> None:
    """3 % of twelve megapixels' width; the picture around it is one color, which is easier than a street."""
    entry = next(
        entry for entry in format1.list_entries(photos, "test") if reader.read([entry.source[0]])[0].text == entry.label
    )
    path, (left, _, right, _) = entry.source
    picture = Image.open(path)
    factor = 0.03 * 4000 / (right - left)
    photo = Image.new("RGB", (4000, 3000), picture.getpixel((0, 0)))
    photo.paste(picture.resize((round(factor * picture.width), round(factor * picture.height))), (2700, 900))
    (reading,) = reader.read([photo])
    assert reading.text == entry.label
    assert reading.box
    assert 2600 < reading.box[0] < 3600


def test_all_numbers_on_a_wall_are_read(reader: svhn.Reader) -> None:
    (reading,) = reader.read(make_wall())
    assert [number.text for number in reading.numbers] == list(PLACES)
    assert reading.size == SIZE
    for number in reading.numbers:
        (alone,) = reader.read(EXAMPLES / f"{number.text}.jpg")
        assert alone.box
        assert measure_overlap(place_box(number.text, alone.box), number.box) > 0.7
        assert number.confidence > 0.7


def test_the_mode_reads_files_folders_and_says_which_it_could_not(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"none")
    table, copies = tmp_path / "out/table.json", tmp_path / "copies"
    images = f"{bad},{photos}/test,{photos}/test/*.png"
    assert call(tmp_path, "--mode=predict", f"--images={images}", f"--output={table}", f"--annotate={copies}") == 1
    out, error = capsys.readouterr()
    assert len(out.splitlines()) == 60
    bad_row, *rows = json.loads(table.read_text())["pictures"]
    assert (bad_row["file"], bad_row["error"]) == (str(bad), "the file is not a picture, or of no known kind")
    assert [row["file"] for row in rows] == sorted(str(path) for path in (photos / "test").glob("*.png"))
    for line, row in zip(out.splitlines(), rows, strict=True):
        assert line.startswith(f"{row['file']}  {row['numbers'][0]['text'] if row['numbers'] else 'no number ('}")
    assert len(list(copies.iterdir())) == 60
    assert "1 of 61 files could not be read" in error
    assert error.rstrip().endswith(f"{bad}: the file is not a picture, or of no known kind")


def test_the_table_is_a_csv_too(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = sorted((photos / "test").glob("*.png"))[0]
    assert call(tmp_path, "--mode=predict", f"--images={picture}", f"--output={tmp_path}/table.csv") == 0
    line = capsys.readouterr().out.strip()
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert line == f"{picture}  {row['number']}  {float(row['confidence']):.3f}"


def test_a_run_that_finds_nothing_is_no_finder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = ROOT / "svhn/examples/208.jpg"
    assert call(tmp_path, "--mode=predict", f"--images={picture}", "--finder=released") == 1
    assert "--finder=released" in last_line(capsys)
