"""`report FOLDER`: what a run reads in labeled photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from svhn.cli.session import Session, print_line
from svhn.errors import UserError
from svhn.reading.files import to_line
from svhn.reading.progress import Progress
from svhn.runtime.near_names import suggest_near_path
from svhn.runtime.shell import UsageError

if TYPE_CHECKING:
    from PIL import Image

    from svhn.labels import Reading
    from svhn.reading import reader
    from svhn.reporting.labeled import LabeledFolder
    from svhn.reporting.photo_report import Reader


def report_photos(session: Session, load_reader: Callable[[Session], reader.Reader]) -> None:
    """Write the report.

    Args:
        session: the command line.
        load_reader: loads the reader that it asks for.

    Raises:
        UserError: the labels can't be read, no picture could be read; or, at the end, a picture could not be read or a
            label not be used.
    """
    if len(session.images) > 1:
        raise UsageError(f"report takes one folder, found {session.images[0]} and {session.images[1]}")
    folder = Path(session.images[0])
    if not folder.is_dir():
        raise UserError(
            f"{folder}: no such folder{suggest_near_path(folder)}; expected a folder of pictures with their labels; "
            "a run is named by --name"
        )
    from svhn.reporting import charts, labeled, photo_report

    charts.check_installed()
    photos = labeled.list_photos(folder, session.split or "")
    with Progress(len(photos.photos)) as progress:
        reader = _describe_reader(session, load_reader(session), progress)
        page, facts = photo_report.write_photo_report(
            photos, reader, session.paths.results, session.paths.name, print_line
        )
    right, total = facts.findings.right, facts.findings.examples
    print(f"{right:,} of {total:,} numbers are right. Report saved to {page}, its pictures and tables beside it")
    _report_unused(photos, facts.answers.unread)


def _describe_reader(session: Session, loaded: reader.Reader, progress: Progress) -> Reader:
    from svhn.reporting.photo_report import Reader

    def stream(paths: Sequence[str], finish: Callable[[str, Image.Image, Reading], None]) -> Iterator[Reading]:
        for reading in loaded.stream(paths, on_error="return", finish=finish):
            progress.add(reading)
            yield reading

    network = loaded.network
    description = f"the run {session.paths.name} with the finder {session.finder}, computed by {network.engine}"
    return Reader(description, stream, network.records.max_length)


def _report_unused(photos: LabeledFolder, unread: dict[str, str]) -> None:
    lines = []
    if unread:
        lines += [f"{len(unread)} of {len(photos.photos)} pictures could not be read:", *map(to_line, unread.values())]
    if photos.unusable:
        lines.append(
            f"{len(photos.unusable)} of {len(photos.unusable) + len(photos.numbers)} labels could not be used:"
        )
        lines += [to_line(f"{entry.name}: {entry.problem}") for entry in photos.unusable]
    if lines:
        raise UserError("\n".join(lines))
