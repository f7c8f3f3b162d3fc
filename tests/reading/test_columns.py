"""Digits above one another are read side by side, where the network does not see one digit."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from svhn.labels import Number, list_corners
from svhn.reading.columns import MOST_COLUMNS, join_columns, list_cuts, read_column, read_columns
from svhn.spec import Box
from tests.support.columns import COLUMN, ColumnReader, cut_margins


def whole(text: str, confidence: float = 0.2) -> Number:
    return Number(text, confidence, (confidence,) * len(text), truncated=not text)


@pytest.mark.parametrize("number", [whole("44"), whole("119"), whole("", 0.6)])
def test_digits_above_one_another_are_read_side_by_side(number: Number) -> None:
    (found,) = read_columns(ColumnReader(), [COLUMN], [number])
    assert found.text == "719"
    assert not found.truncated
    assert len(found.digit_confidences) == 3
    assert found.confidence > 0.8


def test_what_the_network_is_surer_of_stays() -> None:
    """By digit: a number of three digits is as sure as a digit of the cube root."""
    for number in (whole("44", 0.99), whole("123", 0.999)):
        assert read_columns(ColumnReader(), [COLUMN], [number]) == [number]
    assert read_columns(ColumnReader(), [COLUMN], [whole("719", 0.8)])[0].confidence > 0.8


@pytest.mark.parametrize("box", [(10.0, 0.0, 170.0, 159.0), (10.0, 0.0, 10.0, 159.0)])
def test_a_box_that_is_not_high_is_not_cut(box: Box) -> None:
    read = ColumnReader()
    assert read_columns(read, [box], [whole("44")]) == [whole("44")]
    assert read.seen == []


def test_one_digit_is_not_cut() -> None:
    read = ColumnReader()
    assert read_columns(read, [COLUMN], [whole("7")]) == [whole("7")]
    assert read.seen == []


def test_a_box_whose_parts_show_other_counts_of_digits_keeps_its_reading() -> None:
    """Six digits are more than there are parts, and so are digits that are too long for the network."""
    for other in (whole("123456", 0.9), whole("", 0.9)):
        assert read_columns(lambda rows, number=other: [number] * len(rows), [COLUMN], [whole("44")]) == [whole("44")]


def test_few_boxes_of_a_picture_are_cut() -> None:
    read = ColumnReader()
    found = read_columns(read, [COLUMN] * 9, [whole("44")] * 9)
    assert [number.text for number in found] == ["719"] * MOST_COLUMNS + ["44"] * (9 - MOST_COLUMNS)
    assert len(read.seen) == MOST_COLUMNS * len(list_cuts(COLUMN))


def test_of_ways_with_several_counts_the_surest_by_digit_counts() -> None:
    sure = {2: 0.8, 3: 0.75, 4: 0.4}

    def read(rows: Sequence[Sequence[Box]]) -> list[Number]:
        return [whole("1234"[: len(parts)], sure[len(parts)]) for parts in rows]

    assert read_column(read, COLUMN).text == "123"


def test_parts_show_some_of_what_is_above_and_below_their_digits() -> None:
    for way in list_cuts(COLUMN):
        assert way[0][1] < COLUMN[1]
        assert way[-1][3] > COLUMN[3]
        assert all(upper[3] > lower[1] + 1 for upper, lower in itertools.pairwise(way))


def test_each_way_fills_the_box_with_equally_high_digits_that_do_not_overlap() -> None:
    ways = [[cut_margins(part) for part in way] for way in list_cuts(COLUMN)]
    assert {len(way) for way in ways} == {2, 3, 4}
    assert {len(way) for way in list_cuts((10.0, 0.0, 40.0, 240.0))} == {3, 4, 5}
    for way in ways:
        assert way[0][1] == pytest.approx(0)
        assert way[-1][3] == pytest.approx(159)
        heights = [bottom - top for _, top, _, bottom in way]
        assert heights == pytest.approx([heights[0]] * len(way))
        assert all(upper[3] <= lower[1] + 1e-9 for upper, lower in itertools.pairwise(way))
    assert list_cuts((0.0, 0.0, 1.0, 1000.0)) == []
    assert list_cuts((0.0, 0.0, 30.0, 60.0)) == []  # of one digit, a half and its margin look like the whole


def piece(text: str, box: Box, confidence: float = 0.9) -> Number:
    return Number(text, confidence, (confidence,) * len(text), list_corners(box))


ABOVE, MIDDLE, BELOW = piece("1", (10, 0, 30, 40)), piece("7", (8, 50, 36, 90)), piece("2", (10, 95, 38, 135), 0.8)


def test_pieces_that_stand_closely_above_one_another_are_one_number() -> None:
    (joined,) = join_columns([BELOW, ABOVE, MIDDLE])
    assert joined.text == "172"
    assert joined.confidence == pytest.approx(0.9 * 0.9 * 0.8)
    assert joined.digit_confidences == (0.9, 0.9, 0.8)
    assert joined.box == (8, 0, 38, 135)
    high = piece("72", (8, 50, 38, 135))
    assert [number.text for number in join_columns([high, ABOVE])] == ["172"]


@pytest.mark.parametrize(
    "other",
    [
        piece("7", (8, 80, 36, 120)),  # too far below
        piece("7", (40, 50, 68, 90)),  # aside
        piece("7", (8, 50, 68, 130)),  # twice as high
        piece("71", (0, 50, 60, 90)),  # in a row
        piece("7", (8, 50, 36, 90), 0.29),
        piece("7", (8, 10, 36, 50)),  # over one another
        Number("", 0.9, (), list_corners((8, 50, 36, 90)), truncated=True),
    ],
)
def test_other_numbers_stay_apart(other: Number) -> None:
    assert sorted(join_columns([ABOVE, other])) == sorted([ABOVE, other])


def test_of_two_pieces_below_one_the_surer_one_follows() -> None:
    beside = piece("4", (0, 50, 24, 90), 0.5)
    assert sorted(number.text for number in join_columns([ABOVE, MIDDLE, beside])) == ["17", "4"]
