"""Folders that one process has for itself, whichever machine it runs on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from svhn.errors import UserError

LOCK_FILE, HOLDER_FILE = "plan.lock", "plan.holder"


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder. A process that is killed lets go of it.

    Args:
        folder: the folder. It is made if it is missing. In the end it is removed if it is empty, unless it was empty
            before.

    Raises:
        UserError: another process has the folder; names the process.
    """
    from filelock import FileLock, Timeout  # warns at its import where the system has no locks

    was_empty = _is_empty(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(folder / LOCK_FILE), folder / HOLDER_FILE
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(
            f"{folder} is in use by {_read_holder(holder)}: wait for its end, or choose another folder"
        ) from error
    try:
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        # The file goes while it is locked: a process that has opened it meanwhile sees in the lock that it is gone.
        with suppress(OSError):  # Windows keeps a file that is open; its lock removes the file itself
            (folder / LOCK_FILE).unlink(missing_ok=True)
        lock.release()
        if not was_empty:
            with suppress(OSError):  # other files lie in the folder
                folder.rmdir()


def _is_empty(folder: Path) -> bool:
    """Whether a folder is there and holds nothing, but for what a killed process left."""
    try:
        return {path.name for path in folder.iterdir()} <= {LOCK_FILE, HOLDER_FILE}
    except (FileNotFoundError, NotADirectoryError):
        return False


def _read_holder(holder: Path) -> str:
    """Who has the folder. The file is absent for a moment after the lock is taken, and before it is released."""
    with suppress(FileNotFoundError):
        return holder.read_text(encoding="utf-8") or "another process"
    return "another process"
