"""What the commands do that read pictures, `read`, `web`, `serve` and `page`, and what they print."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import svhn
from svhn.cli import large_job, reading_videos
from svhn.cli.flag_table import FLAGS, TABLE
from svhn.cli.session import Session, print_line, print_note
from svhn.config import check_folder_name
from svhn.errors import UserError
from svhn.images import is_remote
from svhn.labels import Reading
from svhn.reading import files, growing, outputs, prelabels, tables
from svhn.reading.files import Pictures
from svhn.reading.prelabel_formats import LABEL_STUDIO, Origin
from svhn.reading.prelabels import Add
from svhn.reading.progress import Progress
from svhn.runtime.shell import UsageError

if TYPE_CHECKING:
    from svhn.reading.reader import Reader
    from svhn.reading.results import Finish


def read_pictures(session: Session) -> None:
    """`read`: a line per picture, or Kaggle's table of a CSV of pixels. Raises `UsageError` for a mixture of both."""
    tables_of_pixels = [image for image in session.images if image.lower().endswith(".csv")]
    if not session.images:
        raise UsageError("read needs pictures: `svhn read door.jpg photos/`, or --images=door.jpg,photos/")
    if tables_of_pixels and len(session.images) > 1:
        raise UsageError(f"{tables_of_pixels[0]} is a CSV of pixels: read it alone, and pictures by another command")
    if tables_of_pixels:
        large_job.refuse_flags(session)
        _read_pixel_table(session, Path(tables_of_pixels[0]))
    elif session.as_ == TABLE and large_job.is_folder(session.output):
        large_job.read_in_parts(session, _load_reader)
    else:
        large_job.refuse_flags(session)
        _read_photos(session)


def _read_pixel_table(session: Session, source: Path) -> None:
    if session.annotate:
        raise UsageError(f"--annotate={session.annotate}: {source} holds pixels and no picture; leave --annotate out")
    if session.as_ != TABLE:
        raise UsageError(f"--as={session.as_}: {source} holds pixels and no picture; leave --as out")
    if not source.is_file():
        raise UserError(f"{source}: no such file; expected a CSV of pixels with the columns pixel0, pixel1, …")
    target = Path(session.output or "submission.csv")
    if large_job.is_folder(session.output) or target.suffix.lower() != ".csv":
        raise UserError(
            f"--output={session.output}: {source} holds pixels; expected the name of a file that ends in .csv"
        )
    from svhn.reading.engine import load_network
    from svhn.reading.submission import write_submission

    network = load_network(session.paths, session.given, session.checkpoint, session.engine, print_note)
    count = write_submission(network, source, target)
    print(f"{count} readings saved to {target}")


def _read_photos(session: Session) -> None:
    """A line per picture, a table and annotated copies. Raises `UserError` at the end if any could not be read."""
    pictures = files.find_pictures(session.images, session.recursive)
    videos = [path for path in pictures.paths if files.is_video(path)]
    if videos:
        reading_videos.check_videos(session, videos, len(pictures.paths))
    open_output = _choose_output(session, pictures, videos)
    finish = _plan_copies(session.annotate, pictures) if session.annotate else None
    if not any(
        is_remote(path) or os.path.lexists(path) for path in pictures.paths
    ):  # the network would be loaded for nothing
        raise UserError(f"{files.to_line(pictures.paths[0])}: no such file; {files.REMEDY}")
    reader = _load_reader(session)
    unread: list[str] = []
    with open_output() as add, Progress(len(pictures.paths) - len(videos)) as progress:
        for is_video, group in groupby(pictures.paths, files.is_video):
            paths = [*group]
            if is_video:
                readings = reading_videos.read_videos(reader, paths, session.fps)
            else:
                readings = zip(paths, reader.stream(paths, on_error="return", finish=finish), strict=True)
            unread += _pass_on(readings, add, progress, counted=not is_video)
    work = ["read", *["copied"] * bool(finish), *["labeled"] * (session.as_ != TABLE)]
    _report_end(pictures, unread, " or ".join(work), progress)


