"""Your own pictures: a folder with a `labels.csv` that lists the number in each picture, and its place.

Its columns are `filename` (a path below the folder) and `label` (the number's digits). If the pictures show more than
the number, `left`, `top`, `width` and `height` hold its box in pixels. If some pictures are for testing, `split` holds
`train` or `test`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from svhn import images
from svhn.datasets.format1 import MIN_SIDE
from svhn.datasets.formats.csv_rows import describe_end
from svhn.datasets.formats.label_csv import BOX_COLUMNS, UNUSED_SHOWN, LabelRow, LabelTable, read_label_table
from svhn.datasets.svhn import SVHN
from svhn.errors import UserError, quote
from svhn.runtime.near_names import suggest_near_path
from svhn.spec import Box, Entry, Size

LABELS_FILE = "labels.csv"


def read_labels(data_dir: str | Path) -> LabelTable:
    """The folder's table, its rows by file name, so that rows of one picture follow one another.

    Raises:
        UserError: the table is missing, or is not as `read_label_table` expects it.
    """
    path = Path(data_dir) / LABELS_FILE
    if not path.is_file():
        expected = "expected a CSV with the columns filename,label, a line for each picture"
        raise UserError(f"{path} is missing{suggest_near_path(path)}: {expected}")
    table = read_label_table(path)
    return table._replace(rows=sorted(table.rows, key=lambda row: row.cells["filename"]))


def list_entries(data_dir: str | Path, source: str, _seed: int = 0) -> Iterator[Entry]:
    """The entries of a split, by file name. A row of an unknown split is an entry of train, with a problem.

    Raises the `UserError` of `read_labels`.
    """
    seen: Counter[str] = Counter()
    for row in read_labels(data_dir).rows:
        if _find_source(row) == source:
            name, label = row.cells["filename"], row.cells["label"].strip()
            seen[name] += 1
            problem = _find_row_problem(row)
            box = None if problem else _read_box(row)
            numbered = name if seen[name] == 1 else f"{name} ({seen[name]})"
            yield Entry(
                numbered or LABELS_FILE,
                label,
                (str(Path(data_dir) / name), box),
                f"{LABELS_FILE}, line {row.line}: {problem}" if problem else "",
                picture=name,
            )


def _find_source(row: LabelRow) -> str:
    split = row.cells.get("split", "")
    return split if split in SOURCES else SOURCES[0]


def _find_row_problem(row: LabelRow) -> str:
    """All that is wrong with a row; "" if nothing is. Values of a row that is not whole are in no certain column."""
    if row.problem:
        return row.problem
    cells = row.cells
    problems = (
        _find_name_problem(cells["filename"]),
        _find_label_problem(cells["label"].strip()),
        _find_box_problem([cells.get(side, "").strip() for side in BOX_COLUMNS]),
        _find_split_problem(cells.get("split", "")),
    )
    return "; ".join(filter(None, problems))


def _find_name_problem(name: str) -> str:
    path = PurePosixPath(name)
    plain = name and not path.is_absolute() and ".." not in path.parts and "\0" not in name
    return "" if plain else f"filename {quote(name)}, expected a path below the folder"


def _find_label_problem(label: str) -> str:
    return "" if label.isascii() and label.isdecimal() else f"label {quote(label)}, expected digits"


def _find_split_problem(split: str) -> str:
    return "" if split in ("", *SOURCES) else f"split {quote(split)}, expected {' or '.join(SOURCES)}"


def _find_box_problem(values: list[str]) -> str:
    if not any(values):
        return ""
    written = f"box {quote(','.join(values))}, expected"
    try:
        left, top, width, height = map(float, values)
    except ValueError:
        return f"{written} four numbers"
    if not (0 < width < np.inf and 0 < height < np.inf and np.isfinite(left + top)):
        return f"{written} a width and a height above 0"
    if min(width, height) < MIN_SIDE:
        shares = ": multiply shares by the picture's width and height" if max(left, top, width, height) <= 1 else ""
        return f"{written} pixels, at least {MIN_SIDE} wide and high{shares}"
    return ""


def _read_box(row: LabelRow) -> Box | None:
    """The box in pixels; None if the row has none."""
    values = [row.cells.get(side, "").strip() for side in BOX_COLUMNS]
    if not any(values):
        return None
    left, top, width, height = map(float, values)
    return left, top, left + width, top + height


def load_picture(entry: Entry, size: Size, margin: float) -> np.ndarray:
    """As `format1.load_picture`, for the row's box, or for the whole picture if the row has no box."""
    path, box = entry.source
    picture = images.open_reduced(path)
    return images.crop_picture(picture, size, images.expand_box(box, margin, picture.size) if box else None)


def is_present(data_dir: str | Path, source: str) -> bool:
    """Whether the table has rows of the split. Train counts as present, so that reading it reports what is missing."""
    return source == "train" or any(_find_source(row) == source for row in read_labels(data_dir).rows)


def compute_checksum(data_dir: str | Path, source: str) -> str:
    """The sha256 of the split's rows, which changes with any box, label or file name."""
    columns = (*BOX_COLUMNS, "label", "filename")
    rows = (row for row in read_labels(data_dir).rows if _find_source(row) == source)
    split = [[row.cells.get(name, "") for name in columns] for row in rows]
    return hashlib.sha256(json.dumps(split).encode()).hexdigest()


def describe_labels(data_dir: str | Path, _sources: Sequence[str]) -> Iterator[str]:
    """Lines about the table: its rows, the columns that are used and the others, and what its boxes are taken for."""
    path = Path(data_dir) / LABELS_FILE
    columns, unused, rows = read_labels(data_dir)
    boxes = "boxes in pixels" if set(BOX_COLUMNS) <= set(columns) else "no boxes, so whole pictures"
    yield f"{path}: {len(rows)} rows with {', '.join(columns)}; {boxes}"
    if unused:
        others = [f"and {len(unused) - UNUSED_SHOWN} more"] * (len(unused) > UNUSED_SHOWN)
        yield f"{path}: not used: {', '.join([*map(quote, unused[:UNUSED_SHOWN]), *others])}"
    yield from describe_end(path)


def get_pictures_folder(data_dir: Path, _source: str) -> Path:
    """The folder in which the table should name each picture."""
    return data_dir


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
    describe=describe_labels,
    pictures=get_pictures_folder,
    url="",
)
SOURCES = tuple(FOLDER.sources)
