"""Boxes in a row or a column are read as one number, too, where they may be its pieces."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from svhn.labels import NO_NUMBER, Number
from svhn.reading.columns import list_cuts
from svhn.reading.pieces import (
    COLUMN,
    LEAST_CONFIDENCE,
    MOST_PIECES,
    MOST_RUNS,
    ROW,
    Piece,
    ReadBoxes,
    list_runs,
    read_runs,
)
from svhn.reading.search import Detection
from svhn.spec import Box
from tests.support.columns import COLUMN as COLUMN_BOX
from tests.support.columns import DIGITS, ColumnReader

HIGH = 20.0


def place(left: float, width: float = 12.0, top: float = 0.0, high: float = HIGH) -> Box:
    return left, top, left + width, top + high


def number(text: str, confidence: float = 0.99) -> Number:
    return Number("" if text == "long" else text, confidence, (), truncated=text == "long")


class Wide:
    """Reads each box as one number, and keeps the boxes."""

    def __init__(self, text: str, confidence: float = 0.95) -> None:
        self.number, self.seen = number(text, confidence), list[Box]()

    def __call__(self, boxes: Sequence[Box]) -> list[Number]:
        self.seen += boxes
        return [self.number] * len(boxes)


def find_rows(read: ReadBoxes, detections: Sequence[Detection], numbers: Sequence[Number]) -> list[Piece]:
    """The runs, where parts of columns show no number."""
    return read_runs(read, lambda rows: [NO_NUMBER] * len(rows), detections, numbers)


def find_columns(confidence: float, detections: Sequence[Detection], numbers: Sequence[Number]) -> list[Piece]:
    """The runs, where boxes of more than one part show no number."""
    return read_runs(lambda boxes: [NO_NUMBER] * len(boxes), ColumnReader(confidence), detections, numbers)


ONE, TWO = place(0), place(32)
PAIR = [Detection(TWO, 0.9), Detection(ONE, 0.8)]


def test_digits_in_a_row_are_read_as_one_number() -> None:
    read = Wide("12")
    ((found, shown),) = find_rows(read, PAIR, [number("2"), number("1")])
    assert read.seen == [(0, 0, 44, HIGH)]
    assert found == Detection((0, 0, 44, HIGH), 0.8)
    assert shown == read.number


def test_a_number_that_is_too_long_is_one_whatever_its_pieces_are() -> None:
    overlapping = [Detection(place(0, 60), 0.9), Detection(place(40, 60), 0.7)]
    ((found, shown),) = find_rows(Wide("long"), overlapping, [number("1234"), number("3456")])
    assert found.box == place(0, 100)
    assert shown.truncated


@pytest.mark.parametrize(
    ("text", "confidence"), [("13", 0.95), ("", 0.95), ("12", LEAST_CONFIDENCE - 0.01), ("2", 0.95)]
)
def test_what_lacks_a_piece_or_is_not_sure_is_no_number(text: str, confidence: float) -> None:
    assert find_rows(Wide(text, confidence), PAIR, [number("2"), number("1")]) == []


def test_a_number_has_more_digits_than_each_of_its_pieces() -> None:
    """Two boxes of one number, or a box without digits, are no pieces of it."""
    for text in ("1", "45"):
        assert find_rows(Wide(text), PAIR, [number(text), number(text)]) == []
        assert find_rows(Wide(text), PAIR, [number(text), number("")]) == []


def test_pieces_of_several_digits_stand_near_one_another() -> None:
    for gap, found in ((ROW.near - 0.01, 1), (ROW.near, 0)):
        pair = [Detection(place(0), 0.9), Detection(place(12 + gap * HIGH), 0.9)]
        assert len(find_rows(Wide("123"), pair, [number("12"), number("3")])) == found


@pytest.mark.parametrize(
    ("other", "follows"),
    [
        (place(12 + (ROW.most_gap - 0.01) * HIGH), True),
        (place(12 + ROW.most_gap * HIGH), False),
        (place(-32), False),
        (place(20, top=0.45 * HIGH), True),
        (place(20, top=0.55 * HIGH), False),
        (place(20, high=1.6 * HIGH), True),
        (place(20, high=1.8 * HIGH), False),
        (place(6, width=6), False),  # which lies within the first
        (place(6), True),
    ],
)
def test_a_box_follows_another_in_the_same_row(other: Box, follows: bool) -> None:
    assert ((0, 1) in list_runs(ROW, [ONE, other], [True, True])) == follows


def test_runs_are_of_neighbors_and_of_a_bounded_number() -> None:
    near = [place(16.0 * index) for index in range(7)]
    assert list_runs(ROW, near[:3], [False] * 3) == [(0, 1, 2), (0, 1), (1, 2)]
    assert list_runs(ROW, near[:3], [True] * 3) == [(0, 1, 2), (0, 1), (0, 2), (1, 2)]
    crowded = [place(5.0 * index) for index in range(24)]
    assert len(list_runs(ROW, crowded, [True] * 24)) == MOST_RUNS
    assert len(list_runs(COLUMN, [turn(box) for box in crowded], [True] * 24)) == COLUMN.most_read
    assert len(list_runs(ROW, near, [False] * 7)[0]) == MOST_PIECES


def turn(box: Box) -> Box:
    """The box with across and down exchanged."""
    left, top, right, bottom = box
    return top, left, bottom, right


def test_a_column_is_what_a_row_is_with_across_and_down_exchanged() -> None:
    one, gap = place(0, high=12.0, width=20.0), COLUMN.near * 12
    for below, follows in ((gap - 0.1, True), (gap, False)):
        other = (0.0, 20 + below, 12.0, 40 + below)
        assert ((0, 1) in list_runs(COLUMN, [turn(one), other], [False, False])) == follows


UPPER, LOWER = Detection((10, 0, 40, 102), 0.9), Detection((10, 57, 40, 159), 0.8)


def test_pieces_of_a_column_may_share_a_digit() -> None:
    found = find_columns(0.9, [UPPER, LOWER], [number("44"), number("44")])
    assert [(each, read.text) for each, read in found] == [(Detection(COLUMN_BOX, 0.8), "719")]


def test_the_digits_of_a_column_have_to_be_sure_in_the_mean() -> None:
    for confidence, count in ((LEAST_CONFIDENCE + 0.01, 1), (LEAST_CONFIDENCE - 0.01, 0)):
        found = find_columns(confidence, [UPPER, LOWER], [number("44"), number("44")])
        assert len(found) == count


def test_a_column_has_the_digits_that_were_found_one_by_one() -> None:
    below = Detection(DIGITS["9"], 0.8)
    for digit, count in (("9", 1), ("4", 0)):
        found = find_columns(0.9, [UPPER, below], [number("44"), number(digit)])
        assert [read.text for _, read in found] == ["719"] * count


def test_a_column_is_not_made_of_numbers_in_a_row() -> None:
    wide = [Detection((0, 0, 60, 70), 0.9), Detection((0, 80, 60, 150), 0.9)]
    assert list_cuts((0, 0, 60, 150))
    read = ColumnReader()
    assert read_runs(Wide("1234"), read, wide, [number("12"), number("34")]) == []
    assert read.seen == []


def test_nothing_is_read_where_nothing_is_in_a_row() -> None:
    read = Wide("12")
    assert find_rows(read, [Detection(ONE, 0.9), Detection(place(99, top=99), 0.9)], [number("1"), number("2")]) == []
    assert find_rows(read, [], []) == []
    assert read.seen == []
