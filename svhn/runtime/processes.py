"""Worker processes that return results in order, and signals that end the work.

A worker imports only the modules of the functions that it calls, so that it starts without TensorFlow.
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
    """The number of cores that this process may use. In a container, it can be smaller than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def start_workers(processes: int) -> Iterator[Any]:
    """A function like `map` that keeps the order and, for more than one process, runs in worker processes.

    Raises:
        UserError: another program or the system ended one of the workers.
    """
    if processes == 1:
        yield map
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the state, but not the threads, of TensorFlow
    pool = ProcessPoolExecutor(processes, context, initializer=_watch_parent)

    def parallel_map(*arguments: Any) -> Iterator[Any]:
        with _block_signal(signal.SIGINT):  # or Ctrl-C in the terminal would interrupt the workers, too
            return pool.map(*arguments, chunksize=32)

    try:
        yield parallel_map
    except BrokenProcessPool as error:
        reason = "the system ended one of the worker processes, most often because memory ran out"
        raise UserError(f"{reason}: end other programs, then run the same command again") from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _block_signal(number: int) -> Iterator[None]:
    """Delay a signal, if the system can. Processes that are started meanwhile keep it blocked for good."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _watch_parent() -> None:
    """Make a worker end with its parent, even if the parent is killed. Each worker calls this first."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


@contextmanager
def catch_signals() -> Iterator[list[int]]:
    """A list to which Ctrl-C and SIGTERM add their number, so that a loop can stop at a safe point."""
    caught: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _: caught.append(number)) for number in numbers}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
