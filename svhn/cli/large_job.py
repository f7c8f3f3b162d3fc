"""`read --output=folder/`: a large job that is done in parts."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import svhn
from svhn.cli.flag_table import FLAGS, TABLE
from svhn.cli.session import Session
from svhn.config import Paths
from svhn.errors import UserError
from svhn.reading import files
from svhn.runtime import beam
from svhn.runtime.shell import UsageError

if TYPE_CHECKING:
    from svhn.reading.annotate import Copies
    from svhn.reading.reader import Reader

OWN_FLAGS = ("part_size", "restart", "accept_errors", "runner", "runner_options")


def is_folder(output: str) -> bool:
    """Whether `--output` names a folder, one that exists or one that is to be made."""
    return bool(output) and (output.endswith(("/", os.sep)) or Path(output).is_dir())


def refuse_flags(session: Session) -> None:
    """Raises `UsageError` if a flag was given that only large jobs take."""
    given = [name for name in OWN_FLAGS if getattr(session, name) != FLAGS[name].default]
    if given and session.as_ != TABLE:
        raise UsageError(f"--{given[0]} is of jobs that are done in parts, as --as={session.as_} is not: leave it out")
    if given:
        raise UsageError(
            f"--{given[0]} is of jobs that are done in parts: name a folder with --output=out/, or leave --{given[0]} "
            "out"
        )


def read_in_parts(session: Session, load_reader: Callable[[Session], Reader]) -> None:
    """Read pictures into a folder, and print how many were read.

    Args:
        session: the command line.
        load_reader: loads the reader that it asks for; a function of a module, which other processes can import.

    Raises:
        UserError: a flag is wrong, the folder holds other work, or a picture could not be read.
    """
    _check_flags(session)
    pictures = files.find_pictures(session.images, session.recursive)
    _refuse_videos(session.output, pictures.paths)
    copies = _plan_copies(session.annotate, pictures) if session.annotate else None
    from svhn.reading import parts, progress

    folder = Path(session.output)
    runner = parts.Runner(session.runner, session.runner_options) if session.runner else None
    make_reader = partial(load_reader, _name_folders_fully(session) if runner else session)
    work = session.part_size, session.restart, runner, svhn.__version__, pictures.states, copies, session.accept_errors
    start = time.monotonic()
    counts = parts.read_in_parts(folder, pictures.paths, make_reader, *work)
    summary = progress.format_summary(counts, time.monotonic() - start, pictures.passed_over)
    print(f"{summary}; the rows are in {folder / parts.MERGED}", file=sys.stderr)
    _report_problems(
        counts.get(progress.UNREADABLE, 0), pictures, "read or copied" if copies else "read", folder / parts.MERGED
    )


def _refuse_videos(output: str, paths: Iterable[str]) -> None:
    video = next(filter(files.is_video, paths), "")
    if video:
        name = files.hide_password(files.to_line(video))
        raise UsageError(f"--output={output}: {name} is a video, and parts hold pictures; name a table, as numbers.csv")


def _plan_copies(folder: str, pictures: files.Pictures) -> Copies:
    from svhn.reading.annotate import Copies

    return Copies(folder, pictures)


def _name_folders_fully(session: Session) -> Session:
    """The session with absolute paths, since the machines of a runner start in folders of their own."""
    folders = {each.name: getattr(session.paths, each.name) for each in fields(Paths) if each.name.endswith("_dir")}
    paths = replace(session.paths, **{name: os.path.abspath(folder) for name, folder in folders.items()})  # noqa: PTH100
    return session._replace(paths=paths)


def _check_flags(session: Session) -> None:
    if session.part_size < 1:
        raise UserError(f"--part_size={session.part_size}: expected a number of pictures above 0")
    beam.check_runner(session.runner, session.runner_options)


def _report_problems(unread: int, pictures: files.Pictures, work: str, target: Path) -> None:
    """Raises `UserError` if pictures could not be read, or folders not searched; `work` is what was to be done."""
    lines = []
    if unread:
        counted = f"{unread} of {len(pictures.paths)} files could not be {work}"
        lines.append(f"{counted}: see {target}, where their rows have an error")
    if pictures.problems:
        lines += [f"{len(pictures.problems)} of the folders could not be searched:", *pictures.problems]
    if lines:
        raise UserError("\n".join(lines))
