"""Pictures as rows of a CSV file with a column per pixel, as in Kaggle's digit-recognizer competition."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np

from svhn.datasets.formats.csv_rows import CsvRow, check_separator, find_length_fault, read_csv_rows
from svhn.errors import UserError, quote
from svhn.spec import Size

LABEL_COLUMN = "label"
DIGITS = frozenset("0123456789")
PIXEL_VALUES = {str(value): value for value in range(256)}


class PixelRow(NamedTuple):
    """A row of pixels.

    Args:
        label: a digit; "" in a file without labels, or if the row can't be used.
        picture: uint8 (height, width, channels); zeros if the row can't be used.
        problem: the row's line, and why the row can't be used; "" if it can.
    """

    label: str
    picture: np.ndarray
    problem: str


def read_pixels(path: Path, size: Size, channels: int = 1, *, labeled: bool) -> Iterator[tuple[str, np.ndarray]]:
    """The label and the picture of each row. The arguments are those of `read_pixel_rows`.

    Raises:
        UserError: as `read_pixel_rows`, or a row can't be used. The message names the line.
    """
    for label, picture, problem in read_pixel_rows(path, size, channels, labeled=labeled):
        if problem:
            raise UserError(f"{path}, {problem}: fix the line, or fetch the file again")
        yield label, picture


def read_pixel_rows(path: Path, size: Size, channels: int = 1, *, labeled: bool) -> Iterator[PixelRow]:
    """The rows of a file, one at a time. Rows that can't be used are among them, each with its problem.

    Args:
        path: a CSV file with a header: `label` if it is `labeled`, then `pixel0`, `pixel1`, … row by row. The
            channels of a pixel follow one another.
        size: height and width of the pictures, in pixels.
        channels: values per pixel.
        labeled: whether the file must have labels, or must have none.

    Raises:
        UserError: the file has another header, no rows, or is not a CSV file.
    """
    shape = (*size, channels)
    columns = [LABEL_COLUMN] * labeled + [f"pixel{index}" for index in range(math.prod(shape))]
    rows = read_csv_rows(path)
    _check_header(path, next(rows, CsvRow(1, [])), columns)
    line = 0
    for line, cells in rows:
        try:
            label, values = _parse_row(cells, columns)
            yield PixelRow(label, values.reshape(shape), "")
        except ValueError as error:
            yield PixelRow("", np.zeros(shape, np.uint8), f"line {line}{error}")
    if not line:
        raise UserError(f"{path} has no rows, only a header: expected a line for each picture")


def _check_header(path: Path, header: CsvRow, columns: list[str]) -> None:
    """Raises `UserError`, with the first column that differs, for a header other than `columns`."""
    line, cells = header
    if not cells:
        raise UserError(f"{path} is empty: expected a header from {columns[0]} to {columns[-1]}, then the pictures")
    check_separator(path, header)
    if columns[0] == LABEL_COLUMN and cells == columns[1:]:
        raise UserError(f"{path} has no labels, as Kaggle's test.csv: expected the column label before pixel0")
    if cells[0] == LABEL_COLUMN != columns[0]:
        remedy = "save a copy without the column label"
        raise UserError(f"{path} has labels, as Kaggle's train.csv: expected pixels alone: {remedy}")
    for position, (found, expected) in enumerate(zip_longest(cells, columns), start=1):
        if found != expected:
            there = "missing" if found is None else quote(found)
            wanted = f"{len(columns)} columns" if expected is None else repr(expected)
            raise UserError(f"{path}, line {line}: column {position} is {there}, expected {wanted}: fix the header")


def _parse_row(cells: list[str], columns: list[str]) -> tuple[str, np.ndarray]:
    """A row's label, and its pixels, uint8 (pixel columns,). Raises `ValueError`, whose text follows the line."""
    fault = find_length_fault(cells, columns)
    if fault:
        raise ValueError(f" has {fault}")
    labeled = columns[0] == LABEL_COLUMN
    label = cells[0] if labeled else ""
    if labeled and label not in DIGITS:
        raise ValueError(f", column label: {quote(label)}, expected a digit from 0 to 9")
    try:
        return label, np.frombuffer(bytearray(map(PIXEL_VALUES.__getitem__, cells[labeled:])), np.uint8)
    except KeyError as error:
        column = columns[cells.index(error.args[0])]
        raise ValueError(f", column {column}: {quote(error.args[0])}, expected a whole number from 0 to 255") from error
