"""What a picture is given as: a path, an address, the content of a file or an open file; each becomes an open file."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
from PIL import Image

from svhn.errors import UserError, find_remote_error_type, shorten, suggest_extra

SPECIAL_FILES = {"p": "a named pipe", "s": "a socket", "c": "a device", "b": "a device", "d": "a folder"}
ADDRESS = re.compile("[a-zA-Z][a-zA-Z0-9+.-]+://")  # how addresses begin, and no path on Windows, such as C://a


def is_remote(source: Any) -> bool:
    """Whether a picture is named by an address, and not by a path."""
    return isinstance(source, str) and ADDRESS.match(source) is not None


def is_one_picture(images: Any) -> bool:
    """Whether what is given is one picture, or an object that can't be one, and not several pictures."""
    if isinstance(images, str | bytes | bytearray | memoryview | os.PathLike | Image.Image) or hasattr(images, "read"):
        return True
    if is_array(images):
        return len(images.shape) < 4
    return not isinstance(images, Iterable) or isinstance(images, Mapping)


@contextmanager
def open_content(source: Any) -> Iterator[IO[bytes]]:
    """An open file with the content of a picture, at its start.

    Args:
        source: all that `open_picture` takes, but no PIL image and no array.

    Raises:
        OSError: the file is missing, or nothing that can be read from its start again.
        ValueError: `source` is of another type.
    """
    if isinstance(source, str | os.PathLike) and not is_remote(source):
        _refuse_special_file(source)
        with open(source, "rb") as file:  # noqa: PTH123 - the path may be a string
            yield file
    else:
        yield io.BytesIO(read_content(source))


def read_content(source: Any) -> bytes:
    """The content of a picture that is given as anything but a path. Raises the errors of `open_content`."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if hasattr(source, "read"):
        return _read_open_file(source)
    if is_remote(source):
        return _fetch_file(source)
    raise ValueError(
        f"a picture of type {type(source).__name__}: expected a path, the content of a file, an open file, a PIL image "
        "or an array"
    )


def _read_open_file(file: Any) -> bytes:
    try:
        content = file.read()
    except Exception as error:  # each kind of file raises errors of its own
        raise OSError(f"the open file can't be read: {shorten(error)}") from error
    if not isinstance(content, bytes):
        raise ValueError(f"an open file of {type(content).__name__}: expected one that is opened for bytes, as 'rb'")
    return content


def import_fsspec(address: str) -> Any:
    """The package that opens addresses. Raises `UserError` if it is missing."""
    try:
        import fsspec
    except ImportError as error:
        raise UserError(f"{address}: addresses are read with fsspec: {suggest_extra('remote')}") from error
    return fsspec


def _fetch_file(address: str) -> bytes:
    """The content of a file on another machine.

    Raises:
        OSError: the file can't be fetched; `PassingError` for a reason that may pass.
    """
    fsspec = import_fsspec(address)
    try:
        with fsspec.open(address, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise FileNotFoundError("the picture is missing") from error
    except Exception as error:  # each file system raises errors of its own
        raise find_remote_error_type(error)(f"the picture can't be fetched: {shorten(error)}") from error


def _refuse_special_file(path: str | os.PathLike[str]) -> None:
    """Raise `OSError` for a path of anything but a regular file: to open a pipe may take forever."""
    mode = os.stat(path).st_mode  # noqa: PTH116 - the path may be a string
    if not stat.S_ISREG(mode):
        raise OSError(f"expected a file, got {SPECIAL_FILES.get(stat.filemode(mode)[0], 'something else')}")


def is_array(source: Any) -> bool:
    """Whether a picture is given as an array, or as another library's tensor."""
    return hasattr(source, "__array__")


def copy_array(source: Any) -> np.ndarray:
    """A NumPy array with the values of an array or tensor. Raises `ValueError` if NumPy can't take them."""
    try:
        return np.array(source)
    except Exception as error:  # each library raises errors of its own, such as for tensors of a GPU
        raise ValueError(f"an array that NumPy can't take: {shorten(error)}") from error
