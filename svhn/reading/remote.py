"""Pictures on other machines, named by addresses such as `gs://bucket/photos`: their search, and their state."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from svhn.errors import PassingError, UserError, find_remote_error_type, shorten
from svhn.images import import_fsspec, is_remote, list_suffixes
from svhn.runtime.files import describe_file

# What the file systems call a file's size, time and version. Each has some of these.
FACTS = ("size", "mtime", "created", "updated", "LastModified", "last_modified", "etag", "ETag", "generation")


def list_files(address: str, recursive: bool) -> dict[str, str]:
    """The files that an address, a folder's address or a pattern stands for, sorted, each with its state.

    The state is what `describe_picture` returns, or "" if the listing holds no size, as those of web servers.

    Args:
        address: the address. One that ends as a picture's name does is returned without a request.
        recursive: whether a folder stands for the files in its subfolders, too.

    Raises:
        UserError: the file system is unknown, its package is missing, or it doesn't answer.
    """
    if PurePosixPath(address).suffix.lower() in list_suffixes() and not glob.has_magic(address):
        return {address: ""}
    with _open_system(address) as (system, path):
        if glob.has_magic(path):
            found = system.glob(path, detail=True)
        elif system.isdir(path):
            found = system.find(path, maxdepth=None if recursive else 1, detail=True)
        else:
            return {address: ""}
        states = {system.unstrip_protocol(name): _describe_listed(facts) for name, facts in found.items()}
        return dict(sorted(states.items()))


def _describe_listed(facts: Mapping[str, Any]) -> str:
    return "" if facts.get("size") is None else _format_facts(facts)


def _format_facts(facts: Mapping[str, Any]) -> str:
    return " ".join(str(facts[key]) for key in FACTS if facts.get(key) is not None)


@contextmanager
def _open_system(address: str) -> Iterator[tuple[Any, str]]:
    fsspec = import_fsspec(address)
    try:
        yield fsspec.url_to_fs(address)
    except Exception as error:  # each file system raises errors of its own
        raise _explain_error(address, error) from error


def _explain_error(address: str, error: Exception) -> UserError:
    return UserError(f"{address}: {shorten(error)}: check the address, the access to it and its package")


def describe_picture(name: str, states: Mapping[str, str]) -> str:
    """What changes with a picture's file: its size, and its time or version; a size of -1 if it is unknown.

    Args:
        name: a path or an address.
        states: what is known of addresses already, as `list_files` returns it.

    Raises:
        UserError: a package for the address is missing, or the address can't be reached for a reason that may pass.
            Any other error is reported when the picture is read.
    """
    if not is_remote(name):
        return describe_file(name)
    return states.get(name) or _request_state(name)


def _request_state(address: str) -> str:
    fsspec = import_fsspec(address)
    try:
        system, path = fsspec.url_to_fs(address)
        return _format_facts(system.info(path)) or "-1"
    except ImportError as error:
        raise _explain_error(address, error) from error
    except Exception as error:  # each file system raises errors of its own
        if find_remote_error_type(error) is PassingError:  # else the next call would take the picture for another
            raise _explain_error(address, error) from error
        return "-1"
