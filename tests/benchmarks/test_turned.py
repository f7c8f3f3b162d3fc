"""The benchmark of turned boxes: the box that an upright one encloses, and what is read in it."""

from __future__ import annotations

import math

import pytest
from PIL import Image

from benchmarks.turned import read_box, resize_box, shrink_hull
from svhn.images import open_picture
from svhn.reading.reader import Reader
from svhn.reading.web import EXAMPLES


@pytest.mark.parametrize("degrees", [-30, -10, 0, 25])
def test_a_turned_box_reaches_to_the_sides_of_its_hull(degrees: float) -> None:
    left, top, right, bottom = resize_box((100, 100, 102, 102), 60, 20)
    cos, sin = math.cos(math.radians(degrees)), abs(math.sin(math.radians(degrees)))
    hull = resize_box((100, 100, 102, 102), 60 * cos + 20 * sin, 60 * sin + 20 * cos)
    assert shrink_hull(hull, degrees) == pytest.approx((left, top, right, bottom))


def test_a_hull_that_no_turned_box_has_still_gives_a_box() -> None:
    left, top, right, bottom = shrink_hull((0, 0, 10, 60), 30)
    assert right - left == 2
    assert bottom - top > 60


def test_a_turned_number_is_read_in_its_turned_box() -> None:
    reader = Reader.load(threads=1)
    picture = open_picture(EXAMPLES / "208.jpg")
    (number,) = reader.read_all(picture)
    assert number.box
    left, top, right, bottom = number.box
    middle = (left + right) / 2, (top + bottom) / 2
    turned = picture.rotate(40, Image.Resampling.BICUBIC, center=middle)
    assert read_box(reader, turned, number.box, 40) == number.text == "208"
    assert read_box(reader, turned, number.box) != "208"
