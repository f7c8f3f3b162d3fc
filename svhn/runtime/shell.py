"""What every command shares: an exit code and a message for every way to end."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec

from svhn.errors import Interrupted, UserError, shorten, suggest_extra
from svhn.runtime.native_errors import explain_native_error
from svhn.runtime.signals import SIGPIPE, Terminated, raise_on_signals
from svhn.threads import SharedContext

ROOM_REMEDY = "make room or choose another folder, then run the same command again"
FOLDER_REMEDY = "a file has the name of a folder: move the file, or choose another folder"
PERMISSION_REMEDY = "change its permissions or choose another folder"
FILES_REMEDY = "raise the limit on open files (`ulimit -n`) or end other programs, then run the same command again"
REMEDIES = {
    errno.ENOSPC: ROOM_REMEDY,
    errno.EDQUOT: ROOM_REMEDY,
    errno.EFBIG: "raise the limit on the size of files (`ulimit -f`) or choose another folder, "
    "then run the same command again",
    errno.EMFILE: FILES_REMEDY,
    errno.ENFILE: FILES_REMEDY,
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EACCES: PERMISSION_REMEDY,
    errno.EPERM: PERMISSION_REMEDY,
    errno.EROFS: PERMISSION_REMEDY,
    errno.EEXIST: FOLDER_REMEDY,
    errno.ENOTDIR: FOLDER_REMEDY,
}


class UsageError(UserError):
    """A mistake in the command line itself."""


class HelpRequest(Exception):  # noqa: N818 - a request, not an error
    """The user asked for help; the message is the text to print."""


@contextmanager
def silence_tensorflow() -> Iterator[None]:
    """Hide what TensorFlow's C++ code writes to stderr while it is imported, and turn its log off for good.

    Raises:
        UserError: TensorFlow is not installed.
    """
    if find_spec("tensorflow") is None:
        raise UserError(f"this command needs TensorFlow, which is not installed: {suggest_extra('train')}")
    with silence_native_code():
        yield


@contextmanager
def _redirect_stderr() -> Iterator[None]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        stderr = os.dup(2)
    except OSError:  # stderr is closed, so that nothing needs hiding
        yield
        return
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - os.devnull need not be a path
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


_SILENCE = SharedContext(_redirect_stderr)


def silence_native_code() -> SharedContext:
    """A context that hides what C++ code writes to stderr, which Python can't redirect. Threads may share it."""
    return _SILENCE


def run_main(main: Callable[[list[str]], int | None], argv: Sequence[str]) -> int:
    """Call `main` with a command line, and turn each way to end into an exit code.

    Args:
        main: a command; None stands for the exit code 0.
        argv: the command line. It starts with the program's name.

    Returns:
        The exit code: that of `main`, or else 2 for a mistake in the command line, 1 for any other failure that one
        line on stderr explains, and 128 plus its number for a signal. A closed pipe counts as SIGPIPE.

    Raises:
        Exception: a fault of this package.
    """
    _replace_closed_streams()
    _replace_unprintable_letters()
    try:
        with raise_on_signals():
            return _call_main(main, list(argv))
    except UserError as error:
        return _print_failure(str(error), 2 if isinstance(error, UsageError) else 1)
    except BrokenPipeError:
        _drop_unprinted_output()
        return 128 + SIGPIPE
    except OSError as error:
        return _print_failure(explain_os_error(error), 1)
    except MemoryError:
        return _print_failure("memory ran out: run the same command where there is more of it", 1)
    except Interrupted as stop:
        return _print_failure(str(stop), 128 + stop.signum, "")
    except KeyboardInterrupt:
        return _print_failure("interrupted: run the same command again", 128 + signal.SIGINT, "")
    except Terminated as stop:
        return _print_failure("terminated: run the same command again", 128 + stop.signum, "")


def _call_main(main: Callable[[list[str]], int | None], argv: list[str]) -> int:
    code = 0
    try:
        code = main(argv) or 0
    except HelpRequest as text:
        print(text)
    except Exception as error:
        explained = explain_native_error(error)
        if explained is None:
            raise
        raise explained from error
    sys.stdout.flush()  # raises for a closed pipe here, and not after the program's end
    return code


def _replace_closed_streams() -> None:
    """Open the null device in place of standard streams that are closed, as `>&-` closes stdout.

    Python has None in their place, which libraries that print don't expect. The next file that is opened would get the
    stream's number, so that the file would receive what native code prints.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, errors="replace")  # noqa: PTH123, SIM115 - no path, and open until the process ends
            os.set_inheritable(stream.fileno(), True)  # for worker processes
            setattr(sys, name, stream)


def _replace_unprintable_letters() -> None:
    """Make stdout print `?` for a letter of a file's name that the terminal's encoding lacks, and not raise."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _drop_unprinted_output() -> None:
    """Discard what a stream can't take, a closed pipe for example; else Python reports the error again at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _print_failure(message: str, code: int, prefix: str = "error: ") -> int:
    with suppress(OSError):  # the terminal may be closed; the exit code remains
        print(prefix + message, file=sys.stderr)
    _drop_unprinted_output()
    return code


def explain_os_error(error: OSError) -> str:
    """The file, what the system refused, and the remedy if one is known."""
    name = shorten(error.filename) if error.errno == errno.ENAMETOOLONG else error.filename
    parts = (name, error.strerror or str(error), REMEDIES.get(error.errno or 0))
    return ": ".join(str(part) for part in parts if part)
