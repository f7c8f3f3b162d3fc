"""Errors that a user can mend, and the type of what prints a line."""

from __future__ import annotations

from collections.abc import Callable


class UserError(Exception):
    """A mistake that the user can mend: what was wrong, what was expected, what to do. Shown without a trace."""


class Interrupted(Exception):  # noqa: N818 - a wish and no error
    """The process was asked to stop by a signal, and has put its work in order."""

    def __init__(self, message: str, signum: int) -> None:
        super().__init__(message)
        self.signum = signum


def suggest_extra(extra: str) -> str:
    """How to install an optional dependency, for example `suggest_extra("svm")`; `extra` is a key of setup.py's EXTRAS.

    The package is on no registry, so the command is one for the project's own folder.
    """
    return f"run pip install -e '.[{extra}]' in the project's folder"


Say = Callable[[str], None]
