"""Errors that a user can fix, and the type of the functions that print a line."""

from __future__ import annotations

from collections.abc import Callable


class UserError(Exception):
    """A mistake that the user can fix. Its message names what was wrong, what was expected and what to do.

    The commands print the message without a trace.
    """


class Interrupted(Exception):  # noqa: N818 - a request to stop, not an error
    """A signal asked the process to stop, and the process has saved its work."""

    def __init__(self, message: str, signum: int) -> None:
        super().__init__(message)
        self.signum = signum


def suggest_extra(extra: str) -> str:
    """How to install an optional dependency, for example `suggest_extra("svm")`; `extra` is a key of setup.py's EXTRAS.

    The package is on no registry, so the command is one for the project's own folder.
    """
    return f"run pip install -e '.[{extra}]' in the project's folder"


Say = Callable[[str], None]  # prints one line for the user
