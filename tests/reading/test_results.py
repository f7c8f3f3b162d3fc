"""The answer that is made of all numbers that were read in a picture."""

from __future__ import annotations

import pytest

from svhn.labels import Number, Reading, Refusal, list_corners
from svhn.reading import results
from svhn.reading.outputs import explain_refusal
from svhn.spec import Box

SIZE = (960, 720)
LEFT, RIGHT, BELOW = (100.0, 100.0, 200.0, 150.0), (500.0, 110.0, 560.0, 150.0), (90.0, 400.0, 190.0, 450.0)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks' product stands for the confidence. `test_confidence.py` has what becomes of it."""
    monkeypatch.setattr(results, "estimate_confidence", lambda probability, _: probability)


def make_reading(numbers: list[Number], threshold: float, size: tuple[int, int]) -> Reading:
    return results.make_reading(numbers, 1, threshold, size)


def number(text: str, confidence: float, box: Box) -> Number:
    return Number(text, confidence, (confidence,) * len(text), list_corners(box))


def test_all_numbers_that_are_sure_enough_are_answered_in_reading_order() -> None:
    left, right, below = number("27", 0.8, LEFT), number("8", 0.9, RIGHT), number("061", 0.95, BELOW)
    assert make_reading([below, right, left], 0.8, SIZE) == Reading((left, right, below), size=SIZE)
    assert make_reading([below, right, left], 0.81, SIZE) == Reading((right, below), size=SIZE)


def test_a_number_in_two_boxes_is_answered_once_by_the_surer_one() -> None:
    whole, part, shifted = number("27", 0.8, LEFT), number("7", 0.7, (150, 100, 200, 150)), (130.0, 100.0, 230.0, 150.0)
    assert make_reading([part, whole], 0.5, SIZE).numbers == (whole,)
    surer = number("71", 0.9, shifted)
    assert make_reading([whole, surer], 0.5, SIZE).numbers == (surer,)


def test_a_number_takes_the_place_of_its_parts_even_if_they_are_surer() -> None:
    whole, first, last = (
        number("1082", 0.7, (100, 100, 140, 300)),
        (100.0, 100.0, 140.0, 190.0),
        (98.0, 200.0, 140.0, 300.0),
    )
    parts = [number("10", 0.9, first), number("82", 0.9, last)]
    assert make_reading([*parts, whole], 0.4, SIZE).numbers == (whole,)
    assert make_reading([*parts, whole._replace(text="", truncated=True)], 0.4, SIZE).surest.truncated
    unsure = whole._replace(confidence=0.67)
    assert make_reading([*parts, unsure], 0.4, SIZE).confidence == pytest.approx(0.81)  # the parts, joined
    other = number("7", 0.9, first)
    assert make_reading([other, whole], 0.4, SIZE).numbers == (other,)
    beside = number("10", 0.9, (100, 40, 140, 130))
    assert make_reading([beside, whole], 0.4, SIZE).numbers == (beside, whole)


def test_a_box_in_which_no_digit_was_read_hides_no_number() -> None:
    assert make_reading([number("", 0.99, LEFT), number("27", 0.8, LEFT)], 0.5, SIZE).text == "27"


def test_what_was_nearly_read_is_the_surest_number() -> None:
    reading = make_reading([number("27", 0.6, LEFT), number("8", 0.7, RIGHT), number("", 0.99, BELOW)], 0.8, SIZE)
    assert reading == Reading(refused=Refusal("8", 0.7, 0.8), size=SIZE)
    long = make_reading([number("", 0.7, LEFT)._replace(truncated=True)], 0.8, SIZE).refused
    assert long
    assert long == Refusal("", 0.7, 0.8)
    assert explain_refusal(long) == "at 0.70, where 0.80 is needed in this picture"


def test_where_no_digit_was_read_nothing_is_claimed() -> None:
    for numbers in ([], [number("", 0.99, LEFT)]):
        for needed in (0.8, 0.0):
            refused = make_reading(numbers, needed, SIZE).refused
            assert refused
            assert refused == Refusal("", 0.0, needed)
            assert explain_refusal(refused) == "no digit was read"


def test_a_number_that_is_too_long_is_an_answer() -> None:
    long = number("", 0.9, LEFT)._replace(truncated=True)
    assert make_reading([long, number("8", 0.85, RIGHT)], 0.8, SIZE).numbers == (long, number("8", 0.85, RIGHT))


def test_the_confidence_follows_from_the_number_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "estimate_confidence", lambda probability, windows: probability / windows)
    monkeypatch.setattr(results, "compute_needed", lambda threshold, windows: threshold + windows / 100)
    found = number("27", 0.9, LEFT)
    reading = results.make_reading([found], 2, 0.43, SIZE)
    assert reading.numbers == (found._replace(confidence=0.45),)
    refused = results.make_reading([found], 2, 0.44, SIZE).refused
    assert refused == Refusal("27", 0.45, 0.44 + 0.02)
