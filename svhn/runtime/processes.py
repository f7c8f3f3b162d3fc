"""Worker processes that return results in order.

A worker imports only the modules of the functions that it calls, so that it starts without TensorFlow.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from svhn.errors import UserError

# raised where no process may share memory with another
SHARED_MEMORY_ERRORS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOSYS)
PIECE = 1 << 24  # bytes of an array that are sent at once


class ProcessEndedError(Exception):
    """A worker process ended before it returned its result. The message names the signal or the exit code."""


def count_cores() -> int:
    """The number of cores that this process may use. In a container, it can be smaller than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def start_workers(processes: int) -> Iterator[Any]:
    """A function like `map` that keeps the order and, for more than one process, runs in worker processes.

    Raises:
        UserError: the system shares no memory between processes, or a worker ended before its work was done.
        OSError: the system refuses more files or processes.
    """
    if processes == 1:
        yield map
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the state, but not the threads, of TensorFlow
    try:
        pool = ProcessPoolExecutor(processes, context, initializer=_watch_parent)
    except OSError as error:  # of the semaphores and pipes that the processes share; the system names no file
        if error.errno not in SHARED_MEMORY_ERRORS:
            raise
        raise UserError(
            f"worker processes can't be started ({error.strerror}): make the system's shared memory writable, "
            "/dev/shm on Linux, or work with one process"
        ) from error

    def parallel_map(*arguments: Any) -> Iterator[Any]:
        with _block_signal(signal.SIGINT):  # or Ctrl-C in the terminal would interrupt the workers, too
            return pool.map(*arguments, chunksize=32)

    try:
        yield parallel_map
    except BrokenProcessPool as error:
        reason = "a worker process ended before its work was done. If memory ran out"
        raise UserError(f"{reason}: end other programs, then run the same command again") from error
    finally:
        pool.shutdown(cancel_futures=True)


def call_in_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function that is called in a process of its own, because its native code may end the process.

    NumPy's arrays come through the pipe in pieces, so that this process holds each of them once.

    Args:
        function: a function of a module; its arguments and its result can be pickled.
        arguments: what it is called with.

    Raises:
        ProcessEndedError: the process ended before the function returned.
        UserError: the system ended the process with SIGKILL.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_result, args=(sender, function, arguments), daemon=True)
    with _block_signal(signal.SIGINT):
        process.start()
    sender.close()
    try:
        error, result = _receive_result(receiver)
    except (EOFError, OSError) as broken:
        process.join()
        raise _describe_end(process.exitcode or 0) from broken
    finally:
        process.kill()
        process.join()
        receiver.close()
    if error:
        raise error
    return result


def _send_result(sender: Connection, function: Callable[..., Any], arguments: Sequence[Any]) -> None:
    _watch_parent()
    try:
        outcome = None, function(*arguments)
    except Exception as error:
        outcome = error, None
    buffers: list[pickle.PickleBuffer] = []
    packed = pickle.dumps(outcome, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    sender.send((packed, [len(view) for view in views]))
    for view in views:
        for start in range(0, len(view), PIECE):
            sender.send_bytes(view[start : start + PIECE])


def _receive_result(receiver: Connection) -> Any:
    """What `_send_result` sent: an error or None, and the result."""
    packed, sizes = receiver.recv()
    buffers = [bytearray(size) for size in sizes]
    for buffer in buffers:
        for start in range(0, len(buffer), PIECE):
            receiver.recv_bytes_into(buffer, start)
    return pickle.loads(packed, buffers=buffers)


def _describe_end(code: int) -> Exception:
    """The error for a process that ended with an exit code, which is negative after a signal."""
    names = {-number: number.name for number in signal.Signals}
    if names.get(code) == "SIGKILL":
        remedy = "end other programs, then run the same command again"
        return UserError(f"a worker process was ended by SIGKILL, as systems do when memory runs out: {remedy}")
    return ProcessEndedError(f"a worker process ended with {names.get(code, f'exit code {code}')}")


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
