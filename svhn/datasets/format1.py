"""SVHN's Format 1, and everything in its layout: a folder of pictures and a digitStruct.mat with each digit's box."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from svhn import labels
from svhn.datasets.formats.digit_struct import read_digit_struct
from svhn.images import convert_to_rgb, expand_box, explain_image_errors, normalize_box, resize_crop
from svhn.runtime import files
from svhn.spec import NOWHERE, Box, Entry, Size

BOXES_FILE = "digitStruct.mat"

DigitRows = list[list[float]]  # label, left, top, width and height of each digit


def list_entries(data_dir: str | Path, source: str, _seed: int = 0) -> Iterator[Entry]:
    """The pictures of `data_dir/source`, in the order of its digitStruct.mat.

    An entry's source is its path and the box of all its digits. Digits stay in the file's order, which is the number's
    even where boxes are not left to right, as in three official test pictures.

    Raises:
        UserError: there is no digitStruct.mat, or it can't be read.
    """
    folder = Path(data_dir) / source
    for file_name, digits in read_digit_struct(folder / BOXES_FILE):
        rows: DigitRows = digits.tolist()
        label, problem = _read_number(rows)
        problem = problem or _find_box_problem(rows) or _find_name_problem(file_name)
        entry = Entry(f"{source}/{file_name}", label, (f"{folder}/{file_name}", compute_number_box(rows)), problem)
        yield entry if problem else entry._replace(boxes=list_digit_boxes(rows))


def _read_number(rows: DigitRows) -> tuple[str, str]:
    """The number, and why it can't be used; "" for the one or the other."""
    if not rows:
        return "", "no digit is labelled"
    text = ""
    for position, (label, *_) in enumerate(rows, start=1):
        try:
            text += labels.parse_svhn_label(label)
        except ValueError:
            return "", f"label {label:g} of digit {position}: expected 1 to {labels.SVHN_ZERO}"
    return text, ""


def _find_box_problem(rows: DigitRows) -> str:
    for position, (_, left, top, width, height) in enumerate(rows, start=1):
        if not (0 < width < math.inf and 0 < height < math.inf and math.isfinite(left + top)):
            box = f"{width:g} x {height:g} at {left:g},{top:g}"
            return f"box of digit {position} is {box}: expected a width and a height above 0"
    return ""


def _find_name_problem(file_name: str) -> str:
    """A name that leads out of its folder is none of the publishers'."""
    plain = file_name not in ("", ".", "..") and not any(character in file_name for character in "/\\\0")
    return "" if plain else f"file name {file_name!r}: expected a name without folders"


def compute_number_box(rows: DigitRows) -> Box:
    """The smallest box around all digits: each side from whichever digit reaches furthest."""
    if not rows:
        return NOWHERE
    return (
        min(left for _, left, _, _, _ in rows),
        min(top for _, _, top, _, _ in rows),
        max(left + width for _, left, _, width, _ in rows),
        max(top + height for _, _, top, _, height in rows),
    )


def list_digit_boxes(rows: DigitRows) -> tuple[Box, ...]:
    return tuple((left, top, left + width, top + height) for _, left, top, width, height in rows)


def load_picture(entry: Entry, size: Size, margin: float) -> np.ndarray:
    """The number cut out of its picture: its box, widened, clipped to the picture, resized straight from its pixels.

    Args:
        entry: one of `list_entries` without a problem.
        size: height and width of the result, in pixels.
        margin: share of the box's height and width that is added on each of its sides.

    Returns:
        uint8 (height, width, 3).

    Raises:
        OSError: the picture is missing, damaged or none.
        ValueError: the box keeps no pixel of the picture, or the picture is too large.
    """
    path, box = entry.source
    with explain_image_errors(), Image.open(path) as image:
        return resize_crop(convert_to_rgb(image), size, expand_box(box, margin, image.size))


def locate_digits(entry: Entry, margin: float) -> list[Box]:
    """The boxes of its digits in what `load_picture` gives; raises what that does."""
    path, around = entry.source
    with explain_image_errors(), Image.open(path) as image:
        crop = expand_box(around, margin, image.size)
    return [normalize_box(box, crop) for box in entry.boxes]


def is_present(data_dir: str | Path, source: str) -> bool:
    return (Path(data_dir) / source / BOXES_FILE).is_file()


def compute_checksum(data_dir: str | Path, source: str) -> str:
    """The sha256 of the digitStruct.mat: a source with other boxes or labels is another one."""
    return files.compute_sha256(Path(data_dir) / source / BOXES_FILE)
