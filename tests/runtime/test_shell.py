from __future__ import annotations

import errno
import os
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


CLOSED = """
import os, sys
from svhn.runtime import shell

def main(argv):
    from tqdm import tqdm
    print("line")
    print("line", file=sys.stderr)
    with open(argv[1], "w") as file:
        with shell.silence_native_code():
            list(tqdm(range(3)))
            os.write(1, b"native")
        os.write(2, b"native")
        file.write("content")

sys.exit(shell.run_main(main, sys.argv))
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_take_whatever_is_printed(closed: str, tmp_path: Path) -> None:
    """A file that is opened next would else get the number of the stream, and what native code prints."""
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", CLOSED, tmp_path / "file"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, (tmp_path / "file").read_text()) == (0, "content")
    assert ("Traceback" in done.stderr, "2>" in closed or "line" in done.stderr) == (False, True)


def test_a_mistake_keeps_its_code_where_it_cannot_be_printed() -> None:
    code = "import sys; from svhn.runtime import shell; sys.exit(shell.run_main(lambda argv: 1 / 0, sys.argv))"
    code = code.replace("1 / 0", "(_ for _ in ()).throw(shell.UsageError('x'))")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-c", code], stdout=writing, stderr=writing, cwd=ROOT, check=False)
    os.close(writing)
    assert done.returncode == 2


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


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EMFILE, "ulimit -n"),
        (errno.ENFILE, "ulimit -n"),
        (errno.EFBIG, "ulimit -f"),
        (errno.ENOSPC, "make room"),
        (errno.EROFS, "permissions"),
        (errno.ENAMETOOLONG, "shorter name"),
    ],
)
def test_what_the_system_refuses_has_its_own_remedy(number: int, remedy: str) -> None:
    message = shell.explain_os_error(OSError(number, os.strerror(number), "runs/x"))
    assert message.startswith(f"runs/x: {os.strerror(number)}: ")
    assert remedy in message
