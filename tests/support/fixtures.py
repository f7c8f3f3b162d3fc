"""A few tiny pictures in the publishers' layout, with every quirk that their data has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from svhn.datasets.formats.digit_struct_writer import write_digit_struct

Row = tuple[float, float, float, float, float]  # label, left, top, width, height

PICTURE = (64, 40)  # width and height, in pixels
GROUND, INK = (40, 60, 80), (220, 200, 30)
GRAY_PICTURE = "5.png"
NUMBERS: dict[str, list[Row]] = {
    "1.png": [(2, 8, 10, 9, 20), (1, 20, 10, 6, 20), (10, 30, 10, 10, 20)],  # label 10: the digit 0
    "2.png": [(7, 20, 5, 12, 30)],  # one digit: stored without references
    "3.png": [(3, -2, -2, 14, 20), (5, 14, 2, 10, 20)],  # a corner outside of the picture
    "4.png": [(digit, 9 * digit - 7, 12, 7, 15) for digit in range(1, 7)],  # six digits
    GRAY_PICTURE: [(1, 10, 8, 8, 24), (9, 22, 8, 10, 24)],
    "6.png": [(4, 30, 10, 8, 16), (8, 10, 10, 8, 16)],  # not left to right: the file's order is the number's
}
LABELS = ("210", "7", "35", "123456", "19", "48")


def write_format1(folder: Path, numbers: Mapping[str, Sequence[Row]] = NUMBERS) -> Path:
    """Draw one picture a number, its boxes filled with `INK`, beside a digitStruct.mat; returns the folder."""
    folder.mkdir(parents=True)
    for name, rows in numbers.items():
        picture = draw_boxes(rows)
        (picture.convert("L") if name == GRAY_PICTURE else picture).save(folder / name)
    write_boxes(folder, numbers)
    return folder


def write_boxes(folder: Path, numbers: Mapping[str, Sequence[Row]]) -> None:
    entries = ((name, np.array(rows, np.float64)) for name, rows in numbers.items())
    write_digit_struct(folder / "digitStruct.mat", entries)


def draw_boxes(rows: Sequence[Row]) -> Image.Image:
    picture = Image.new("RGB", PICTURE, GROUND)
    for _, left, top, width, height in rows:
        if width >= 1 and height >= 1:
            ImageDraw.Draw(picture).rectangle((left, top, left + width - 1, top + height - 1), fill=INK)
    return picture
