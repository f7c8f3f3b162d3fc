"""Pictures on other machines, named by addresses such as `gs://bucket/photos`: their search, and their state."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from svhn.errors import UserError, suggest_extra
from svhn.images import is_remote, list_suffixes
from svhn.runtime.files import describe_file

# What the file systems call a file's size, time and version. Each has some of these.
FACTS = ("size", "mtime", "created", "updated", "LastModified", "last_modified", "etag", "ETag", "generation")


def list_files(address: str, recursive: bool) -> list[str]:
    """The files that an address, a folder's address or a pattern stands for, sorted.

    Args:
        address: the address. One that ends as a picture's name does is returned without a request.
        recursive: whether a folder stands for the files in its subfolders, too.

    Raises:
        UserError: the file system is unknown, its package is missing, or it doesn't answer.
    """
    if PurePosixPath(address).suffix.lower() in list_suffixes() and not glob.has_magic(address):
        return [address]
    with _open_system(address) as (system, path):
        if glob.has_magic(path):
            names = system.glob(path)
        elif system.isdir(path):
            names = system.find(path, maxdepth=None if recursive else 1)
        else:
            return [address]
        return sorted(system.unstrip_protocol(name) for name in names)


@contextmanager
def _open_system(address: str) -> Iterator[tuple[Any, str]]:
    try:
        import fsspec
    except ImportError as error:
        raise UserError(f"{address}: addresses are read with fsspec: {suggest_extra('remote')}") from error
    try:
        yield fsspec.url_to_fs(address)
    except Exception as error:  # each file system raises errors of its own
        reason = str(error) or type(error).__name__
        raise UserError(f"{address}: {reason}: check the address, the access to it and its package") from error


def describe_picture(name: str) -> str:
    """What changes with a picture's file: its size, and its time or version. `name` is a path or an address."""
    if not is_remote(name):
        return describe_file(name)
    with _open_system(name) as (system, path):
        try:
            facts = system.info(path)
        except FileNotFoundError:
            return "-1"
        return " ".join(str(facts[key]) for key in FACTS if facts.get(key) is not None)
