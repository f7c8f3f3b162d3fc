"""One part of a large job of reading: its pictures read, and its rows written, by whichever process has it."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from svhn.errors import PassingError
from svhn.images import is_remote
from svhn.labels import Reading
from svhn.reading.outputs import format_json_row, make_row
from svhn.reading.reader import Reader
from svhn.reading.results import Finish
from svhn.runtime.place import Place

PAUSES = (1.0, 5.0)  # seconds before another try of pictures whose errors may pass

Tell = Callable[[Reading], object]


class Part(NamedTuple):
    """A part of a job.

    Args:
        place: where its file goes.
        name: the file's name.
        pictures: the pictures whose rows the file holds.
        start: the folder from which their paths start.
        copies: absolute paths of their annotated copies; empty for none.
        accept_errors: whether an error that may pass is a row; else the part fails.
    """

    place: Place
    name: str
    pictures: Sequence[str]
    start: str
    copies: Sequence[str] = ()
    accept_errors: bool = False


def make_part(reader: Reader, part: Part, tell: Tell = lambda _: None) -> None:
    """Read the pictures of a part, and write its rows and copies. A picture that can't be read is a row with its error.

    For an error that may pass, the part is not made and the error is noted, unless the part accepts errors.

    Args:
        reader: the reader.
        part: the part; calls that make the same part at once or again do no harm.
        tell: called with each reading.
    """
    try:
        readings = _read_pictures(reader, part, tell)
    except PassingError as error:
        part.place.note_failure(part.name, str(error))
    else:
        part.place.write_part(part.name, _format_rows(part, readings))


def _read_pictures(reader: Reader, part: Part, tell: Tell) -> list[Reading]:
    """Readings of the part's pictures. Those with errors that may pass are tried again, after a pause.

    Raises:
        PassingError: such an error did not pass, and the part accepts no errors.
    """
    places = [_find_place(picture, part.start) for picture in part.pictures]
    finish = _plan_copies(places, part.copies) if part.copies else None
    readings, waiting = [Reading()] * len(places), [*range(len(places))]
    for pause in (0.0, *PAUSES):
        if waiting:
            time.sleep(pause)
        found = reader.stream([places[index] for index in waiting], "return", finish)
        for index, reading in zip(waiting, found, strict=True):
            readings[index] = reading
            if not reading.passing:
                tell(reading)
        waiting = [index for index in waiting if readings[index].passing]
    if waiting and not part.accept_errors:
        raise PassingError(_explain_failure([readings[index] for index in waiting], len(places)))
    for index in waiting:
        tell(readings[index])
    return readings


def _explain_failure(failed: Sequence[Reading], total: int) -> str:
    return (
        f"{len(failed)} of its {total} pictures can't be read or copied now, the first is {failed[0].error} "
        "(--accept_errors makes such errors rows)"
    )


def _plan_copies(places: Sequence[str], copies: Sequence[str]) -> Finish:
    from svhn.reading.annotate import write_copy  # its drawing takes longer to import than one picture should take

    targets = defaultdict(list)  # two names of a picture may stand for the same place
    for place, copy in zip(places, copies, strict=True):
        targets[place].append(Path(copy))

    def finish(place: str, image: Any, reading: Reading) -> None:
        for target in targets[place]:
            write_copy(target, image, reading)

    return finish


def _format_rows(part: Part, readings: Iterable[Reading]) -> Iterator[bytes]:
    for picture, reading in zip(part.pictures, readings, strict=True):
        error = reading.error.removeprefix(f"{_find_place(picture, part.start)}: ")
        yield format_json_row(make_row(picture, reading._replace(error=error))).encode() + b"\n"


def _find_place(picture: str, start: str) -> str:
    """Where a picture is found from any folder: its address, or its path from the folder `start`."""
    return picture if is_remote(picture) else os.path.join(start, picture)  # noqa: PTH118 - a Path would drop "./"
