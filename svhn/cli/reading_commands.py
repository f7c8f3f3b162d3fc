"""What the commands do that read pictures, `read` and `web`, and what they print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from svhn.cli.session import Session, print_line, print_note
from svhn.config import check_folder_name
from svhn.errors import UserError
from svhn.reading import files
from svhn.runtime.shell import UsageError

if TYPE_CHECKING:
    from svhn.reading.reader import Reader


def read_pictures(session: Session) -> None:
    """`read`: a line per picture, or Kaggle's table of a CSV of pixels. Raises `UsageError` for a mixture of both."""
    tables_of_pixels = [image for image in session.images if image.lower().endswith(".csv")]
    if not session.images:
        raise UsageError("read needs pictures: `python main.py read door.jpg photos/`, or --images=door.jpg,photos/")
    if tables_of_pixels and len(session.images) > 1:
        raise UsageError(f"{tables_of_pixels[0]} is a CSV of pixels: read it alone, and pictures by another command")
    if tables_of_pixels:
        _read_pixel_table(session, Path(tables_of_pixels[0]))
    else:
        _read_photos(session)


def _read_pixel_table(session: Session, source: Path) -> None:
    if session.annotate:
        raise UsageError(f"--annotate={session.annotate}: {source} holds pixels and no picture; leave --annotate out")
    if not source.is_file():
        raise UserError(f"{source}: no such file; expected a CSV of pixels with the columns pixel0, pixel1, …")
    from svhn.reading.engine import load_network
    from svhn.reading.submission import write_submission

    network = load_network(session.paths, session.given, session.checkpoint, session.engine, print_note)
    target = Path(session.output or "submission.csv")
    count = write_submission(network, source, target)
    print(f"{count} readings saved to {target}")


def _read_photos(session: Session) -> None:
    """A line per picture. Raises `UserError` at the end if any could not be read."""
    pictures = files.expand_patterns(session.images)
    files.check_targets(pictures, session.output, session.annotate)
    if not any(picture.exists() for picture in pictures):  # the network would be loaded for nothing
        raise UserError(f"{pictures[0]}: no such file; expected files, folders with pictures, or patterns")
    reader = _load_reader(session)
    problems: list[str] = []
    rows: list[files.Row] = []
    annotated = Path(session.annotate) if session.annotate else None
    try:
        for row in files.read_files(reader.read_one, pictures, annotated, problems.append):
            print_line(files.format_reading(*row))
            rows.append(row)
    finally:  # what was read until Ctrl-C, or until a disk was full, is not lost; if nothing, an earlier table stays
        if session.output and rows:
            files.write_readings(Path(session.output), rows)
    if problems:
        raise UserError("\n".join([f"{len(problems)} of {len(pictures)} files could not be read:", *problems]))


def _load_reader(session: Session) -> Reader:
    from svhn.reading.reader import Reader

    check_folder_name("finder", session.finder)
    threads = session.threads or None
    options = session.given, session.checkpoint, session.engine, threads, print_note
    return Reader.from_runs(session.paths, session.finder, *options)


def serve_web_page(session: Session) -> None:
    from svhn.reading import web

    web.check_address(session.host, session.port)
    web.serve_page(_load_reader(session).read_one, session.host, session.port, print_line)
