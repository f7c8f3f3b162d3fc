"""Work spread over processes: in order, and what becomes of it where one of them is killed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from svhn.errors import UserError
from svhn.runtime import processes
from svhn.runtime.processes import PIECE, ProcessEndedError, call_in_process, start_workers

KILLED = """
import multiprocessing, os, signal, time
from svhn.runtime import processes
from svhn.runtime.processes import start_workers
if __name__ == "__main__":
    with start_workers(2) as mapped:
        list(mapped(abs, range(100)))
        print(*[child.pid for child in multiprocessing.active_children()], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""

WAITING = """
import time
from svhn.runtime import processes
from svhn.runtime.processes import start_workers
if __name__ == "__main__":
    with start_workers(2) as mapped:
        list(mapped(abs, range(100)))
        try:
            print("all are done", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            pass
"""


def square(number: int) -> int:
    return number * number


def dying(number: int) -> int:
    if number == 70:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_order(processes: int) -> None:
    with start_workers(processes) as mapped:
        assert list(mapped(square, range(500))) == [number * number for number in range(500)]


def test_a_process_that_is_killed_is_said() -> None:
    with (
        pytest.raises(UserError, match="memory ran out: end other programs, then run the same command again"),
        start_workers(2) as mapped,
    ):
        list(mapped(dying, range(500)))


def test_an_error_of_the_work_is_its_own() -> None:
    with pytest.raises(TypeError), start_workers(2) as mapped:
        list(mapped(square, ["a"]))


def make_arrays(size: int) -> dict[str, object]:
    """Arrays in both orders, one of which is sent in several pieces, and values of other types."""
    rising = np.arange(size, dtype=np.uint8)
    return {"c": rising.reshape(2, -1), "f": np.asfortranarray(rising.reshape(4, -1)), "none": rising[:0], "text": "1"}


def test_arrays_come_back_from_a_process_as_they_were() -> None:
    size = PIECE + 4
    found, expected = call_in_process(make_arrays, size), make_arrays(size)
    assert found["text"] == "1"
    assert found["f"].flags.f_contiguous
    for name in ("c", "f", "none"):
        np.testing.assert_array_equal(found[name], expected[name])


def raise_signal(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("function", "argument", "error", "message"),
    [
        (raise_signal, signal.SIGSEGV, ProcessEndedError, "ended with SIGSEGV$"),
        (raise_signal, signal.SIGKILL, UserError, "SIGKILL.*: end other programs, then run the same command again$"),
        (os._exit, 3, ProcessEndedError, "ended with exit code 3$"),
        (square, "a", TypeError, "multiply"),
    ],
)
def test_a_process_that_ends_without_a_result_is_an_error(
    function: Callable[..., object], argument: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call_in_process(function, argument)


def marked(folder: Path, number: int) -> int:
    (folder / str(number)).touch()
    time.sleep(0.01)
    return number


def test_work_that_nobody_waits_for_is_not_begun(tmp_path: Path) -> None:
    with start_workers(2) as mapped:
        results = mapped(partial(marked, tmp_path), range(1000))
        assert next(results) == 0
    assert len(list(tmp_path.iterdir())) < 500


def test_ctrl_c_is_left_to_the_one_that_began_them(tmp_path: Path) -> None:
    program = tmp_path / "waiting.py"
    program.write_text(WAITING)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, program], stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as running:
        assert running.stdout
        assert running.stdout.readline() == "all are done\n"
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to all of them
        _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (0, "")


def test_processes_end_with_the_one_that_began_them(tmp_path: Path) -> None:
    program = tmp_path / "killed.py"
    program.write_text(KILLED)
    with (tmp_path / "begun").open("w") as begun_file:  # a pipe would be waited for until all have ended
        done = subprocess.run([sys.executable, program], stdout=begun_file, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode == -signal.SIGKILL
    begun = [Path(f"/proc/{pid}") for pid in (tmp_path / "begun").read_text().split()]
    assert len(begun) == 2
    for _ in range(100):
        if not any(running(process) for process in begun):
            break
        time.sleep(0.1)
    assert not any(running(process) for process in begun)


def running(process: Path) -> bool:
    """A dead one that nobody waited for is still listed, as a zombie."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_shared_memory_that_can_not_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(processes, "ProcessPoolExecutor", refuse)
    with pytest.raises(UserError, match=r"Read-only file system.*/dev/shm"), processes.start_workers(2):
        pass


def test_another_refusal_is_not_blamed_on_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(processes, "ProcessPoolExecutor", refuse)
    with pytest.raises(OSError, match="Too many open files"), processes.start_workers(2):
        pass
