"""Work that one process has for itself, whichever machine it runs on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from svhn.errors import UserError


@contextmanager
def hold_folder(folder: Path, kind: str, other: str) -> Iterator[None]:
    """Keep other processes out of a folder. A process that is killed lets go of it.

    Args:
        folder: the folder. It is made if it is missing. In the end it is removed if it is empty, unless it was empty
            before.
        kind: what the folder holds, in one word. `KIND.lock` and `KIND.holder` lie in the folder meanwhile.
        other: what a second process can do beside waiting, for example "choose another folder".

    Raises:
        UserError: another process has the folder; names the process.
    """
    with _hold_path(folder / kind, folder, other):
        yield


@contextmanager
def hold_file(path: Path, other: str) -> Iterator[None]:
    """Keep other processes out of a file or folder that is to be made. `NAME.lock` and `NAME.holder` lie beside it.

    Args:
        path: the file's path. Its folder is made and removed as by `hold_folder`.
        other: as `hold_folder` takes it.

    Raises:
        UserError: another process makes the file; names the process.
    """
    with _hold_path(path, path, other):
        yield


@contextmanager
def _hold_path(path: Path, held: Path, other: str) -> Iterator[None]:
    from filelock import FileLock, Timeout  # warns at its import where the system has no locks

    lock_file, holder = (path.with_name(path.name + suffix) for suffix in (".lock", ".holder"))
    was_empty = _is_empty(path.parent, {lock_file.name, holder.name})
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"{held} is in use by {_read_holder(holder)}: wait for its end, or {other}") from error
    try:
        holder.write_text(_describe_process(), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        # The file goes while it is locked: a process that has opened it meanwhile sees in the lock that it is gone.
        with suppress(OSError):  # Windows keeps a file that is open; its lock removes the file itself
            lock_file.unlink(missing_ok=True)
        lock.release()
        if not was_empty:
            with suppress(OSError):  # other files lie in the folder
                path.parent.rmdir()


def _is_empty(folder: Path, leftovers: set[str]) -> bool:
    """Whether a folder is there and holds nothing, but for what a killed process left."""
    try:
        return {path.name for path in folder.iterdir()} <= leftovers
    except (FileNotFoundError, NotADirectoryError):
        return False


def _describe_process() -> str:
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    return f"process {os.getpid()} on {socket.gethostname()} since {since}"


def _read_holder(holder: Path) -> str:
    """Who holds the lock. The file is absent for a moment after the lock is taken, and before it is released."""
    with suppress(FileNotFoundError):
        return holder.read_text(encoding="utf-8") or "another process"
    return "another process"
