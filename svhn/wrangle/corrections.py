"""Corrected labels of pictures that are trained on: a table of names and numbers, as `report --suspects` writes it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from svhn.datasets.formats.csv_rows import check_separator, make_table_row, read_csv_rows
from svhn.errors import UserError, quote, shorten
from svhn.spec import DatasetSpec, Entry

COLUMNS = ("name", "number")  # that are read; others, such as those of suspects, are passed over
CORRECTED = ("train", "valid")  # splits; test is as it was published


@dataclass(frozen=True)
class Corrections:
    """Numbers that replace labels.

    Args:
        path: of the file; "" without corrections.
        numbers: the right number by the entry's name; "" leaves the entry out.
        digest: sha256 of the names and numbers; "" without corrections.
    """

    path: str = ""
    numbers: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    def describe(self, checksum: str) -> str:
        """The checksum of a source with the digest of its corrections, by which records and runs tell them apart."""
        return f"{checksum}, corrected by {self.digest}" if self.numbers else checksum


def read_corrections(path: Path, spec: DatasetSpec) -> Corrections:
    """Read a table with the columns `COLUMNS`.

    Raises:
        UserError: the file is missing or no such table, names an entry twice, or has a number that the data set's
            networks can't learn.
    """
    if not path.is_file():
        raise UserError(f"--corrections={path}: expected a CSV with the columns {', '.join(COLUMNS)}, found no file")
    rows = read_csv_rows(path)
    header = next(rows, None)
    if header:
        check_separator(path, header)
    if not header or not set(COLUMNS) <= set(header.cells):
        found = shorten(", ".join(header.cells)) if header else "no line"
        raise UserError(f"{path}: expected a header with the columns {' and '.join(COLUMNS)}, found {found}")
    numbers: dict[str, str] = {}
    for row in (make_table_row(header.cells, each) for each in rows):
        name, number = row.cells["name"], row.cells["number"].strip()
        problem = row.problem or _find_problem(spec, number) or ("named twice" if name in numbers else "")
        if problem:
            raise UserError(f"{path}, line {row.line} ({shorten(name)}): {problem}")
        numbers[name] = number
    pairs = "".join(f"{name}\0{number}\n" for name, number in sorted(numbers.items()))
    return Corrections(str(path), numbers, hashlib.sha256(pairs.encode()).hexdigest())


def _find_problem(spec: DatasetSpec, number: str) -> str:
    """Why a number can't be a label of the data set; "" if it can."""
    if not re.fullmatch("[0-9]*", number):
        return f"the number is {quote(number)}: expected digits, or nothing to leave the picture out"
    if number and spec.fixed_length and len(number) != spec.max_length:
        return f"the number is {number}: all numbers of {spec.name} have {spec.max_length} digits"
    if len(number) > spec.max_length and not spec.longer:
        return f"the number is {shorten(number)}: it is longer than --max_length={spec.max_length}"
    return ""


def correct_splits(splits: Mapping[str, list[Entry]], corrections: Corrections) -> dict[str, list[Entry]]:
    """The splits with the right numbers in train and valid, without the entries that are left out.

    Where the number of digits changes, the boxes of digits are not known any more.

    Raises:
        UserError: an entry that is corrected is not in train or valid. Test's labels stay as they were published.
    """
    names = {entry.name for split in CORRECTED for entry in splits.get(split, ())}
    unknown = [name for name in corrections.numbers if name not in names]
    if unknown:
        raise UserError(
            f"{corrections.path} corrects {len(unknown):,} of {len(corrections.numbers):,} pictures that are not in "
            f"{' or '.join(CORRECTED)}, the first: {shorten(unknown[0])}. Leave their lines out"
        )
    return {
        split: _correct_entries(entries, corrections.numbers) if split in CORRECTED else entries
        for split, entries in splits.items()
    }


def _correct_entries(entries: Iterable[Entry], numbers: Mapping[str, str]) -> list[Entry]:
    return [_correct_entry(entry, numbers) for entry in entries if numbers.get(entry.name) != ""]


def _correct_entry(entry: Entry, numbers: Mapping[str, str]) -> Entry:
    number = numbers.get(entry.name, entry.label)
    return entry._replace(label=number, boxes=entry.boxes if len(number) == len(entry.label) else ())
