"""Threads of this process, and what they share that Python or the system has only once for the whole process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack


class SharedContext:
    """A context that several threads may be within at once: the first to come enters it, the last to go leaves it.

    Contexts such as `warnings.catch_warnings` save what they change in the process. Two threads that overlap would
    save and restore what the other one has changed.
    """

    def __init__(self, make: Callable[[], AbstractContextManager[object]]) -> None:
        """`make` makes the context anew each time that it is entered."""
        self._make, self._lock, self._within, self._stack = make, threading.Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._within:
                self._stack.enter_context(self._make())
            self._within += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._within -= 1
            if not self._within:
                self._stack.close()


class ThreadPool:
    """Threads that begin anew in a process that was forked: a fork copies the executor, but not its threads."""

    def __init__(self, count: int, name: str) -> None:
        """`name` begins the threads' names."""
        self._count, self._name = count, name
        self._start()

    def _start(self) -> None:
        self._executor, self._process = ThreadPoolExecutor(self._count, self._name), os.getpid()

    def get(self) -> ThreadPoolExecutor:
        """The executor of this process."""
        if self._process != os.getpid():
            self._start()
        return self._executor
