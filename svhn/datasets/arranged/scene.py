"""What is made of a picture: records of its form, what draws it, and the arithmetic of boxes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from svhn.spec import Box

PixelSize = tuple[int, int]  # width, height


def make_rng(seed: int, name: str) -> np.random.Generator:
    """The random numbers of an entry, which depend on nothing but the seed of wrangling and the entry's name."""
    return np.random.default_rng((seed, zlib.crc32(name.encode())))


class Arrangement(NamedTuple):
    """What is made of a picture.

    Args:
        form: a key of `forms.FORMS` or `forms.OTHERS`.
        boxes: the boxes of all of the picture's digits, in pixels of the picture.
        order: the digits of the new number, as indices of `boxes`; none where none of them is shown.
        font: path of the font of a letter beside the number, or of a word in its place.
        seed: the seed of wrangling.
        text: what is drawn in place of the number; "" where nothing is.
    """

    form: str
    boxes: tuple[Box, ...]
    order: tuple[int, ...]
    font: str
    seed: int
    text: str = ""


class Scene(NamedTuple):
    """A picture that is to be painted.

    Args:
        size: its width and height, in pixels.
        boxes: the upright box of each digit of its number, in pixels.
        around: the box of what a crop shows, in pixels: the number, in some scenes with a letter beside it, or what is
            in its place.
        paint: makes it of the picture in which the digits are.
    """

    size: PixelSize
    boxes: Sequence[Box]
    around: Box
    paint: Callable[[Image.Image], Image.Image]


def clip_box(box: Box, size: PixelSize) -> Box:
    """A box within a picture; it keeps a pixel."""
    left, top = (min(max(box[i], 0.0), size[i] - 1.0) for i in (0, 1))
    return left, top, min(max(box[2], left + 1), float(size[0])), min(max(box[3], top + 1), float(size[1]))


def widen_box(box: Box, across: float, down: float) -> Box:
    """A box with so many pixels more to the left and right, and above and below."""
    left, top, right, bottom = box
    return left - across, top - down, right + across, bottom + down


def measure_height(boxes: Sequence[Box]) -> float:
    """The height of the highest box, in pixels."""
    return max(bottom - top for _, top, _, bottom in boxes)


def shift_box(box: Box, across: float, down: float) -> Box:
    left, top, right, bottom = box
    return left + across, top + down, right + across, bottom + down
