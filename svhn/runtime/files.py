"""Files that are complete or absent: written under a temporary name, and renamed at the end."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from svhn.errors import PassingError, UserError, find_error_type
from svhn.spec import Archive


class DamagedFileError(UserError):
    """A file of ours that is there and can't be used.

    Args:
        path: the file.
        problem: what was found in it.
        remedy: what to do.
    """

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        super().__init__(f"{path} is damaged ({problem}): {remedy}")
        self.path, self.problem = path, problem


def set_aside(path: Path) -> Path:
    """Rename a damaged file, so that a new one can take its name; returns the name that it has then.

    The name is `NAME.damaged`, or `NAME.damaged-1` and so on if an earlier file has that name.
    """
    return path.replace(next(name for name in list_damaged_names(path) if not name.exists()))


def list_damaged_names(path: Path) -> Iterator[Path]:
    """The names under which a damaged file can be kept, one after another."""
    return (path.with_name(f"{path.name}.damaged{f'-{number}' if number else ''}") for number in count())


def compute_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe_mismatch(path: Path, archive: Archive, checksum: str | None = None) -> str:
    """How a file differs from the published one; "" if it does not.

    Args:
        path: the file.
        archive: the published size and sha256.
        checksum: the file's sha256, if it has been computed before.
    """
    size = path.stat().st_size
    if archive.size is not None and archive.size != size:
        return f"it has {size:,} bytes, expected {archive.size:,}"
    if archive.sha256 is None:
        return ""
    checksum = checksum or compute_sha256(path)
    return "" if checksum == archive.sha256 else f"sha256 is {checksum}, expected {archive.sha256}"


def digest_files(names: Iterable[str], describe: Callable[[str], str] | None = None) -> str:
    """A sha256 that changes with the files, although no file is read.

    Args:
        names: the files' names.
        describe: what changes with a file of that name; None for its size and its time.
    """
    digest = hashlib.sha256()
    for name in names:
        digest.update(os.fsencode(name) + f"\0{(describe or describe_file)(name)}\n".encode())
    return digest.hexdigest()


def describe_file(name: str) -> str:
    """The size and time of a file; a size of -1 if it is missing. Raises `OSError` for a reason that may pass."""
    try:
        status = os.stat(name)  # noqa: PTH116 - a Path would double the time
    except ValueError:  # a name with a zero byte
        return "-1"
    except OSError as error:
        if find_error_type(error) is PassingError:  # else the next call would take the file for another
            raise
        return "-1"
    return f"{status.st_size} {status.st_mtime_ns}"


def make_ending() -> str:
    """An ending for a temporary name. Two processes that write the same file get two names."""
    return f".{uuid4().hex}.tmp"


@contextmanager
def name_temporarily(path: Path, ending: str = ".tmp") -> Iterator[Path]:
    """A name for a file while it is written, which takes its own name at the end. On an error, the old file stays.

    Args:
        path: the file's final name, in a folder that exists.
        ending: what the temporary name adds to it.
    """
    temporary = path.with_name(path.name + ending)
    try:
        yield temporary
        temporary.replace(path)
        _flush_folder(path.parent)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename == str(temporary):
            error.filename = str(path)  # the name that the user gave
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_write(path: Path, mode: str = "wb", ending: str = ".tmp") -> Iterator[IO[Any]]:
    """A file that takes its name only once it is complete and on the disk. On an error, the old file stays.

    Args:
        path, ending: as `name_temporarily` takes them.
        mode: "wb" for bytes, or "w" for UTF-8 text with line ends as given.
    """
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "")
    with (
        name_temporarily(path, ending) as temporary,
        attach_filename(temporary),
        temporary.open(mode, encoding=encoding, newline=newline) as file,
    ):
        yield file
        flush_to_disk(file)


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


def _flush_folder(folder: Path) -> None:
    """Make a new name in the folder survive a power cut, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows
        return
    with suppress(OSError):  # folders that may only be written can't be opened; some network file systems refuse fsync
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file with `atomic_write`, and its folder if that is missing. Two processes may write one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, "w", make_ending()) as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
