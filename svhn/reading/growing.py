"""Tables that grow row by row under their own names, so that a kill loses no row: CSV and JSON Lines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from svhn.errors import UserError, quote
from svhn.reading.outputs import SCHEMA, Row
from svhn.reading.tables import TEXT_FORMATS, TextFormat
from svhn.runtime.files import atomic_write, attach_filename, make_ending

ENDINGS = (".csv", ".jsonl")
LONGEST_ROW = 1 << 16  # bytes; a row holds one number and its file's name


def can_grow(output: str) -> bool:
    """Whether a table of this name can grow: the other formats are whole at their end alone."""
    return Path(output).suffix.lower() in ENDINGS


@contextmanager
def open_growing_table(path: Path, go_on: bool) -> Iterator[Callable[[Row], None]]:
    """A function that adds a row to a table, and has the system write it. Without any row, an earlier table stays.

    Args:
        path: a name with one of `ENDINGS`; its folder is made.
        go_on: whether the rows are added to an earlier table of the same name, and don't replace it.

    Raises:
        UserError: the earlier file is no such table.
    """
    form = TEXT_FORMATS[path.suffix.lower()]
    path.parent.mkdir(parents=True, exist_ok=True)
    if go_on:
        _check_earlier(path, form)
    with attach_filename(path), ExitStack() as stack:
        files: list[IO[bytes]] = []

        def write_row(row: Row) -> None:
            if not files:
                files.append(stack.enter_context(_start_table(path, form, go_on)))
            files[0].write((form.format_row(row) + form.end).encode())
            files[0].flush()

        yield write_row


def _check_earlier(path: Path, form: TextFormat) -> None:
    if not path.exists():
        return
    with path.open("rb") as file:
        first = file.readline(LONGEST_ROW).decode(errors="replace")
    if first and not (first == form.start if form.start else _is_row(first)):
        raise UserError(
            f"--output={path}: rows can't be added to a file whose first line is {quote(first)}: choose another name"
        )


def _is_row(line: str) -> bool:
    try:
        return json.loads(line)["schema"] == SCHEMA
    except (ValueError, TypeError, KeyError):
        return False


def _start_table(path: Path, form: TextFormat, go_on: bool) -> IO[bytes]:
    if go_on and path.exists() and path.stat().st_size:
        _drop_cut_row(path)
    else:
        with atomic_write(path, ending=make_ending()) as file:
            file.write(form.start.encode())
    return path.open("ab")


def _drop_cut_row(path: Path) -> None:
    """Remove the start of a row at the table's end, which a full disk or a power cut leaves."""
    with path.open("rb+") as file:
        file.seek(-min(LONGEST_ROW, path.stat().st_size), os.SEEK_END)
        last = file.read().rpartition(b"\n")[2]
        file.seek(-len(last), os.SEEK_END)
        file.truncate()
