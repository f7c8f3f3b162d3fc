"""fast-plate-ocr's CSV: a line for each picture of one number. https://ankandrew.github.io/fast-plate-ocr

As in its own reader (`fast_plate_ocr.train.data.annotations`), paths start from the CSV's folder, and a picture whose
text is empty shows no number.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from svhn.datasets.formats.csv_rows import (
    CsvRow,
    TableRow,
    check_separator,
    describe_end,
    make_table_row,
    read_csv_rows,
)
from svhn.datasets.formats.label_csv import LABELS_FILE
from svhn.datasets.formats.label_rows import (
    LabelRow,
    Labels,
    describe_unlabeled,
    describe_unused,
    find_split,
    join_row_problems,
)
from svhn.datasets.formats.picture_paths import PictureIndex, find_picture, index_pictures
from svhn.errors import UserError, quote, shorten

PICTURE, TEXT = COLUMNS = ("image_path", "plate_text")  # a third one, plate_region, is the plate's country
MARKS = [re.compile(rb"\b%s\b" % name.encode()) for name in COLUMNS]
HEADER_BYTES = 1 << 12  # of a file, in which its header is looked for


def find_plate_tables(data_dir: Path) -> list[Path]:
    """The CSV files of a folder and its subfolders whose first line has both columns, but no `labels.csv` of ours."""
    paths = sorted(path for pattern in ("*.csv", "*/*.csv") for path in data_dir.glob(pattern) if path.is_file())
    return [path for path in paths if path != data_dir / LABELS_FILE and _has_columns(path)]


def _has_columns(path: Path) -> bool:
    with path.open("rb") as file:
        lines = file.read(HEADER_BYTES).strip().splitlines()
    return bool(lines) and all(mark.search(lines[0]) for mark in MARKS)


def read_plate_tables(data_dir: Path, paths: Sequence[Path]) -> Labels:
    """The numbers of all files. Raises `UserError` if one is not a CSV with both columns."""
    pictures = index_pictures(data_dir)
    tables = [_read_table(path, path.relative_to(data_dir), pictures) for path in paths]
    return Labels([row for table in tables for row in table.rows], [note for table in tables for note in table.notes])


def _read_table(path: Path, below: PurePath, pictures: PictureIndex) -> Labels:
    lines = read_csv_rows(path)
    header = next(lines, CsvRow(1, []))
    _check_header(path, header)
    found = [_make_row(make_table_row(header.cells, line), below, pictures) for line in lines]
    unused = Counter({f"values of {quote(name)}": len(found) for name in header.cells if name not in COLUMNS})
    rows = list(_list_numbers(found, unused))
    bare = list(dict.fromkeys(row.filename for row in found if not (row.label or row.problem)))
    said = f"{path}: fast-plate-ocr, {len(found)} lines with {len(rows)} numbers; no boxes, so whole pictures"
    return Labels(rows, [said, *describe_unused(path, unused), *describe_unlabeled(path, bare), *describe_end(path)])


def _check_header(path: Path, header: CsvRow) -> None:
    """Raises `UserError` unless each column is there once."""
    check_separator(path, header)
    fault = next((name for name in COLUMNS if header.cells.count(name) != 1), "")
    if fault:
        found = f"{path}, line {header.line} has {header.cells.count(fault)} columns {fault}, expected one"
        raise UserError(f"{found} among {shorten(', '.join(map(repr, header.cells)))}: correct the line")


def _make_row(line: TableRow, file: PurePath, pictures: PictureIndex) -> LabelRow:
    """A line of the table; only what is wrong with its text is not yet a problem."""
    name, lost = find_picture(pictures, line.cells[PICTURE], file.parent.as_posix())
    text, place = line.cells[TEXT].strip(), f"{file.as_posix()}, line {line.line}"
    return LabelRow(name, text, None, find_split(file), place, line.problem or lost)


def _list_numbers(rows: Sequence[LabelRow], unused: Counter[str]) -> Iterator[LabelRow]:
    """The rows with a number. A line that repeats an earlier one is counted; texts that differ are a problem."""
    texts: dict[str, dict[str, LabelRow]] = defaultdict(dict)
    for row in rows:
        if row.problem:
            yield row
        elif row.label in texts[row.filename]:
            unused["lines that repeat an earlier one"] += 1
        else:
            texts[row.filename][row.label] = row
    for name, found in texts.items():
        doubt = f"the lines of the picture have the texts {quote('; '.join(found))}: keep one" if len(found) > 1 else ""
        for label, row in found.items():
            if label or not name:
                yield row._replace(problem=join_row_problems(name, label, doubt))
