"""SVHN's Format 1 as whole pictures, with parts beside the number that show none: the data set of the finder."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from svhn import images
from svhn.datasets import format1
from svhn.datasets.svhn import SVHN
from svhn.spec import Box, Entry, Size

MIN_FREE_WIDTH = 16  # pixels beside the number; a picture with fewer gives no part without a number
ASPECT_RATIOS = 0.8, 2.4  # smallest and largest width over height of such a part; a whole picture's median is 2.2


def list_entries(data_dir: str | Path, source: str, seed: int = 0) -> Iterator[Entry]:
    """Each picture with its number, and then a part beside the number with the label "".

    Raises:
        UserError: the digitStruct.mat is missing or can't be read.
    """
    for entry in format1.list_entries(data_dir, source, seed):
        path, box = entry.source
        yield entry._replace(source=(path, box, True), picture=entry.name)
        if not entry.problem and _has_room(path, box):
            yield Entry(f"{entry.name} beside", "", (path, box, False), picture=entry.name)


def _has_room(path: str, box: Box) -> bool:
    """Whether the picture has a part beside the number that is wide enough; False if it can't be read."""
    try:
        left, right = _find_free_side(box, images.measure_picture(path)[0])
    except (OSError, ValueError):
        return False
    return right - left >= MIN_FREE_WIDTH


def load_picture(entry: Entry, size: Size, _margin: float = 0.0) -> np.ndarray:
    """The picture, or a part of it beside its number, resized to uint8 (height, width, 3).

    Raises:
        OSError: the file is missing, damaged or not a picture.
        ValueError: the picture is too large.
    """
    path, box, whole = entry.source
    picture = images.open_reduced(path)
    part = None if whole else sample_background_box(entry.name, box, picture.size)
    return images.crop_picture(picture, size, part)


def sample_background_box(name: str, box: Box, picture: tuple[int, int]) -> Box:
    """A part of the (width, height) picture beside the number, in pixels. The name draws its proportions and height."""
    width, height = picture
    left, right = _find_free_side(box, width)
    rng = random.Random(name)
    high = min(float(height), (right - left) / rng.uniform(*ASPECT_RATIOS))
    top = rng.uniform(0, height - high)
    return left, top, right, top + high


def _find_free_side(box: Box, width: int) -> tuple[float, float]:
    """The left and right end of the wider side beside the number, in pixels."""
    return (0.0, box[0]) if box[0] > width - box[2] else (max(box[2], 0.0), float(width))


def locate_digits(entry: Entry, _margin: float = 0.0) -> list[Box]:
    """The box of each digit, in shares of the picture's width and height; none for a part beside the number.

    Raises:
        OSError: the file is missing, damaged or not a picture.
        ValueError: the number lies outside of the picture.
    """
    path, around, whole = entry.source
    if not whole:
        return []
    width, height = images.measure_picture(path)
    images.expand_box(around, 0.0, (width, height))
    return [images.normalize_box(box, (0, 0, width, height)) for box in entry.boxes]


SVHN_FULL = replace(
    SVHN,
    name="svhn_full",
    size=(64, 128),  # half of the pictures have fewer pixels; the median picture is 2.2 times as wide as high
    margin=0.0,
    entries=list_entries,
    load=load_picture,
    locate=locate_digits,
    augmentation=replace(
        SVHN.augmentation, joining=0.0, shear=0.15, slope=0.05, inside=True, scale=0.4, shift=(0.25, 0.25)
    ),
)
