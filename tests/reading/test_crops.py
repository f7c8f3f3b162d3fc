"""What is read in the boxes that were found: each as a whole, high ones digit by digit, and those in a row together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from svhn.labels import Number, list_corners
from svhn.reading.crops import read_detections
from svhn.reading.engine import Network, Outputs
from svhn.reading.search import Detection
from svhn.spec import Box, Info

INFO = Info("svhn", (20, 40), 0.0, 3, 5, "jpeg", {}, {}, {}, {}, seed=0)
DIGIT = {digit: 20 * digit for digit in range(1, 10)}  # the level of gray of each


def read_levels(images: np.ndarray) -> Outputs:
    """Reads the digits at the left and the right surely, and two wrong ones where the top is not as the bottom."""
    upper, lower = ((images[:, row, (3, 36), 0] + 10) // 20 for row in (1, 18))
    slots, sure = np.full((len(images), 5), -1), np.full(len(images), 0.95)
    for place, ((left, right), below) in enumerate(zip(upper, lower, strict=True)):
        if (left, right) != tuple(below):
            slots[place, :2], sure[place] = (4, 4), 0.3
        else:
            slots[place, : 1 + (left != right)] = (left, right)[: 1 + (left != right)]
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


def test_a_high_box_is_read_digit_by_digit() -> None:
    """And its confidence is that of all digits and of the finder."""
    digits = [(digit, (40.0, 20.0 + 40 * row, 70.0, 60.0 + 40 * row)) for row, digit in enumerate((5, 2, 8))]
    (number,) = read_boxes(draw_digits(digits), Detection((40, 20, 70, 140), 0.9))
    assert number.text == "528"
    assert number.confidence == pytest.approx(0.9 * 0.95**3)


def test_boxes_in_a_row_are_also_read_together() -> None:
    left, right = (20.0, 20.0, 50.0, 60.0), (50.0, 20.0, 80.0, 60.0)
    numbers = read_boxes(draw_digits([(3, left), (6, right)]), Detection(left, 0.9), Detection(right, 0.8))
    assert [number.text for number in numbers] == ["3", "6", "36"]
    assert numbers[-1].confidence == pytest.approx(0.8 * 0.95)
    assert numbers[-1].box == (20, 20, 80, 60)
