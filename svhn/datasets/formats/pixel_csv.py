"""Pictures as rows of a CSV file with a column per pixel, as in Kaggle's digit-recognizer competition."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np

from svhn.errors import UserError
from svhn.spec import Size

LABEL_COLUMN = "label"
DIGITS = frozenset("0123456789")
PIXEL_VALUES = {str(value): value for value in range(256)}
NOT_TEXT = re.compile("[\0\udc80-\udcff]")  # bytes that aren't UTF-8 are read as these surrogates


def read_pixels(path: Path, size: Size, channels: int = 1, *, labeled: bool) -> Iterator[tuple[str, np.ndarray]]:
    """The labels and pictures of a file, one at a time.

    Args:
        path: a CSV file with a header: `label` if it is `labeled`, then `pixel0`, `pixel1`, … row by row. The
            channels of a pixel follow one another.
        size: height and width of the pictures, in pixels.
        channels: values per pixel.
        labeled: whether the file must have labels, or must have none.

    Yields:
        The label, a digit or "" in a file without labels, and the picture, uint8 (height, width, channels).

    Raises:
        UserError: the file holds something else. The message names the line.
    """
    columns = [LABEL_COLUMN] * labeled + [f"pixel{index}" for index in range(math.prod(size) * channels)]
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = _read_rows(path, file)
        _check_header(path, next(rows, (1, []))[1], columns)
        number = 0
        for number, row in rows:
            label, values = _parse_row(f"{path}, line {number}", row, columns)
            yield label, values.reshape(*size, channels)
    if not number:
        raise UserError(f"{path} has no rows, only a header: expected a line for each picture")


def _read_rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Each row with its line number, from 1. Raises `UserError` for a line that can't be split into values."""
    number = 0
    try:
        for number, row in enumerate(csv.reader(_check_text(path, lines)), start=1):
            if not row:
                raise UserError(f"{path}, line {number} is blank, expected values and commas: fix the line")
            yield number, row
    except csv.Error as error:  # for example a quote that is not closed, which swallows the lines after it
        raise UserError(f"{path}, line {number + 1}: {error}: expected values and commas: fix the line") from error


def _check_text(path: Path, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        found = NOT_TEXT.search(line)
        if found:
            fault = "a NUL byte" if found[0] == "\0" else "bytes that aren't UTF-8"
            raise UserError(f"{path}, line {number} has {fault}: expected a CSV file: save it as CSV in UTF-8")
        yield line


def _check_header(path: Path, header: list[str], columns: list[str]) -> None:
    """Raises `UserError`, with the first column that differs, for a header other than `columns`."""
    if not header:
        raise UserError(f"{path} is empty: expected a header from {columns[0]} to {columns[-1]}, then the pictures")
    if columns[0] == LABEL_COLUMN and header == columns[1:]:
        raise UserError(f"{path} has no labels, as Kaggle's test.csv: expected the column label before pixel0")
    if header[0] == LABEL_COLUMN != columns[0]:
        remedy = "save a copy without the column label"
        raise UserError(f"{path} has labels, as Kaggle's train.csv: expected pixels alone: {remedy}")
    for position, (found, expected) in enumerate(zip_longest(header, columns), start=1):
        if found != expected:
            there = "missing" if found is None else repr(found)
            wanted = f"{len(columns)} columns" if expected is None else repr(expected)
            raise UserError(f"{path}, line 1: column {position} is {there}, expected {wanted}: fix the header")


def _parse_row(place: str, row: list[str], columns: list[str]) -> tuple[str, np.ndarray]:
    """A row's label, and its pixels, uint8 (pixel columns,)."""
    if len(row) != len(columns):
        raise UserError(
            f"{place} has {len(row)} values, expected {len(columns)}, from {columns[0]} to {columns[-1]}: "
            "fix the line, or fetch the file again"
        )
    labeled = columns[0] == LABEL_COLUMN
    label = row[0] if labeled else ""
    if labeled and label not in DIGITS:
        raise UserError(f"{place}, column label: {label!r}, expected a digit from 0 to 9: fix the line")
    try:
        return label, np.frombuffer(bytearray(map(PIXEL_VALUES.__getitem__, row[labeled:])), np.uint8)
    except KeyError as error:
        column = columns[row.index(error.args[0])]
        raise UserError(
            f"{place}, column {column}: {error.args[0]!r}, expected a whole number from 0 to 255: fix the line"
        ) from error
