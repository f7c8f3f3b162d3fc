"""Boxes of single digits become numbers by their places, and places that leave a doubt are named."""

from __future__ import annotations

import pytest

from svhn.datasets.formats.digit_joining import Mark, Number, list_numbers
from svhn.spec import Box


def mark(text: str, left: float, top: float, width: float = 16, height: float = 30) -> Mark:
    box = (left, top, left + width, top + height)
    return Mark(text, box, f"at {left:g},{top:g}", len(text) == 1)


def read(*marks: Mark) -> list[tuple[str, str]]:
    return sorted((number.text, number.problem) for number in list_numbers(marks))


def test_digits_side_by_side_are_one_number_from_left_to_right() -> None:
    (number,) = list_numbers([mark("8", 50, 12), mark("2", 10, 10), mark("0", 30, 14)])
    boxes: tuple[Box, ...] = ((10, 10, 26, 40), (30, 14, 46, 44), (50, 12, 66, 42))
    assert number == Number("208", (10, 10, 66, 44), boxes, "at 10,10", "")


def test_digits_that_climb_are_one_number() -> None:
    assert read(*(mark(str(digit), 18 * digit, 200 - 12 * digit) for digit in range(1, 6))) == [("12345", "")]


def test_gaps_decide() -> None:
    assert read(mark("1", 0, 0), mark("2", 16 + 22, 0)) == [("12", "")]
    near = read(mark("1", 0, 0), mark("2", 16 + 30, 0))
    assert [text for text, _ in near] == ["1", "2"]
    assert near[0][1].startswith(
        "the digit 1 may or may not belong to the digit 2 (at 46,0): label the number with one"
    )
    assert read(mark("1", 0, 0), mark("2", 16 + 50, 0)) == [("1", ""), ("2", "")]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (mark("3", 2, 1), "lies on"),
        (mark("3", 2, 35), "stands above or below"),
        (mark("3", 4, 4, 4, 8), "lies on"),
    ],
)
def test_digits_that_are_not_in_a_row_are_a_problem(other: Mark, said: str) -> None:
    found = read(mark("1", 0, 0), other)
    assert found
    assert all(said in problem for _, problem in found)


def test_rows_above_one_another_are_two_numbers() -> None:
    rows = [mark("1", 0, 0), mark("2", 18, 0), mark("3", 0, 34), mark("4", 18, 34)]
    assert read(*rows) == [("12", ""), ("34", "")]


def test_digits_of_another_size_are_another_number() -> None:
    assert read(mark("1", 0, 0), mark("2", 18, 10, 5, 10)) == [("1", ""), ("2", "")]


def test_a_whole_number_holds_its_digits() -> None:
    whole = mark("20", 0, 0, 40, 40)
    digits = [mark("0", 20, 4), mark("2", 2, 4)]
    (number,) = list_numbers([whole, *digits])
    assert (number.text, number.box, number.problem) == ("20", (0, 0, 40, 40), "")
    assert number.digits == (digits[1].box, digits[0].box)
    ((text, problem),) = read(whole, digits[0])
    assert (text, problem) == ("20", "the digits in its box spell '0', expected '20'")


def test_equal_marks_count_once() -> None:
    assert read(mark("1", 0, 0), mark("1", 0, 0)) == [("1", "")]


def test_a_number_may_lack_a_digit_that_cannot_be_used() -> None:
    bad = Mark("7", (0, 0, 0, 0), "line 2", True, "it has no box")
    assert read(mark("1", 0, 0), bad) == [("7", "a digit of the picture can't be used: it has no box")]


@pytest.mark.parametrize("size", [(0, 30), (16, 0), (float("inf"), 30)])
def test_a_digit_without_an_area_is_a_problem(size: tuple[float, float]) -> None:
    ((_, problem),) = read(mark("1", 0, 0), mark("2", 16, 0, *size))
    assert problem.startswith("a digit of the picture can't be used: box ")
    assert problem.endswith("expected a width and a height above 0")
