"""The benchmark of pictures unlike SVHN's: where its numbers lie, and how answers to them are scored."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from support.fixtures import Row, write_boxes

from benchmarks.helpers.wild.folders import make_folder, make_picture
from benchmarks.helpers.wild.kinds import KINDS
from benchmarks.helpers.wild.layers import enclose_numbers
from benchmarks.helpers.wild.readers import (
    list_readers,
    make_rapidocr_reader,
    parse_lines,
    parse_readings,
    read_folder,
)
from benchmarks.helpers.wild.scores import (
    Answer,
    Counts,
    Number,
    count_picture,
    estimate_ratio,
    score_pictures,
)
from benchmarks.helpers.wild.sources import Sources, list_sources
from svhn.images import compute_overlap
from svhn.spec import Box

INK = (255, 0, 255)
WITH_INK = ("scene", "vertical", "long", "large", "whole", "slanted", "rows", "apart", "small")
LENGTHS = {"vertical": (2, 3, 4), "long": (6, 7, 8), "apart": (2, 3, 4), "rows": (4, 5)}
HERE, FAR = (10.0, 10.0, 50.0, 30.0), (100.0, 10.0, 140.0, 30.0)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve gray pictures, each with two to four digits drawn as bars of `INK`."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "test").mkdir()
    numbers: dict[str, list[Row]] = {}
    for index in range(12):
        rows: list[Row] = [(1 + (index + place) % 9, 20 + 24 * place, 30, 16, 40) for place in range(2 + index % 3)]
        picture = Image.new("RGB", (240, 100), (100 + index, 110, 120 - index))
        for _, left, top, width, height in rows:
            ImageDraw.Draw(picture).rectangle((left, top, left + width - 1, top + height - 1), fill=INK)
        numbers[f"{index + 1}.png"] = rows
        picture.save(folder / "test" / f"{index + 1}.png")
    write_boxes(folder / "test", numbers)
    return folder


@pytest.fixture(scope="module")
def sources(data_dir: Path) -> Sources:
    return list_sources(data_dir, "test")


def _find_ink(image: Image.Image) -> Box:
    red, green, blue = np.moveaxis(np.asarray(image, np.int16), -1, 0)
    rows, columns = np.nonzero((red > 178) & (green < 90) & (blue > 178))
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)


@pytest.mark.parametrize("kind", WITH_INK)
def test_the_boxes_lie_around_the_digits(kind: str, sources: Sources) -> None:
    for index in range(1 if kind == "large" else 4):
        made, _ = make_picture(sources, kind, 0, index)
        for truth in made.truths:
            assert np.array(enclose_numbers(truth)) == pytest.approx(np.array(_find_ink(made.image)), abs=4)
            assert kind not in LENGTHS or sum(len(number.text) for number in truth) in LENGTHS[kind]


def test_a_scene_has_several_numbers_that_touch_no_other(sources: Sources) -> None:
    counts = set()
    for index in range(6):
        (truth,) = make_picture(sources, "scene", 0, index)[0].truths
        counts.add(len(truth))
        assert all(not compute_overlap(a.box, b.box) for a in truth for b in truth if a is not b)
        assert all(28 < number.box[3] - number.box[1] < 92 for number in truth)
    assert counts <= {1, 2, 3, 4}
    assert len(counts) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_drawn_by_its_seed(kind: str, sources: Sources) -> None:
    one, same = (make_picture(sources, kind, 0, 0)[0] for _ in range(2))
    assert one.truths == same.truths
    assert one.image.tobytes() == same.image.tobytes()
    for number in (number for truth in one.truths for number in truth):
        left, top, right, bottom = number.box
        assert -1 <= left < right <= one.image.width + 1
        assert -1 <= top < bottom <= one.image.height + 1


def test_seeds_and_indices_draw_different_pictures(sources: Sources) -> None:
    drawn = {make_picture(sources, "small", *key)[0].image.tobytes() for key in ((0, 0), (0, 1), (1, 0), (1, 1))}
    assert len(drawn) == 4


def test_a_letter_is_no_digit_of_the_number(sources: Sources) -> None:
    digits, whole = make_picture(sources, "letter", 0, 0)[0].truths
    assert digits[0].text == whole[0].text
    assert digits[0].text.isdigit()
    assert 0.3 < compute_overlap(digits[0].box, whole[0].box) < 1


def test_a_folder_is_made_once(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_folder(tmp_path, data_dir, "test", "small", 2, seed=3)
    assert sorted(path.name for path in made.folder.iterdir()) == ["00000.jpg", "00001.jpg"] == sorted(made.truths)
    monkeypatch.delitem(KINDS, "small")  # pyright: ignore[reportArgumentType]
    assert make_folder(tmp_path, data_dir, "test", "small", 2, seed=3) == made


TRUTH = (Number("12", HERE), Number("345", FAR))


@pytest.mark.parametrize(
    ("truths", "answers", "expected"),
    [
        ([TRUTH], [], Counts(2, 0, 0, 0, 0, 0, 0)),
        ([TRUTH], [Answer("12", HERE, 0.99), Answer("345", FAR, 0.95)], Counts(2, 2, 2, 2, 1, 0, 1)),
        ([TRUTH], [Answer("12", HERE, 0.99), Answer("345", HERE, 0.95)], Counts(2, 2, 1, 1, 0, 1, 1)),  # another place
        ([TRUTH], [Answer("12", HERE, 0.99), Answer("12", HERE, 0.95)], Counts(2, 2, 1, 1, 0, 0, 1)),  # twice
        ([TRUTH], [Answer("13", HERE, 0.89)], Counts(2, 1, 0, 0, 0, 0, 1)),  # wrong and not sure
        ([TRUTH[:1]], [Answer("12", (10, 10, 29, 30), 0.99)], Counts(1, 1, 0, 1, 1, 0, 1)),  # less than half of the box
        ([TRUTH[:1]], [Answer("12", HERE, 0.6), Answer("1", HERE, 0.7)], Counts(1, 2, 1, 1, 0, 0, 1)),  # not the surest
        ([TRUTH[:1]], [Answer("", HERE, 0.95, truncated=True)], Counts(1, 1, 0, 0, 0, 1, 1)),  # two digits
        ([[Number("123456", HERE)]], [Answer("", HERE, 0.95, truncated=True)], Counts(1, 1, 0, 0, 1, 0, 1)),
        ([[Number("123456", HERE)]], [Answer("12345", HERE, 0.95)], Counts(1, 1, 0, 0, 0, 1, 1)),
        ([TRUTH, [Number("12345", HERE)]], [Answer("12345", HERE, 0.95)], Counts(1, 1, 1, 1, 1, 0, 1)),
        ([TRUTH, [Number("12345", HERE)]], [Answer("345", FAR, 0.95)], Counts(2, 1, 1, 1, 0, 0, 1)),
        ([()], [Answer("7", FAR, 0.95)], Counts(0, 1, 0, 0, 0, 1, 1)),
        ([TRUTH[:1]], [Answer("12", None, 0.95)], Counts(1, 1, 0, 0, 1, 0, 1)),
    ],
)
def test_a_picture_is_counted(truths: Any, answers: list[Answer], expected: Counts) -> None:
    assert count_picture(truths, answers) == expected
    assert count_picture(truths, answers[::-1]) == expected


def test_figures_are_ratios_of_sums() -> None:
    truths = {"a": [TRUTH], "b": [TRUTH[:1]], "c": [TRUTH[:1]]}
    scores = score_pictures(truths, {"a": [Answer("12", HERE, 0.5)], "b": [Answer("9", HERE, 0.9)]})
    assert [scores.recall and scores.recall[0], scores.precision and scores.precision[0]] == [1 / 4, 1 / 2]
    assert scores.f1
    assert scores.f1[0] == pytest.approx(2 / 6)
    assert (scores.wrong_and_sure[0], scores.given[0]) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert score_pictures({"a": [()]}, {}).recall is None


def test_the_error_of_a_share_is_that_of_a_binomial() -> None:
    ratio, error = estimate_ratio([1] * 30 + [0] * 70, [1] * 100)
    assert (ratio, error) == (pytest.approx(0.3), pytest.approx((0.3 * 0.7 / 100) ** 0.5))
    assert estimate_ratio([2, 4], [4, 8]) == (0.5, 0.0)


def test_answers_of_each_version_are_read() -> None:
    number = {"text": "12", "confidence": 0.8, "box": [1, 2, 3, 4], "digits": []}
    none = {"file": "x/b.png", "numbers": [], "refused": {"text": "", "confidence": 0.9, "truncated": True}}
    now = {"schema": 1, "pictures": [{"file": "x/a.png", "numbers": [number, number], "refused": None}, none]}
    answer = Answer("12", (1, 2, 3, 4), 0.8)
    assert parse_readings(now) == {"a.png": [answer, answer], "b.png": [Answer("", None, 0.9, truncated=True)]}
    before = [{"file": "x/a.png", "number": "12", "confidence": 0.8, "box": [1, 2, 3, 4], "digit_confidences": []}]
    assert parse_readings(before) == {"a.png": [answer]}
    assert parse_readings([{**before[0], "number": ""}]) == {"a.png": []}


RAPIDOCR = """
from types import SimpleNamespace
import numpy as np

