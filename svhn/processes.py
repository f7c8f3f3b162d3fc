"""Work spread over several processes, in order, and the signals that may end it.

Each process imports the modules of what it calls, and not TensorFlow.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any


def cores() -> int:
    """Those this process may use, which in a container can be fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def workers(processes: int) -> Iterator[Any]:
    """An ordered, lazy `map`, over several processes if there is more than one."""
    if processes == 1:
        yield map
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy TensorFlow's threads in an unknown state
    with context.Pool(processes, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)) as pool:
        yield partial(pool.imap, chunksize=32)


@contextmanager
def caught_signals() -> Iterator[list[int]]:
    """A list that Ctrl-C and SIGTERM add their number to, so that the loop can stop where it is safe."""
    caught: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _: caught.append(number)) for number in numbers}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
