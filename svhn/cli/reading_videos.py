"""What `read` does with videos and live streams, beside pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from svhn.cli.flag_table import TABLE
from svhn.cli.session import Session, print_note
from svhn.errors import UserError
from svhn.labels import Reading
from svhn.reading import files, growing
from svhn.reading.frames import import_av
from svhn.runtime.shell import UsageError

if TYPE_CHECKING:
    from svhn.reading.reader import Reader


def check_videos(session: Session, videos: Sequence[str], total: int) -> None:
    """Check before the work what videos need.

    Args:
        session: the command line.
        videos: the videos and live streams that it names.
        total: number of all files that it names.

    Raises:
        UserError: PyAV is missing, or a flag does not go with videos.
    """
    first, live = _name(videos[0]), next(filter(files.is_live, videos), "")
    if not 0 <= session.fps < math.inf:
        raise UserError(f"--fps={session.fps:g}: expected a number of frames a second, or 0 for every frame")
    if session.annotate:
        raise UsageError(f"--annotate={session.annotate}: {first} is a video, and only pictures are copied")
    if session.as_ != TABLE:
        raise UsageError(f"--as={session.as_}: {first} is a video, and only pictures are labeled")
    if live and total > 1:
        raise UsageError(f"{_name(live)} is a live stream, which does not end: read it alone, one command per stream")
    if live and session.output and not growing.can_grow(session.output):
        endings = " or ".join(growing.ENDINGS)
        raise UserError(
            f"--output={session.output}: expected a name that ends in {endings}, as a live stream has no end"
        )
    import_av(first)


def _name(path: str) -> str:
    return files.to_line(files.hide_password(path))


def read_videos(reader: Reader, paths: Iterable[str], rate: float) -> Iterator[tuple[str, Reading]]:
    """The name of each video with each of its numbers, as they come; at its end, with the error if it has any."""
    from svhn.reading.results import READ_ERRORS

    for path in paths:
        name = files.hide_password(path)
        try:
            for reading in reader.read_video(path, rate, print_note):
                yield name, reading
        except READ_ERRORS as error:
            yield name, Reading(error=f"{name}: {error}")
