"""What every labeling tool's files become: a row for each number, and lines about what was not used."""

from __future__ import annotations

import math
from pathlib import PurePosixPath
from typing import NamedTuple

from svhn.datasets.format1 import MIN_SIDE
from svhn.errors import quote
from svhn.spec import Box

SHOWN = 6  # classes or columns that a message lists


class LabelRow(NamedTuple):
    """A number in a picture, as a labeling tool wrote it.

    Args:
        filename: the picture, a path below the data set's folder with slashes.
        label: the number's digits.
        box: left, top, right and bottom in pixels of the upright picture; None for the whole picture.
        split: `train` or `test`; "" if the file gives none.
        place: where the number stands, for example `labels.csv, line 2`.
        problem: why the row can't be used; "" if it can.
        digits: the boxes of its digits, in the number's order; empty if they are unknown.
        size: width and height for which the boxes were written, in pixels; None if the file does not give them.
        written: what the source's checksum covers; empty for the row itself.
    """

    filename: str
    label: str
    box: Box | None
    split: str
    place: str
    problem: str = ""
    digits: tuple[Box, ...] = ()
    size: tuple[int, int] | None = None
    written: tuple[str, ...] = ()


class Labels(NamedTuple):
    """The rows of a folder in the order of its files, and lines for the user about what is read and what is not."""

    rows: list[LabelRow]
    notes: list[str]


def join_row_problems(filename: str, label: str, *others: str) -> str:
    """All that is wrong with a row, its picture's path and its label among it; "" if nothing is."""
    path = PurePosixPath(filename)
    plain = filename and not path.is_absolute() and ".." not in path.parts and "\0" not in filename
    digits = label.isascii() and label.isdecimal()
    problems = (
        "" if plain else f"filename {quote(filename)}, expected a path below the folder",
        "" if digits else f"label {quote(label)}, expected digits",
        *others,
    )
    return "; ".join(filter(None, problems))


def find_box_problem(box: Box, written: str = "") -> str:
    """Why a number's box can't be used; "" if it can. `written` is how the file writes the box."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    written = f"box {quote(written or f'{left:g},{top:g},{width:g},{height:g}')}, expected"
    if not (0 < width < math.inf and 0 < height < math.inf and math.isfinite(left + top)):
        return f"{written} a width and a height above 0"
    return f"{written} pixels, at least {MIN_SIDE} wide and high" if min(width, height) < MIN_SIDE else ""
