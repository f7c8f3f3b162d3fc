"""YOLO's labels: a text file for each picture, and a file with the names of the classes.

https://docs.ultralytics.com/datasets/detect/ describes `data.yaml`. Label Studio and labelImg write `classes.txt` in
its place, and CVAT `obj.names`. A line holds a class, counted from 0, and a box as the shares of its middle, width and
height in the picture; or a class and the corners of an outline.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from svhn.datasets.formats.digit_joining import Mark, describe_classes, list_numbers, read_class
from svhn.datasets.formats.label_rows import (
    LabelRow,
    Labels,
    describe_unlabeled,
    describe_unused,
    enclose_points,
    join_row_problems,
    read_count,
)
from svhn.datasets.formats.picture_sizes import find_size
from svhn.datasets.formats.yolo_names import ListedPicture, read_listing
from svhn.errors import quote
from svhn.spec import NOWHERE, Box

PICTURES, LABELS = "images", "labels"  # folders that differ in this one name
SHARES = "expected shares of the picture from 0 to 1"


class _Tally(NamedTuple):
    """What was not used: boxes by class, pictures without a number, and the label files that were read."""

    unused: Counter[str]
    bare: list[str]
    read: set[Path]


def read_yolo(data_dir: Path, paths: Sequence[Path]) -> Labels:
    """The numbers of all pictures that the splits list.

    Raises:
        UserError: the names of the classes or the pictures of the splits can't be found.
        PassingError: a picture can't be measured now.
    """
    listing = read_listing(data_dir, paths)
    tally = _Tally(Counter(), [], set())
    rows = [row for picture in listing.pictures for row in _read_picture(data_dir, picture, listing.classes, tally)]
    units = "boxes as shares of the picture"
    pictures = f"{len(listing.pictures)} pictures with {len(rows)} numbers"
    said = f"{listing.path}: YOLO, {pictures}; {units}; {describe_classes(listing.classes.values())}"
    lost = _count_lost(data_dir, tally.read)
    return Labels(
        rows,
        [
            said,
            *listing.notes,
            *describe_unused(listing.path, tally.unused),
            *describe_unused(listing.path, lost),
            *describe_unlabeled(listing.path, tally.bare),
        ],
    )


def _count_lost(data_dir: Path, read: set[Path]) -> Counter[str]:
    """The label files whose picture is not there, by reason."""
    files = (path for path in data_dir.glob(f"**/{LABELS}/**/*.txt") if path.name != "classes.txt")
    lost = sorted(path.relative_to(data_dir).as_posix() for path in files if path not in read)
    return Counter({f"label files without a picture, such as {quote(lost[0])}": len(lost)} if lost else {})


def find_label_file(picture: str) -> str:
    """The path of a picture's labels: the last folder `images` becomes `labels`, and the ending `.txt`."""
    parts = list(PurePosixPath(picture).parts)
    if PICTURES in parts[:-1]:
        last = len(parts) - 2 - parts[-2::-1].index(PICTURES)
        parts[last] = LABELS
    return str(PurePosixPath(*parts).with_suffix(".txt"))


def _read_picture(
    data_dir: Path, picture: ListedPicture, classes: Mapping[int, str], tally: _Tally
) -> Iterator[LabelRow]:
    place = find_label_file(picture.name)
    path = data_dir / place
    tally.read.add(path)
    lines = _read_lines(path)
    if not lines:
        tally.bare.append(picture.name)
        return
    size, problem = find_size(data_dir / picture.name) if not picture.problem else ((1, 1), picture.problem)
    marks = [mark for number, line in lines if (mark := _make_mark(line, f"{place}, line {number}", classes, size))]
    tally.unused.update(mark for mark in marks if isinstance(mark, str))
    numbers = list_numbers([mark for mark in marks if isinstance(mark, Mark)])
    if not numbers:
        tally.bare.append(picture.name)
    for text, box, digits, where, fault in numbers:
        problems = join_row_problems(picture.name, text, problem or fault)
        yield LabelRow(picture.name, text, box, picture.split, where, problems, digits)


def _read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a file that hold anything, with their numbers from 1; none for a file that is missing."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        return []
    return [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]


def _make_mark(line: str, place: str, classes: Mapping[int, str], size: tuple[int, int]) -> Mark | str:
    """The mark of a line; or, as text, of which kind its box is, if that kind is not used."""
    first, *rest = line.split()
    number = read_count(first)
    name = None if number is None else classes.get(number)
    if name is None:
        return Mark("", NOWHERE, place, True, f"class {quote(first)}, expected 0 to {max(classes)}")
    text = read_class(name)
    if not text:
        return f"boxes of {quote(name)}"
    shares, problem = _parse_shares(rest)
    width, height = size
    left, top, right, bottom = shares
    box = left * width, top * height, right * width, bottom * height
    return Mark(text, box, place, len(text) == 1, problem)


def _parse_shares(values: Sequence[str]) -> tuple[Box, str]:
    """The box of a line in shares of the picture, and why it can't be used, or ""."""
    try:
        shares = list(map(float, values))
    except ValueError:
        return NOWHERE, f"box {quote(' '.join(values))}, {SHARES}"
    if len(shares) != 4 and (len(shares) < 6 or len(shares) % 2):
        found = f"{len(shares)} numbers after the class"
        return NOWHERE, f"{found}, expected 4 for a box, or 6 and more, two for each corner, for an outline"
    if not all(0 <= share <= 1 for share in shares):  # also true for "not a number"
        return NOWHERE, f"box {quote(' '.join(values))}, {SHARES}"
    if len(shares) > 4:
        return _check_sides(enclose_points(zip(shares[::2], shares[1::2], strict=True)), values)
    across, down, width, height = shares
    return _check_sides((across - width / 2, down - height / 2, across + width / 2, down + height / 2), values)


def _check_sides(box: Box, values: Sequence[str]) -> tuple[Box, str]:
    above = box[0] < box[2] and box[1] < box[3] and all(map(math.isfinite, box))
    return box, "" if above else f"box {quote(' '.join(values))}, expected a width and a height above 0"
