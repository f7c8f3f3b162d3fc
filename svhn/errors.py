"""Errors that a user can fix, foreign text in their messages, and the type of the functions that print a line."""

from __future__ import annotations

import errno
import reprlib
from collections.abc import Callable

# What the system refuses for good: a file that is missing or forbidden, or a name that no file can have.
LASTING_ERRORS = {
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ELOOP),
    *(errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENXIO, errno.ENODEV, errno.EFBIG, errno.EOVERFLOW),
}
PASSING_STATUS = {408, 425, 429}  # the answers of web servers below 500 that ask for another try
LONGEST_QUOTE = 200  # characters of a foreign text in a message
_REPR = reprlib.Repr()  # keeps the start and the end of a long text, and takes values of any depth
_REPR.maxstring = _REPR.maxother = LONGEST_QUOTE


class UserError(Exception):
    """A mistake that the user can fix. Its message names what was wrong, what was expected and what to do.

    The commands print the message without a trace.
    """


class Interrupted(Exception):  # noqa: N818 - a request to stop, not an error
    """A signal asked the process to stop, and the process has saved its work."""

    def __init__(self, message: str, signum: int) -> None:
        super().__init__(message)
        self.signum = signum


class PassingError(OSError):
    """A file that can't be read or written now. The reason may pass: a network, a disk or a limit of the system."""


def find_error_type(error: OSError) -> type[OSError]:
    """`PassingError` for what the system refuses for a reason that may pass; `OSError` for all else."""
    passing = isinstance(error, PassingError) or (error.errno or errno.ENOENT) not in LASTING_ERRORS
    return PassingError if passing else OSError


def find_remote_error_type(error: Exception) -> type[OSError]:
    """As `find_error_type`, for what fsspec raises, whose file systems have errors of their own."""
    status = getattr(error, "status", None) or getattr(error, "code", None)
    refused = isinstance(status, int) and 400 <= status < 500 and status not in PASSING_STATUS
    lasting = isinstance(
        error, FileNotFoundError | PermissionError | IsADirectoryError | ValueError | NotImplementedError
    )
    forbidden = str(error).startswith("Forbidden")  # gcsfs raises a plain OSError
    return OSError if refused or lasting or forbidden else PassingError


def quote(value: object) -> str:
    """A value of a file or a flag for a message: one line of at most `LONGEST_QUOTE` characters.

    Text stands in quotes, so that blanks at its ends can be seen. Letters that no terminal prints are escaped.
    """
    return _cut_text(_REPR.repr(value))


def shorten(text: object) -> str:
    """The first line of a library's message, or of an exception's, in at most `LONGEST_QUOTE` characters.

    An exception without a message is named by its type.
    """
    unnamed = [type(text).__name__] if isinstance(text, BaseException) else [""]
    lines = str(text).strip().splitlines() or unnamed
    return _cut_text(lines[0])


def _cut_text(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"


def suggest_extra(extra: str) -> str:
    """How to install an optional dependency, for example `suggest_extra("svm")`; `extra` is a key of setup.py's EXTRAS.

    The package is on no registry, so the command is one for the project's own folder.
    """
    return f"run pip install -e '.[{extra}]' in the project's folder"


Say = Callable[[str], None]  # prints one line for the user
