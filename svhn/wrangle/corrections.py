"""Corrected labels of pictures that are trained on: a table of names and numbers, as `report --suspects` writes it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from svhn.datasets.formats.csv_rows import TableRow, check_separator, make_table_row, read_csv_rows
from svhn.errors import UserError, quote, shorten
from svhn.labels import TRUNCATED_TEXT
from svhn.records import CORRECTED_BY
from svhn.spec import DatasetSpec, Entry

COLUMNS = ("name", "number")  # that a table needs; others, such as the confidence of suspects, are passed over
LABEL = "label"  # a column by which a table of other entries is noticed: another seed draws many names anew
CORRECTED = ("train", "valid")  # splits; test is as it was published


class Correction(NamedTuple):
    """The right number, "" to leave an entry out, and the label that it replaces, None where the table has none."""

    number: str
    label: str | None


@dataclass(frozen=True)
class Corrections:
    """Numbers that replace labels.

    Args:
        path: of the file; "" without corrections.
        rows: the corrections by the entry's name.
    """

    path: str = ""
    rows: Mapping[str, Correction] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The sha256 of all names and numbers; "" without corrections."""
        pairs = "".join(f"{name}\0{row.number}\n" for name, row in sorted(self.rows.items()))
        return hashlib.sha256(pairs.encode()).hexdigest() if pairs else ""

    def describe_source(self, checksum: str) -> str:
        """The checksum of a source with the digest of its corrections, if it has some."""
        return f"{checksum}{CORRECTED_BY}{self.digest}" if self.rows else checksum

    def summarize(self) -> list[str]:
        """A line for the user; none without corrections."""
        left_out = sum(not row.number for row in self.rows.values())
        replaced = f"{len(self.rows) - left_out} labels replaced, {left_out} pictures left out"
        return [f"{replaced}, as {self.path} has them"] if self.rows else []


def read_corrections(path: Path, spec: DatasetSpec) -> Corrections:
    """Read a table with the columns `COLUMNS` and, if it has it, `LABEL`.

    Raises:
        UserError: the file is missing or no such table, names an entry with two numbers, or has a number that the data
            set's networks can't learn.
    """
    if not path.is_file():
        raise UserError(f"--corrections={path}: expected a CSV with the columns {', '.join(COLUMNS)}, found no file")
    rows: dict[str, Correction] = {}
    for row in _read_rows(path):
        name, number = row.cells["name"], row.cells["number"].strip()
        correction = Correction(number, row.cells.get(LABEL))
        twice = "named before, with another number or label" if rows.get(name, correction) != correction else ""
        problem = row.problem or _find_problem(spec, number) or twice
        if problem:
            raise UserError(f"{path}, line {row.line} ({shorten(name)}): {problem}")
        rows[name] = correction
    return Corrections(str(path), rows)


def _read_rows(path: Path) -> Iterable[TableRow]:
    rows = read_csv_rows(path)
    header = next(rows, None)
    if header:
        check_separator(path, header)
    if not header or not set(COLUMNS) <= set(header.cells):
        found = shorten(", ".join(header.cells)) if header else "no line"
        raise UserError(f"{path}: expected a header with the columns {' and '.join(COLUMNS)}, found {found}")
    return (make_table_row(header.cells, each) for each in rows)


def _find_problem(spec: DatasetSpec, number: str) -> str:
    """Why a number can't be a label of the data set; "" if it can."""
    if not re.fullmatch("[0-9]*", number):
        return f"the number is {quote(number)}: expected digits, or nothing to leave the picture out"
    if number and spec.fixed_length and len(number) != spec.max_length:
        return f"the number is {shorten(number)}: all numbers of {spec.name} have {spec.max_length} digits"
    if len(number) > spec.max_length and not spec.longer:
        return f"the number is {shorten(number)}: it is longer than --max_length={spec.max_length}"
    return ""


def correct_splits(
    splits: Mapping[str, list[Entry]], corrections: Corrections, max_length: int
) -> dict[str, list[Entry]]:
    """The splits with the right numbers in train and valid, without the entries that are left out.

    Args:
        splits: the entries of each split.
        corrections: the right numbers.
        max_length: digits of the longest number; a table has `TRUNCATED_TEXT` as the label of a longer one.

    Raises:
        UserError: a correction is of an entry that is in neither of them, or that has another label than the table's.
    """
    if not corrections.rows:
        return dict(splits)
    entries = chain.from_iterable(splits.get(split, ()) for split in CORRECTED)
    labels = {each.name: each.label if len(each.label) <= max_length else TRUNCATED_TEXT for each in entries}
    _check_names(corrections, labels)
    return {
        split: _correct_entries(entries, corrections.rows) if split in CORRECTED else entries
        for split, entries in splits.items()
    }


def _check_names(corrections: Corrections, labels: Mapping[str, str]) -> None:
    unknown = [name for name in corrections.rows if name not in labels]
    if unknown:
        raise UserError(
            f"{corrections.path}: {_list_first(unknown)} not in train or valid of the sources that are read: "
            "name their sources with --splits, or give a table without them. Labels of test stay as published"
        )
    other = [name for name, row in corrections.rows.items() if row.label not in (None, labels[name])]
    if other:
        raise UserError(
            f"{corrections.path}: {_list_first(other)} labeled otherwise here than in the table: use the data "
            "set and the --seed of the records that the report read"
        )


def _list_first(names: list[str]) -> str:
    more = f" and {len(names) - 1:,} more are" if len(names) > 1 else " is"
    return f"{shorten(names[0])}{more}"


def _correct_entries(entries: Iterable[Entry], rows: Mapping[str, Correction]) -> list[Entry]:
    kept = (entry for entry in entries if entry.name not in rows or rows[entry.name].number)
    return [entry._replace(label=rows[entry.name].number) if entry.name in rows else entry for entry in kept]
