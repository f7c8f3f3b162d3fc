"""SVHN's Format 1, and data in its layout: a folder of pictures, and a digitStruct.mat with the box of each digit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from svhn import labels
from svhn.images import crop_picture, expand_box, measure_picture, normalize_box, open_reduced
from svhn.runtime import files
from svhn.spec import NOWHERE, Box, Entry, Size

BOXES_FILE = "digitStruct.mat"
MIN_SIDE = 2  # pixels of a number's width and height; a smaller box is more likely a share of the picture

SOURCES = ("train", "test", "extra")  # names of the folders
DigitRows = list[list[float]]  # label, left, top, width and height of each digit


def list_entries(data_dir: str | Path, source: str, _seed: int = 0) -> Iterator[Entry]:
    """The pictures of `data_dir/source`, in the order of its digitStruct.mat.

    An entry's source is its path and the box around all its digits. Digits keep the file's order, which is the number's
    order even in the three official test pictures whose boxes are not left to right.

    Raises:
        UserError: the digitStruct.mat is missing or can't be read.
    """
    from svhn.datasets.formats.digit_struct import read_digit_struct  # its h5py would slow down every command's start

    folder = Path(data_dir) / source
    for file_name, digits in read_digit_struct(folder / BOXES_FILE):
        rows: DigitRows = digits.tolist()
        label, problem = _read_number(rows)
        problem = problem or _find_box_problem(rows) or _find_name_problem(file_name)
        entry = Entry(f"{source}/{file_name}", label, (f"{folder}/{file_name}", compute_number_box(rows)), problem)
        yield entry if problem else entry._replace(boxes=list_digit_boxes(rows))


def _read_number(rows: DigitRows) -> tuple[str, str]:
    """The number and "", or "" and the reason why it can't be used."""
    if not rows:
        return "", "no digit is labeled"
    text = ""
    for position, (label, *_) in enumerate(rows, start=1):
        try:
            text += labels.parse_svhn_label(label)
        except ValueError:
            return "", f"label {label:g} of digit {position}: expected 1 to {labels.SVHN_ZERO}"
    return text, ""


def _find_box_problem(rows: DigitRows) -> str:
    """Why a box can't be used; "" if all can."""
    for position, (_, left, top, width, height) in enumerate(rows, start=1):
        if not (0 < width < math.inf and 0 < height < math.inf and math.isfinite(left + top)):
            box = f"{width:g} x {height:g} at {left:g},{top:g}"
            return f"box of digit {position} is {box}: expected a width and a height above 0"
    left, top, right, bottom = compute_number_box(rows)
    if min(right - left, bottom - top) < MIN_SIDE:
        box = f"{right - left:g} x {bottom - top:g} at {left:g},{top:g}"
        return f"box of the number is {box}: expected pixels, at least {MIN_SIDE} wide and high"
    return ""


def _find_name_problem(file_name: str) -> str:
    """Why a file name can't be used, or "". A name with a folder in it could lead out of the data set's folder."""
    plain = file_name not in ("", ".", "..") and not any(character in file_name for character in "/\\\0")
    return "" if plain else f"file name {file_name!r}: expected a name without folders"


def compute_number_box(rows: DigitRows) -> Box:
    """The smallest box around all digits, in pixels."""
    if not rows:
        return NOWHERE
    return (
        min(left for _, left, _, _, _ in rows),
        min(top for _, _, top, _, _ in rows),
        max(left + width for _, left, _, width, _ in rows),
        max(top + height for _, _, top, _, height in rows),
    )


def list_digit_boxes(rows: DigitRows) -> tuple[Box, ...]:
    """The box of each digit: left, top, right and bottom, in pixels."""
    return tuple((left, top, left + width, top + height) for _, left, top, width, height in rows)


def load_picture(entry: Entry, size: Size, margin: float) -> np.ndarray:
    """The number cut out of its picture: its box is widened, clipped to the picture and resized in one step.

    The picture is opened as `Reader` opens it: turned as its Exif tag asks, with transparent areas on white.

    Args:
        entry: an entry of `list_entries` without a problem.
        size: height and width of the result, in pixels.
        margin: share of the box's height and width that is added on each side.

    Returns:
        uint8 (height, width, 3).

    Raises:
        OSError: the file is missing, damaged or not a picture.
        ValueError: the box lies outside of the picture, or the picture is too large.
    """
    path, box = entry.source
    picture = open_reduced(path)
    return crop_picture(picture, size, expand_box(box, margin, picture.size))


def get_picture_path(entry: Entry) -> str:
    """The path of the picture that an entry of `list_entries` is cut from."""
    return entry.source[0]


def locate_digits(entry: Entry, margin: float) -> list[Box]:
    """The box of each digit, in shares of the width and height of the pixels that `load_picture` returns.

    Raises the errors of `load_picture`.
    """
    path, around = entry.source
    crop = expand_box(around, margin, measure_picture(path))
    return [normalize_box(box, crop) for box in entry.boxes]


def get_pictures_folder(data_dir: Path, source: str) -> Path:
    """The folder in which a source's digitStruct.mat should name each picture."""
    return data_dir / source


def describe_boxes(data_dir: str | Path, sources: Sequence[str]) -> Iterator[str]:
    """A line for each digitStruct.mat that is read, and for each in a folder of another name, which is not read."""
    for source in sources:
        yield f"{Path(data_dir) / source / BOXES_FILE}: labels and boxes of digits, in pixels"
    for path in sorted(Path(data_dir).glob(f"*/{BOXES_FILE}")):
        if path.parent.name not in SOURCES:
            yield f"{path}: not read, expected a folder named {', '.join(SOURCES)}"


def is_present(data_dir: str | Path, source: str) -> bool:
    return (Path(data_dir) / source / BOXES_FILE).is_file()


def compute_checksum(data_dir: str | Path, source: str) -> str:
    """The sha256 of the digitStruct.mat, which changes with any box or label."""
    return files.compute_sha256(Path(data_dir) / source / BOXES_FILE)