class RapidOCR:
    def __call__(self, path):
        if not path.endswith("1.png"):
            return SimpleNamespace(txts=None, scores=None, boxes=None)
        return SimpleNamespace(txts=("66",), scores=(0.9,), boxes=np.array([[[0, 0], [9, 0], [9, 5], [0, 5]]]))
"""


def test_each_checkout_reads_by_its_default_and_this_one_with_the_flags(tmp_path: Path) -> None:
    checkouts = tmp_path / "now", tmp_path / "before"
    for checkout, line in zip(checkouts, ('READER = "second"  # of two\n', 'RELEASED = "first"\n'), strict=True):
        (checkout / "svhn").mkdir(parents=True)
        (checkout / "svhn/config.py").write_text(f"from pathlib import Path\n{line}")
    readers = list_readers(*checkouts, None, ["--threshold=0.7"])
    commands = [reader.make_command(tmp_path, tmp_path / "output.json") for reader in readers]
    assert ["--threshold=0.7" in command for command in commands] == [True, False]
    assert [command[3] for command in commands] == ["--name=second", "--name=released"]


def test_rapidocr_answers_by_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages/rapidocr.py").write_text(RAPIDOCR)
    (tmp_path / "pictures").mkdir()
    for name in ("1.png", "2.png"):
        Image.new("RGB", (9, 9)).save(tmp_path / "pictures" / name)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    answers, _ = read_folder(make_rapidocr_reader(sys.executable), tmp_path / "pictures", tmp_path / "answers.json")
    assert answers == {"1.png": [Answer("66", (0, 0, 9, 5), 0.9)], "2.png": []}


def test_digits_are_cut_out_of_lines() -> None:
    corners = [[0, 0], [100, 0], [100, 20], [0, 20]]
    lines = {"a": [["1 2 B", 0.9, corners], ["Route 66", 0.8, corners], ["EXIT", 0.9, corners]], "b": []}
    assert parse_lines(json.loads(json.dumps(lines))) == {
        "a": [Answer("12", (0, 0, 100, 20), 0.9), Answer("66", (75, 0, 100, 20), 0.8)],
        "b": [],
    }
