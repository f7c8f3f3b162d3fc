"""What is read in the boxes that were found: each as a whole, high ones as rows, and those in a row together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest
from PIL import Image, ImageDraw

from svhn.labels import Number, list_corners
from svhn.reading.crops import crop_row, read_detections
from svhn.reading.engine import Network, Outputs
from svhn.reading.search import Detection
from svhn.spec import Box, Info

INFO = Info("svhn", (60, 120), 0.0, 3, 5, "jpeg", {}, {}, {}, {}, seed=0)
DIGIT = {digit: 20 * digit for digit in range(1, 10)}  # the level of gray of each


def read_levels(images: np.ndarray) -> Outputs:
    """Reads up to three digits across surely, and two wrong ones where it shows others above and below the middle."""
    upper, lower = ((images[:, row, (9, 45, 108), 0] + 10) // 20 for row in (17, 42))
    slots, sure = np.full((len(images), 5), -1), np.full(len(images), 0.95)
    for place, (shown, below) in enumerate(zip(upper.tolist(), lower.tolist(), strict=True)):
        digits = [digit for digit, _ in groupby(shown)]
        if shown != below:
            digits, sure[place] = [4, 4], 0.3
        slots[place, : len(digits)] = digits
    return {"number": slots, "confidence": sure, "digit_confidences": np.full((len(images), 5), 0.97)}


def draw_digits(places: Sequence[tuple[int, Box]]) -> Image.Image:
    image = Image.new("RGB", (200, 200))
    for digit, (left, top, right, bottom) in places:
        ImageDraw.Draw(image).rectangle((left, top, right - 1, bottom - 1), fill=(DIGIT[digit],) * 3)
    return image


def read_boxes(image: Image.Image, *found: Detection) -> list[Number]:
    network = Network("mine", read_levels, INFO, 0.5, locates=False, engine="fake")
    return read_detections(network, image, found)


def test_each_box_is_read_and_its_confidence_is_that_of_both_networks() -> None:
    box = (20.0, 20.0, 50.0, 60.0)
    (number,) = read_boxes(draw_digits([(7, box)]), Detection(box, 0.8), Detection((60, 60, 60, 90), 0.9))
    assert number == Number("7", 0.8 * 0.95, (pytest.approx(0.97),), list_corners(box))  # type: ignore[arg-type]


def test_the_digits_of_a_high_box_are_read_side_by_side() -> None:
    digits = [(digit, (40.0, 20.0 + 40 * row, 70.0, 60.0 + 40 * row)) for row, digit in enumerate((5, 2, 8))]
    (number,) = read_boxes(draw_digits(digits), Detection((40, 20, 70, 140), 0.9))
    assert number.text == "528"
    assert number.confidence == pytest.approx(0.9 * 0.95)


def test_boxes_in_a_row_are_also_read_together() -> None:
    left, right = (20.0, 20.0, 50.0, 60.0), (50.0, 20.0, 80.0, 60.0)
    numbers = read_boxes(draw_digits([(3, left), (6, right)]), Detection(left, 0.9), Detection(right, 0.8))
    assert [number.text for number in numbers] == ["3", "6", "36"]
    assert numbers[-1].confidence == pytest.approx(0.8 * 0.95)
    assert numbers[-1].box == (20, 20, 80, 60)


@pytest.mark.parametrize("channels", [1, 3])
def test_parts_stand_side_by_side_from_edge_to_edge(channels: int) -> None:
    """Also where the width is no multiple of their number."""
    boxes = [(0.0, 40.0 * row, 30.0, 40.0 * row + 40) for row in range(3)]
    picture = draw_digits([(digit, box) for digit, box in zip((1, 9, 5), boxes, strict=True)])
    inner = [(left + 10, top + 15, right - 10, bottom - 15) for left, top, right, bottom in boxes]
    row = crop_row(picture, inner, replace(INFO, size=(8, 20), channels=channels))
    assert row.shape == (8, 20, channels)
    assert row[3, :, 0].tolist() == [20] * 6 + [180] * 7 + [100] * 7
