"""Labeled photos: what is listed of a folder, and which answer is taken for which label."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.stub_reader import write_picture

from svhn.errors import UserError
from svhn.labels import NO_NUMBER, Number, Reading, Refusal, list_corners
from svhn.reporting.labeled import LabeledNumber, LabeledPhoto, list_photos, make_answers, pair_numbers
from svhn.spec import Box

LEFT, RIGHT, FAR = (0.0, 0.0, 10.0, 10.0), (20.0, 0.0, 30.0, 10.0), (50.0, 50.0, 60.0, 60.0)


def write_labels(folder: Path, *lines: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def label(text: str, box: Box | None = None) -> LabeledNumber:
    return LabeledNumber("1.png", text, box, "train")


def number(text: str, box: Box | None = None, confidence: float = 0.9) -> Number:
    return Number(text, confidence, (), list_corners(box) if box else None)


def test_a_picture_has_all_its_numbers_and_the_rest_is_named(tmp_path: Path) -> None:
    header = "filename,label,left,top,width,height,split"
    rows = ["b.png,12,1,2,3,4,train", "a.png,7,,,,,test", "b.png,13,5,6,7,8,test", "c.png,x,,,,,", "./a.png,8,,,,,"]
    folder = write_labels(tmp_path, header, *rows)
    for name in ("a.png", "b.png", "c.png", "d.png"):
        write_picture(tmp_path / name)
    found = list_photos(folder, "")
    assert [photo.path for photo in found.photos] == [str(tmp_path / name) for name in ("a.png", "b.png")]
    assert [[(each.text, each.split) for each in photo.numbers] for photo in found.photos] == [
        [("8", "train"), ("7", "test")],
        [("12", "train"), ("13", "test")],
    ]
    assert found.photos[1].numbers[0].box == (1, 2, 4, 6)
    assert [entry.name for entry in found.unusable] == ["c.png"]
    assert found.unnamed == [str(tmp_path / "d.png")]


def test_a_split_is_listed_alone(tmp_path: Path) -> None:
    folder = write_labels(tmp_path, "filename,label,split", "a.png,1,train", "b.png,2,test")
    assert [each.text for each in list_photos(folder, "test").numbers] == ["2"]


@pytest.mark.parametrize(
    ("lines", "split", "parts"),
    [
        (["filename,label", "a.png,x"], "", ["a.png", "line 2", "'x'", "--check"]),
        (["filename,label", "a.png,1"], "test", ["split test"]),
        (["filename,label", "a.png,1"], "valid", ["--split=valid", "train and test"]),
    ],
)
def test_a_folder_without_any_label_is_refused(lines: list[str], split: str, parts: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        list_photos(write_labels(tmp_path, *lines), split)
    assert [part for part in parts if part not in str(raised.value)] == []


@pytest.mark.parametrize(
    ("labels", "numbers", "pairs"),
    [
        ([label("1")], [], [None]),
        ([label("1")], [number("2", confidence=0.5), number("3", confidence=0.6)], [1]),  # the surest
        ([label("1")], [number("1", confidence=0.5), number("3", confidence=0.6)], [0]),  # but first the right one
        ([label("1", LEFT)], [number("2", LEFT, 0.5), number("3", RIGHT, 0.6)], [0]),  # and the one in its box
        ([label("1", LEFT), label("2", RIGHT)], [number("7", RIGHT)], [None, 0]),
        ([label("1", LEFT), label("2", RIGHT)], [number("2", LEFT), number("1", RIGHT)], [1, 0]),
        ([label("1"), label("1")], [number("1"), number("1")], [0, 1]),  # each answers once
        ([label("1"), label("2")], [number("7"), number("8"), number("2")], [0, 2]),
        ([label("1"), label("123456")], [number("")._replace(truncated=True)], [None, 0]),
    ],
)
def test_each_label_has_one_answer(labels: list[LabeledNumber], numbers: list[Number], pairs: list[int | None]) -> None:
    assert pair_numbers(labels, numbers, 5) == pairs


def test_outcomes_and_overlaps() -> None:
    photo = LabeledPhoto("1.png", (label("1", LEFT), label("2", RIGHT), label("3")))
    reading = Reading((number("1", (0.0, 0.0, 10.0, 5.0)), number("7", FAR)))
    answers = make_answers(photo, reading, [0, 1, None], 5)
    assert [(answer.outcome, answer.overlap) for answer in answers] == [("right", 0.5), ("wrong", 0), ("missed", None)]


def test_a_refused_picture_keeps_what_was_nearly_read() -> None:
    refused = Refusal("1", 0.4, 0.5)
    (answer,) = make_answers(LabeledPhoto("1.png", (label("1", LEFT),)), Reading(refused=refused), [None], 5)
    assert (answer.outcome, answer.number, answer.refused, answer.overlap) == ("refused", NO_NUMBER, refused, None)


@pytest.mark.parametrize(("text", "outcome"), [("123456", "right"), ("12345", "wrong")])
def test_a_number_that_is_too_long_is_right_where_it_is(text: str, outcome: str) -> None:
    long = Number("", 0.9, (), list_corners(LEFT), truncated=True)
    (answer,) = make_answers(LabeledPhoto("1.png", (label(text, LEFT),)), Reading((long,)), [0], 5)
    assert answer.outcome == outcome
