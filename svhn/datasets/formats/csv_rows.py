"""The rows of a CSV file with their line numbers, whatever the columns hold. Blank lines are passed over."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from svhn.errors import UserError, quote, shorten

NOT_TEXT = re.compile("[\0\udc80-\udcff]")  # bytes that aren't UTF-8 are read as these surrogates
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}  # other than commas


class CsvRow(NamedTuple):
    """A row's first line in its file, from 1, and its cells."""

    line: int
    cells: list[str]


class TableRow(NamedTuple):
    """A row by the columns of its header.

    Args:
        line: its line in the file, from 1.
        cells: its text by column.
        problem: why it is not whole; "" if it is.
    """

    line: int
    cells: Mapping[str, str]
    problem: str


def read_csv_rows(path: Path) -> Iterator[CsvRow]:
    """The rows of a file in UTF-8, the header first, one at a time. A row without any text is passed over.

    Raises:
        UserError: the file is not text in UTF-8, or a quote is not closed. The message names the line.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(_check_text(path, file), strict=True)  # strict: a quote that is not closed is an error
        line = 1
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield CsvRow(line, cells)
                line = reader.line_num + 1
        except csv.Error as error:  # a quote that is not closed swallows the lines after it
            raise UserError(f"{path}, line {line}: {error}: expected values and commas: fix the line") from error


def _check_text(path: Path, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        found = NOT_TEXT.search(line)
        if found:
            fault = "a NUL byte" if found[0] == "\0" else "bytes that aren't UTF-8"
            raise UserError(f"{path}, line {number} has {fault}: expected a CSV file: save it as CSV in UTF-8")
        yield line


def check_separator(path: Path, header: CsvRow) -> None:
    """Raises `UserError` for a header of one cell that holds another separator than commas."""
    for sign, name in SEPARATORS.items():
        if len(header.cells) == 1 and sign in header.cells[0]:
            found = f"{path}, line {header.line} has {name} between its columns: {quote(header.cells[0])}"
            raise UserError(f"{found}: expected commas: save the table as CSV with commas")


def find_length_fault(cells: Sequence[str], columns: Sequence[str]) -> str:
    """How the number of a row's cells differs from the header's; "" if it does not."""
    if len(cells) == len(columns):
        return ""
    values = f"{len(cells)} value{'s' * (len(cells) != 1)}"
    return f"{values}, expected {len(columns)}, from {shorten(columns[0])} to {shorten(columns[-1])}"


def make_table_row(header: Sequence[str], row: CsvRow) -> TableRow:
    """A row by its columns, with a problem if it has too few or too many cells, or a line break in one of them."""
    fault = find_length_fault(row.cells, header)
    problem = f"{fault}: complete the line, or put a text with a comma into quotes" if fault else ""
    if any("\n" in cell or "\r" in cell for cell in row.cells):
        problem = "a value goes on in the next line: close its quote"
    cells = {**dict.fromkeys(header, ""), **dict(zip(header, row.cells, strict=False))}  # a short row has a problem
    return TableRow(row.line, cells, problem)


def ends_with_line(path: Path) -> bool:
    """Whether the last line of a file has an end, or no line is there. A file that was cut short mostly has none."""
    if not path.stat().st_size:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) in (b"\n", b"\r")


def describe_end(path: Path) -> list[str]:
    """A line for the user if `ends_with_line` is false; else none."""
    return [] if ends_with_line(path) else [f"{path}: the last line has no line break: check that the line is whole"]
