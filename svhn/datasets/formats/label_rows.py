"""What every labeling tool's files become: a row for each number, and lines about what was not used."""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple

from svhn.datasets.format1 import MIN_SIDE
from svhn.errors import UserError, quote, shorten
from svhn.spec import NOWHERE, Box

SHOWN = 6  # classes or columns that a message lists
MAX_COUNT = 10**9  # no picture is as wide; Python refuses to read a number of thousands of digits
SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}  # by the tools' words


class LabelRow(NamedTuple):
    """A number in a picture, as a labeling tool wrote it.

    Args:
        filename: the picture, a path below the data set's folder with slashes.
        label: the number's digits.
        box: left, top, right and bottom in pixels of the upright picture; None for the whole picture.
        split: `train`, `val` or `test`; "" if the file gives none.
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


def find_split(path: PurePath) -> str:
    """The split that a file's folders and name give, such as `instances_val2017.json` or `test/labels.json`."""
    words = re.findall("[a-z]+", path.as_posix().lower())
    return next((SPLITS[word] for word in reversed(words) if word in SPLITS), "")


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
    if not has_area(box):
        return f"{written} a width and a height above 0"
    return f"{written} pixels, at least {MIN_SIDE} wide and high" if min(width, height) < MIN_SIDE else ""


def has_area(box: Box) -> bool:
    """Whether the numbers of a box are finite, and its width and height above 0."""
    left, top, right, bottom = box
    return 0 < right - left < math.inf and 0 < bottom - top < math.inf and math.isfinite(left + top)


def make_number_list(values: object, count: int) -> list[float] | None:
    """A list of `count` finite numbers of a JSON file; None for anything else."""
    if not isinstance(values, list) or len(values) != count:
        return None
    plain = all(type(value) in (int, float) and abs(value) <= sys.float_info.max for value in values)
    return [float(value) for value in values] if plain else None


def make_size(width: object, height: object) -> tuple[int, int] | None:
    """Width and height of a file; None unless both are whole numbers above 0 that a picture can have."""
    if isinstance(width, int) and isinstance(height, int) and 0 < min(width, height) <= max(width, height) < MAX_COUNT:
        return width, height
    return None


def read_count(text: str) -> int | None:
    """A whole number from 0, written in ASCII's digits; None for any other text, and from `MAX_COUNT` on."""
    plain = text.isascii() and text.isdecimal() and len(text) < len(str(MAX_COUNT))
    return int(text) if plain else None


def enclose_points(points: Iterable[tuple[float, float]]) -> Box:
    """The upright box around points."""
    across, down = zip(*points, strict=True)
    return min(across), min(down), max(across), max(down)


def read_corners(written: object) -> tuple[Box, str]:
    """The upright box around the corners in a JSON file, a list of two numbers each, and why there is none, or ""."""
    corners = [make_number_list(corner, 2) for corner in written] if isinstance(written, list) else []
    points = [(corner[0], corner[1]) for corner in corners if corner]
    if not points or len(points) < len(corners):
        return NOWHERE, f"points {quote(written)}, expected two numbers for each corner, in pixels"
    return enclose_points(points), ""


def list_files(data_dir: Path, ending: str) -> list[Path]:
    """The files of an ending at any depth below a folder, without hidden ones and those in hidden folders."""
    found = sorted(path for path in data_dir.glob(f"**/*{ending}") if path.is_file())
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(data_dir).parts)]


def list_json_files(data_dir: Path) -> list[Path]:
    """The JSON files in a folder and in its subfolders, but not below these."""
    return sorted(path for pattern in ("*.json", "*/*.json") for path in data_dir.glob(pattern) if path.is_file())


def read_json(path: Path) -> Any:
    """The content of a labeling tool's JSON file. Raises `UserError` if the file is not JSON in UTF-8."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON ({shorten(error)}): export the labels again") from error


def describe_unused(path: Path, unused: Counter[str]) -> list[str]:
    """A line for the user that counts what was left out, by reason; none if nothing was."""
    counted = [f"{count} {reason}" for reason, count in unused.most_common() if count]
    if not counted:
        return []
    shown, more = counted[:SHOWN], [f"{len(counted) - SHOWN} other kinds"] * (len(counted) > SHOWN)
    return [f"{path}: not used: {', '.join([*shown, *more])}"]


def describe_unlabeled(path: Path, names: Sequence[str]) -> list[str]:
    """A line for the user that counts the pictures without any number; none if there are none."""
    if not names:
        return []
    pictures = f"{len(names)} picture{'s' * (len(names) > 1)}"
    return [f"{path}: not used: {pictures} without a number, such as {quote(names[0])}"]
