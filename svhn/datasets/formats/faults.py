"""What is wrong with a data set's file, as a message whose remedy leaves the file where it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from svhn.errors import UserError
from svhn.runtime.files import describe_mismatch
from svhn.spec import Archive


class FormatError(Exception):
    """A file can't be used. The message names what was found and what was expected; it follows the file's path."""


class LayoutError(FormatError):
    """A file can be read, but holds its values in another layout.

    Args:
        found: what the file has.
        expected: what it should have in place of `found`.
    """

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"is in another layout: it has {found}, expected {expected}")


@contextmanager
def explain_faults(path: Path, dataset: str, archive: Archive | None = None) -> Iterator[None]:
    """Turn a `FormatError` into a `UserError` with a remedy.

    Args:
        path: the file.
        dataset: the data set's key in `DATASETS`.
        archive: the published file, which the file is then compared with; None if it can't be compared.
    """
    try:
        yield
    except FormatError as error:
        compared = _compare_file(path, archive) if archive and archive.sha256 else ""
        raise UserError(f"{path} {error}{compared}: {suggest_copy(dataset)}") from error


def _compare_file(path: Path, archive: Archive) -> str:
    mismatch = describe_mismatch(path, archive)
    return f"; it differs from the published file: {mismatch}" if mismatch else "; it is as published"


def suggest_copy(dataset: str) -> str:
    """How to come to files of a data set that can be read. Nothing that is there is replaced."""
    command = f"svhn download --dataset={dataset} --data_dir=FOLDER"
    return f"save your own data again as expected, or fetch the published data into another folder with `{command}`"
