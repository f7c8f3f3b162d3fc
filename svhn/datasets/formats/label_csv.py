"""`labels.csv`, the table of a folder of pictures: its columns, the rows that are whole, and the numbers in them."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from svhn.datasets.formats.csv_rows import (
    CsvRow,
    TableRow,
    check_separator,
    describe_end,
    ends_with_line,
    make_table_row,
    read_csv_rows,
)
from svhn.datasets.formats.label_rows import SHOWN, LabelRow, Labels, find_box_problem, join_row_problems
from svhn.errors import UserError, quote, shorten
from svhn.spec import Box

BOX_COLUMNS = ("left", "top", "width", "height")
COLUMNS = ("filename", "label", *BOX_COLUMNS, "split")
REQUIRED = ("filename", "label")
OTHER_NAMES = {  # how labelling tools spell the columns, in lower case and without signs between the letters
    "filename": ("file", "filepath", "path", "image", "imagename", "imagepath", "img", "name", "picture"),
    "label": ("text", "number", "digits", "value", "class", "target", "platetext"),
    "left": ("x", "xmin", "x1", "x0", "xtl", "bboxleft", "bboxx"),
    "top": ("y", "ymin", "y1", "y0", "ytl", "bboxtop", "bboxy"),
    "width": ("w", "bboxwidth", "bboxw", "boxwidth", "xmax", "x2", "right", "xbr", "xcenter"),
    "height": ("h", "bboxheight", "bboxh", "boxheight", "ymax", "y2", "bottom", "ybr", "ycenter"),
    "split": ("subset", "partition", "set"),
}
FAR_EDGES = {  # columns from which a width or a height follows
    **dict.fromkeys(("xmax", "x2", "right", "xbr"), " (the right edge less the left edge)"),
    **dict.fromkeys(("ymax", "y2", "bottom", "ybr"), " (the bottom edge less the top edge)"),
}
CANONICAL = {other: column for column, others in OTHER_NAMES.items() for other in (column, *others)}
SIMILARITY = 0.8  # difflib's ratio from which a name counts as a misspelt column
CHECKSUM_COLUMNS = (*BOX_COLUMNS, "label", "filename")
LABELS_FILE = "labels.csv"
TABLE_SPLITS = ("train", "test")


class LabelTable(NamedTuple):
    """The table's columns that are used, those that are not, and its rows in the file's order."""

    columns: tuple[str, ...]
    unused: tuple[str, ...]
    rows: list[TableRow]


def read_label_table(path: Path) -> LabelTable:
    """Read a CSV with the columns `COLUMNS`, of which `REQUIRED` are needed, and with all of `BOX_COLUMNS` or none.

    Raises:
        UserError: the file is not a CSV, has no rows, or has other columns: also if a column that is missing stands
            there in another spelling.
    """
    rows = read_csv_rows(path)
    header = next(rows, CsvRow(1, []))
    check_separator(path, header)
    faults = _find_header_faults(header.cells)
    if faults:
        raise UserError(f"{path}, line {header.line}: {'; '.join(faults)}: the columns are {', '.join(COLUMNS)}")
    found = [make_table_row(header.cells, row) for row in rows]
    if not found:
        raise UserError(f"{path} has only a header: expected a line for each picture")
    if header.cells[-1] == "split" and not found[-1].cells.get("split") and not ends_with_line(path):
        found[-1] = found[-1]._replace(problem="the split is empty, and the line has no line break: complete the line")
    used = tuple(name for name in header.cells if name in COLUMNS)
    return LabelTable(used, tuple(name for name in header.cells if name not in COLUMNS), found)


def _find_header_faults(header: Sequence[str]) -> list[str]:
    near = {name: column for name in header if (column := _propose_column(name)) and column not in header}
    faults = [
        f"column {name} is there twice" for name, count in Counter(header).items() if count > 1 and name in COLUMNS
    ]
    faults += [
        f"column {quote(name)}, expected {column}{FAR_EDGES.get(_simplify(name), '')}: rename it"
        for name, column in list(near.items())[: len(COLUMNS)]
    ]
    boxed = any(name in BOX_COLUMNS for name in (*header, *near.values()))
    needed = (*REQUIRED, *BOX_COLUMNS) if boxed else REQUIRED
    missing = [name for name in needed if name not in header and name not in near.values()]
    if missing:
        faults.append(f"has no column {', '.join(missing)}, only {shorten(', '.join(map(repr, header)))}: add it")
    return faults


def _propose_column(name: str) -> str:
    """The column that an unknown column's name resembles; "" for a known column and for any other name."""
    simple = _simplify(name)
    if name in COLUMNS:
        return ""
    similar = difflib.get_close_matches(simple, COLUMNS, 1, SIMILARITY)
    return CANONICAL.get(simple) or (similar[0] if similar else "")


def _simplify(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def find_tables(data_dir: Path) -> list[Path]:
    """The folder's `labels.csv`, or nothing."""
    path = data_dir / LABELS_FILE
    return [path] if path.is_file() else []


def read_csv_labels(_data_dir: Path, paths: Sequence[Path]) -> Labels:
    """The numbers of a folder's one table. Raises the errors of `read_label_table`."""
    (path,) = paths
    table = read_label_table(path)
    return Labels([_make_label_row(row) for row in table.rows], list(_describe_table(path, table)))


def _make_label_row(row: TableRow) -> LabelRow:
    """The number of a row. Values of a row that is not whole are in no certain column."""
    cells, box, problem = row.cells, None, row.problem
    name, label, split = cells["filename"], cells["label"].strip(), cells.get("split", "")
    if not problem:
        box, fault = _parse_box([cells.get(side, "").strip() for side in BOX_COLUMNS])
        problem = join_row_problems(name, label, fault, _find_split_problem(split))
    return LabelRow(
        name,
        label,
        box,
        split if split in TABLE_SPLITS else "",
        f"{LABELS_FILE}, line {row.line}",
        problem,
        written=tuple(cells.get(column, "") for column in CHECKSUM_COLUMNS),
    )


def _find_split_problem(split: str) -> str:
    return "" if split in ("", *TABLE_SPLITS) else f"split {quote(split)}, expected {' or '.join(TABLE_SPLITS)}"


def _parse_box(values: Sequence[str]) -> tuple[Box | None, str]:
    """The box that four cells hold, None if they are empty; and why it can't be used, or ""."""
    if not any(values):
        return None, ""
    try:
        left, top, width, height = map(float, values)
    except ValueError:
        return None, f"box {quote(','.join(values))}, expected four numbers"
    box = left, top, left + width, top + height
    fault = find_box_problem(box, ",".join(values))
    shares = ": multiply shares by the picture's width and height"
    return box, f"{fault}{shares}" if "pixels" in fault and max(left, top, width, height) <= 1 else fault


def _describe_table(path: Path, table: LabelTable) -> Iterator[str]:
    """Lines about the table: its rows, the columns that are used and the others, and what its boxes are taken for."""
    columns, unused, rows = table
    boxes = "boxes in pixels" if set(BOX_COLUMNS) <= set(columns) else "no boxes, so whole pictures"
    yield f"{path}: {len(rows)} rows with {', '.join(columns)}; {boxes}"
    if unused:
        others = [f"and {len(unused) - SHOWN} more"] * (len(unused) > SHOWN)
        yield f"{path}: not used: {', '.join([*map(quote, unused[:SHOWN]), *others])}"
    yield from describe_end(path)
