"""The signals that ask a process to end: Ctrl-C, SIGTERM, and SIGHUP, which a closed terminal sends.

A SIGHUP that was ignored when the process began stays ignored: `nohup` begins programs so.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

RAISED = ("SIGTERM", "SIGHUP")  # Python itself raises KeyboardInterrupt for SIGINT
ENDING = ("SIGINT", *RAISED)
SIGPIPE = getattr(signal, "SIGPIPE", 13)  # Windows has none; its number stands for a closed pipe there, too


class Terminated(BaseException):
    """The system asked the program to end."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into `Terminated`, so that temporary files are removed as on Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    before = {number: signal.signal(number, _raise_terminated) for number in _list_heeded(RAISED)}
    try:
        yield
    finally:
        _restore_handlers(before)


@contextmanager
def catch_signals() -> Iterator[list[int]]:
    """A list to which Ctrl-C, SIGTERM and SIGHUP add their number, so that a loop can stop at a safe point."""
    caught: list[int] = []
    before = {number: signal.signal(number, lambda number, _: caught.append(number)) for number in _list_heeded(ENDING)}
    try:
        yield caught
    finally:
        _restore_handlers(before)


def _list_heeded(names: tuple[str, ...]) -> list[signal.Signals]:
    """The signals of these names, without a SIGHUP that is ignored or that the system lacks, as Windows does."""
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    return [each for each in numbers if each.name != "SIGHUP" or signal.getsignal(each) != signal.SIG_IGN]


def _restore_handlers(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _raise_terminated(signum: int, _: object) -> NoReturn:
    raise Terminated(signum)
