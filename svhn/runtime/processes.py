"""Work spread over several processes, in order, and the signals that may end it.

Each process imports the modules of what it calls, and not TensorFlow.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from svhn.errors import UserError


def count_cores() -> int:
    """Those this process may use, which in a container can be fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def start_workers(processes: int) -> Iterator[Any]:
    """A `map` that keeps the order, over several processes if there is more than one.

    Raises:
        UserError: one of them was ended from outside.
    """
    if processes == 1:
        yield map
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy TensorFlow's threads in an unknown state
    pool = ProcessPoolExecutor(processes, context, initializer=_watch_parent)

    def mapped(*arguments: Any) -> Iterator[Any]:
        with _block_signal(signal.SIGINT):  # so that it reaches none of them, not even while it starts
            return pool.map(*arguments, chunksize=32)

    try:
        yield mapped
    except BrokenProcessPool as error:
        reason = "one of the processes was ended from outside, most often because memory ran out"
        raise UserError(f"{reason}: end other programs, then run the same command again") from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _block_signal(number: int) -> Iterator[None]:
    """Put a signal off until afterwards, where the system can; processes begun meanwhile are never sent it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _watch_parent() -> None:
    """What a process does first: it sees to it that it ends with its parent, also where that is killed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


@contextmanager
def catch_signals() -> Iterator[list[int]]:
    """A list that Ctrl-C and SIGTERM add their number to, so that the loop can stop where it is safe."""
    caught: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _: caught.append(number)) for number in numbers}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
