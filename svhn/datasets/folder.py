"""Your own pictures: a folder with a `labels.csv` that lists the number in each picture, and its place.

Its columns are `filename` (a path below the folder) and `label` (the number's digits). If the pictures show more than
the number, `left`, `top`, `width` and `height` hold its box in pixels. If some pictures are for testing, `split` holds
`train` or `test`.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from svhn import images
from svhn.datasets.svhn import SVHN
from svhn.errors import UserError
from svhn.spec import Box, Entry, Size

LABELS_FILE = "labels.csv"
BOX_COLUMNS = ("left", "top", "width", "height")
LabelRow = dict[str, str]  # column to value; `line` is the row's line in the file, from 1


def read_label_rows(data_dir: str | Path) -> list[LabelRow]:
    """The table's rows by file name, so that rows of one picture follow one another.

    Raises:
        UserError: the table is missing, lacks a column, has no row, or names another split.
    """
    path = Path(data_dir) / LABELS_FILE
    if not path.is_file():
        raise UserError(f"{path} is missing: expected a CSV with the columns filename,label, a line for each picture")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", restkey="")
            columns, found = list(reader.fieldnames or ()), [{**row, "line": str(reader.line_num)} for row in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {error}: expected a CSV file in UTF-8") from error
    boxes = [side for side in BOX_COLUMNS if side in columns]
    missing = [name for name in ("filename", "label", *(BOX_COLUMNS if boxes else ())) if name not in columns]
    if missing:
        raise UserError(f"{path} has no column {', '.join(missing)}, only {', '.join(columns)}: add it to line 1")
    if not found:
        raise UserError(f"{path} has only a header: expected a line for each picture")
    for row in found:
        row["split"] = row.get("split") or "train"
        if row["split"] not in SOURCES:
            raise UserError(f"{path}, line {row['line']}: split {row['split']!r}, expected {' or '.join(SOURCES)}")
    return sorted(found, key=lambda row: row["filename"])


def list_entries(data_dir: str | Path, source: str, _seed: int = 0) -> Iterator[Entry]:
    """The entries of a split, by file name. Raises the `UserError` of `read_label_rows`."""
    seen: Counter[str] = Counter()
    for row in read_label_rows(data_dir):
        if row["split"] == source:
            name, label = row["filename"], row["label"].strip()
            seen[name] += 1
            problem, box = "", None
            try:
                box = _read_box(row)
                _check_row(name, label)
            except ValueError as error:
                problem = f"{LABELS_FILE}, line {row['line']}: {error}"
            numbered = name if seen[name] == 1 else f"{name} ({seen[name]})"
            yield Entry(numbered, label, (str(Path(data_dir) / name), box), problem, picture=name)


def _check_row(name: str, label: str) -> None:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise ValueError(f"filename {name!r}, expected a path below the folder")
    if not (label.isascii() and label.isdecimal()):
        raise ValueError(f"label {label!r}, expected digits")


def _read_box(row: LabelRow) -> Box | None:
    """The box in pixels; None if the row has none. Raises `ValueError` for values that are not a box."""
    values = [row.get(side, "").strip() for side in BOX_COLUMNS]
    if not any(values):
        return None
    try:
        left, top, width, height = map(float, values)
    except ValueError as error:
        raise ValueError(f"box {','.join(values)}, expected four numbers") from error
    if not (0 < width < np.inf and 0 < height < np.inf and np.isfinite(left + top)):
        raise ValueError(f"box {','.join(values)}, expected a width and a height above 0")
    return left, top, left + width, top + height


def load_picture(entry: Entry, size: Size, margin: float) -> np.ndarray:
    """The number's box, widened, or the whole picture if the row has no box. The rest is as in `format1.load_picture`.

    The picture is opened as `Reader` opens it: turned as its Exif tag asks, with transparent areas on white.
    """
    path, box = entry.source
    image = images.open_picture(path)
    return images.resize_crop(image, size, images.expand_box(box, margin, image.size) if box else None)


def is_present(data_dir: str | Path, source: str) -> bool:
    """Whether the table has rows of the split. Train counts as present, so that reading it reports what is missing."""
    return source == "train" or any(row["split"] == source for row in read_label_rows(data_dir))


def compute_checksum(data_dir: str | Path, source: str) -> str:
    """The sha256 of the split's rows, which changes with any box, label or file name."""
    columns = (*BOX_COLUMNS, "label", "filename")
    split = [[row.get(name, "") for name in columns] for row in read_label_rows(data_dir) if row["split"] == source]
    return hashlib.sha256(json.dumps(split).encode()).hexdigest()


FOLDER = replace(
    SVHN,
    name="folder",
    sources={"train": (), "test": ()},
    valid_from=("train",),
    entries=list_entries,
    load=load_picture,
    locate=None,  # the boxes are those of numbers, not of digits
    present=is_present,
    checksum=compute_checksum,
    url="",
)
SOURCES = tuple(FOLDER.sources)
