"""Large jobs of reading: parts of so many pictures each, which survive a kill. Beam can make them on many machines."""

from __future__ import annotations

import json
import math
import os
import pickle
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from svhn.errors import UserError
from svhn.images import is_remote
from svhn.labels import Reading
from svhn.reading.outputs import format_json_row, make_row
from svhn.reading.progress import NO_NUMBER, READ, UNREADABLE, Progress
from svhn.reading.reader import Reader
from svhn.reading.remote import describe_picture
from svhn.runtime import beam
from svhn.runtime.files import digest_files
from svhn.runtime.parts import Plan, check_complete, complete_plan, list_differences, name_parts, open_plan
from svhn.runtime.place import Place

ENDING = ".jsonl"  # of parts and of the merged file: lines can be joined
MERGED = f"readings{ENDING}"

LOADING = threading.Lock()  # a runner may make several parts at once in a process
MakeReader = Callable[[], Reader]


class Part(NamedTuple):
    """A part's place and file, the pictures whose rows it holds, and the folder from which their paths start."""

    place: Place
    name: str
    pictures: Sequence[str]
    start: str


class Runner(NamedTuple):
    """A runner of Apache Beam, and its options, each as `--name=value`."""

    name: str
    options: Sequence[str]


def read_in_parts(
    folder: Path,
    pictures: Sequence[str],
    make_reader: MakeReader,
    part_size: int,
    restart: bool = False,
    runner: Runner | None = None,
    version: str = "",
    states: Mapping[str, str] | None = None,
) -> Mapping[str, int]:
    """Read pictures into `readings.jsonl`, a row per picture. After a kill, the same call reads only what is missing.

    Args:
        folder: folder of `readings.jsonl`, and until it is complete, of its parts.
        pictures: paths of the pictures, in the order of the rows.
        make_reader: loads the reader. For Beam, it can be pickled, and names its folders by absolute paths.
        part_size: pictures per part.
        restart: whether the files of an earlier call in the folder are removed first.
        runner: what reads the pictures; None for this process.
        version: version of the program, which may decide what is read.
        states: what is known of pictures on other machines, as `files.find_pictures` returns it.

    Returns:
        The number of pictures by what became of them, as `count_rows` returns it.

    Raises:
        UserError: as `open_plan`, if the folder is in use or holds other work; or the runner failed, or one of its
            machines reads otherwise.
    """
    reader = make_reader()
    identity = {
        "the number of pictures": len(pictures),
        "the digest of their names, sizes and times": digest_files(
            pictures, partial(describe_picture, states=states or {})
        ),
        "--part_size": part_size,
        **describe_reader(reader),
        "the version": version,
    }
    names = name_parts(math.ceil(len(pictures) / part_size), ENDING)
    with open_plan(Plan(folder, identity, names, MERGED), restart) as plan:
        if plan.result is None:
            _make_missing_parts(plan, pictures, part_size, reader, make_reader, runner)
            check_complete(plan)
            plan = complete_plan(plan, count_rows(folder / name for name in plan.parts))
    return plan.result or {}


def describe_reader(reader: Reader) -> dict[str, Any]:
    """What a reader's answers depend on, by the names that messages give it."""
    networks = {"reader": reader.network, "finder": reader.finder}
    facts = {
        f"the {role}'s {name}": value
        for role, network in networks.items()
        for name, value in {"engine": network.engine, **network.stamp}.items()
    }
    return {"the threshold": reader.threshold, **facts}


def _make_missing_parts(
    plan: Plan,
    pictures: Sequence[str],
    part_size: int,
    reader: Reader,
    make_reader: MakeReader,
    runner: Runner | None,
) -> None:
    missing, place = {*plan.list_missing()}, plan.place._replace(folder=plan.folder.absolute())
    starts = range(0, len(pictures), part_size)
    parts = [
        Part(place, name, pictures[start : start + part_size], os.getcwd())  # noqa: PTH109
        for name, start in zip(plan.parts, starts, strict=True)
        if name in missing
    ]
    if runner:
        work = partial(_make_part_by_worker, pickle.dumps(make_reader), describe_reader(reader))
        beam.run_parts(work, parts, *runner)
        return
    with Progress(sum(len(part.pictures) for part in parts)) as progress:
        for part in parts:
            make_part(reader, part, progress.add)


def make_part(reader: Reader, part: Part, tell: Callable[[Reading], object] = lambda _: None) -> None:
    """Read the pictures of one part. A picture that can't be read is a row with its error.

    Args:
        reader: the reader.
        part: the part; calls that make the same part at once or again do no harm.
        tell: called with each reading.
    """
    part.place.write_part(part.name, _format_rows(reader, part, tell))


def _format_rows(reader: Reader, part: Part, tell: Callable[[Reading], object]) -> Iterator[bytes]:
    places = [_find_place(picture, part.start) for picture in part.pictures]
    readings = reader.stream(places, on_error="return")
    for picture, place, reading in zip(part.pictures, places, readings, strict=True):
        tell(reading)
        row = make_row(picture, reading._replace(error=reading.error.removeprefix(f"{place}: ")))
        yield format_json_row(row).encode() + b"\n"


def _find_place(picture: str, start: str) -> str:
    return picture if is_remote(picture) else os.path.join(start, picture)  # noqa: PTH118 - a Path would drop "./"


def _make_part_by_worker(pickled: bytes, expected: Mapping[str, Any], part: Part) -> None:
    """Raises `UserError` if this machine's reader is another one than that of the plan."""
    with LOADING:
        reader = _load_reader(pickled)
    differing = list_differences(expected, describe_reader(reader))
    if differing:
        raise UserError(
            f"a machine reads otherwise than the one that began the work: {'; '.join(differing)}. Give all machines "
            "the same packages and the same folders of runs and results, then run the same command again"
        )
    make_part(reader, part)


@cache
def _load_reader(pickled: bytes) -> Reader:
    """The reader that a pickled function loads, once per process."""
    return pickle.loads(pickled)()


def count_rows(paths: Iterable[Path]) -> dict[str, int]:
    """The number of pictures in files of rows by what became of them: `READ`, `NO_NUMBER` or `UNREADABLE`."""
    counts = Counter({READ: 0, NO_NUMBER: 0, UNREADABLE: 0})
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            counts.update(_name_kind(json.loads(line)) for line in lines)
    return dict(counts)


def _name_kind(row: Mapping[str, Any]) -> str:
    return UNREADABLE if row["error"] else READ if row["numbers"] else NO_NUMBER