def _choose_output(
    session: Session, pictures: Pictures, videos: Sequence[str]
) -> Callable[[], AbstractContextManager[Add]]:
    """What opens the output when the reader is loaded. Raises `UserError` if the output can't be as it is named."""
    if session.as_ != LABEL_STUDIO and session.picture_address != FLAGS["picture_address"].default:
        raise UsageError("--picture_address is of --as=label-studio alone: leave it out")
    if session.as_ == TABLE:
        tables.check_output(session.output)
        return partial(_open_table, session.output, videos)
    target = prelabels.plan_prelabels(session.as_, session.output, pictures.paths)
    origin = Origin(f"svhn {svhn.__version__}, {session.paths.name}", session.picture_address)
    return partial(prelabels.open_prelabels, target, origin, partial(print, file=sys.stderr, flush=True))


@contextmanager
def _open_table(output: str, videos: Sequence[str]) -> Iterator[Add]:
    def add(file: str, reading: Reading) -> str:
        write_row(outputs.make_row(file, reading))
        return ""

    with _choose_table(output, videos) as write_row:
        yield add


def _choose_table(output: str, videos: Sequence[str]) -> AbstractContextManager[Callable[[outputs.Row], None]]:
    """The table, if there is one: of videos it grows, and of a live stream it goes on with an earlier one."""
    if not output:
        return nullcontext(lambda _: None)
    if videos and growing.can_grow(output):
        return growing.open_growing_table(Path(output), any(map(files.is_live, videos)))
    return tables.open_table(Path(output))


def _plan_copies(folder: str, pictures: Pictures) -> Finish:
    from svhn.reading.annotate import Copies  # its drawing takes longer to import than one picture should take

    return Copies(folder, pictures).write


def _pass_on(readings: Iterable[tuple[str, Reading]], add: Add, progress: Progress, counted: bool) -> list[str]:
    """Write and print each reading as it comes; returns a line for each file with which anything went wrong."""
    unread = []
    for file, reading in readings:
        problem = add(file, reading)
        if counted:
            progress.add(reading)
        if reading.error or problem:
            unread.append(files.to_line(reading.error) or problem)
        if reading.numbers or not reading.error:  # a picture whose copy could not be written was read
            progress.print_line(outputs.format_reading(file, reading))
    return unread


def _report_end(pictures: Pictures, unread: list[str], work: str, progress: Progress) -> None:
    """Print the summary. Raises `UserError` with all that could not be read; `work` is what was to be done with it."""
    if progress.total > 1 or pictures.passed_over:
        print(progress.format_summary(pictures.passed_over), file=sys.stderr, flush=True)
    lines = []
    if unread:
        lines += [f"{len(unread)} of {len(pictures.paths)} files could not be {work}:", *unread]
    if pictures.problems:
        lines += [f"{len(pictures.problems)} of the folders could not be searched:", *pictures.problems]
    if lines:
        raise UserError("\n".join(lines))


def _load_reader(session: Session) -> Reader:
    from svhn.reading.reader import Reader

    check_folder_name("finder", session.finder)
    threads = session.threads or None
    options = session.given, session.checkpoint, session.engine, threads, print_note
    return Reader.from_runs(session.paths, session.finder, *options)


def report_photos(session: Session) -> None:
    from svhn.cli import photo_report

    photo_report.report_photos(session, _load_reader)


def serve_web_page(session: Session) -> None:
    from svhn.reading import web

    web.check_address(session.host, session.port)
    web.serve_page(_load_reader(session).read_one, session.host, session.port, print_line)


def serve_pictures(session: Session) -> None:
    from svhn.serving import server
    from svhn.serving.limits import Limits

    limits = Limits(session.max_megabytes, session.max_pictures, session.max_seconds, session.max_waiting)
    with server.open_socket(session.host, session.port) as listening:
        server.serve(_load_reader(session), listening, limits, print_line)


def write_static_page(session: Session) -> None:
    from svhn.reading import page

    target = Path(session.output)
    reader = _load_reader(session._replace(engine="litert"))
    size = page.write_page(reader, target)
    print(f"Page of {size / 1e6:.0f} MB written to {target}. To see it: python -m http.server --directory {target}")
