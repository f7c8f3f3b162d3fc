"""What asks a training to stop at its next step: a signal, or lines that can't be printed any more."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from svhn.errors import Interrupted, Say
from svhn.runtime.signals import SIGPIPE, catch_signals


class Stops:
    """The signals that came, and what printing has raised. It is true if there is any of them.

    Args:
        signals: the signals; more can be added.
        say: prints a line.
    """

    def __init__(self, signals: list[int], say: Say) -> None:
        self.signals, self._say = signals, say
        self.error: OSError | None = None

    def say(self, line: str) -> None:
        """Print a line, or keep the reason why it can't be printed: the steps that are done would be lost with it."""
        try:
            self._say(line)
        except OSError as error:  # the pipe's reader has ended, the terminal is closed, or a disk is full
            self.error = error

    def __bool__(self) -> bool:
        return bool(self.signals or self.error)

    def make_error(self, message: str) -> Exception:
        """The error to raise once all is saved. Where another worker was asked to stop, it is that of SIGTERM."""
        if self.error and not self.signals and not isinstance(self.error, BrokenPipeError):
            return self.error
        ends = self.signals or ([SIGPIPE] if self.error else [signal.SIGTERM])
        return Interrupted(message, ends[0])


@contextmanager
def catch_stops(say: Say) -> Iterator[Stops]:
    """Collect what asks for a stop, where signals would end the work at once, as would lines that can't be printed."""
    with catch_signals() as signals:
        yield Stops(signals, say)
