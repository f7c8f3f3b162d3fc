"""Files that are complete or absent: written under a temporary name, and renamed at the end."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


def compute_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def atomic_write(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """A file that takes its name only once it is complete and on the disk. On an error, the old file stays.

    Args:
        path: the file's final name, in a folder that exists.
        mode: "wb" for bytes, or "w" for UTF-8 text with line ends as given.
    """
    temporary = path.with_name(path.name + ".tmp")
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "")
    try:
        with attach_filename(temporary), temporary.open(mode, encoding=encoding, newline=newline) as file:
            yield file
            flush_to_disk(file)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: object, sort_keys: bool = False) -> None:
    """Write a JSON file with `atomic_write`."""
    with atomic_write(path, "w") as file:
        json.dump(content, file, indent=1, sort_keys=sort_keys)


@contextmanager
def attach_filename(path: Path) -> Iterator[None]:
    """Add the file's name to an error that the system reports without one, such as a full disk."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def flush_to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file with `atomic_write`, and its folder if that is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, "w") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
