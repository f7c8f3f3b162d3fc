from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from svhn.errors import UserError
from svhn.runtime import shell

ROOT = Path(__file__).parents[2]


def raising(error: BaseException) -> Callable[[list[str]], int]:
    def main(_: list[str]) -> int:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("no info.json: make it"), 1, "error: no info.json: make it\n"),
        (shell.UsageError("no such flag"), 2, "error: no such flag\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "data/x.part"),
            1,
            "error: data/x.part: No space left on device: "
            "make room or choose another folder, then run the same command again\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "data"),
            1,
            "error: data: Permission denied: change its permissions or choose another folder\n",
        ),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "data"), 1, "error: data: Is a directory\n"),
        (OSError("odd"), 1, "error: odd\n"),
        (MemoryError(), 1, "error: memory ran out: run the same command where there is more of it\n"),
        (KeyboardInterrupt(), 130, "interrupted: run the same command again\n"),
    ],
)
def test_a_mistake_is_one_line_on_stderr(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run_main(raising(error), ["x"]) == code
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_has_a_remedy(number: int) -> None:
    message = shell.explain_os_error(OSError(number, os.strerror(number), "x"))
    assert message.startswith(f"x: {os.strerror(number)}: ")
    assert message.endswith("choose another folder, then run the same command again")


def test_a_fault_of_the_program_keeps_its_trace() -> None:
    with pytest.raises(ZeroDivisionError):
        shell.run_main(raising(ZeroDivisionError()), ["x"])


def test_sigterm_clears_up_and_then_the_old_handler_is_back(capsys: pytest.CaptureFixture[str]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    cleared = []

    def main(argv: list[str]) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            cleared.append(argv)

    assert shell.run_main(main, ["x"]) == 143
    assert cleared == [["x"]]
    assert capsys.readouterr() == ("", "terminated: run the same command again\n")
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_closed_pipe_ends_quietly() -> None:
    code = "import sys; from svhn.runtime import shell; sys.exit(shell.run_main(lambda argv: print('line'), sys.argv))"
    reading, writing = os.pipe()
    os.close(reading)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, cwd=ROOT, env=buffered, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
