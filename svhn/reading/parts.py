"""Large jobs of reading: parts of so many pictures each, which survive a kill. Beam can make them on many machines."""

from __future__ import annotations

import json
import math
import os
import pickle
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from svhn.errors import UserError
from svhn.reading.one_part import Part, make_part
from svhn.reading.outputs import SCHEMA
from svhn.reading.progress import NO_NUMBER, READ, UNREADABLE, Progress
from svhn.reading.reader import Reader
from svhn.reading.remote import describe_picture
from svhn.runtime import beam
from svhn.runtime.files import digest_files
from svhn.runtime.parts import Plan, check_complete, complete_plan, list_differences, name_parts, open_plan, read_result

if TYPE_CHECKING:
    from svhn.reading.annotate import Copies

ENDING = ".jsonl"  # of parts and of the merged file: lines can be joined
MERGED = f"readings{ENDING}"

LOADING = threading.Lock()  # a runner may make several parts at once in a process
MakeReader = Callable[[], Reader]


class Runner(NamedTuple):
    """A runner of Apache Beam by its name, and the options of its pipeline, as `beam.run_parts` takes both."""

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
    copies: Copies | None = None,
    accept_errors: bool = False,
) -> Mapping[str, int]:
    """Read pictures into `readings.jsonl`, a row per picture. After a kill, the same call reads only what is missing.

    Args:
        folder: folder of `readings.jsonl`, and until it is complete, of its parts.
        pictures: paths of the pictures, in the order of the rows.
        make_reader: loads the reader. For Beam, it can be pickled, and names its folders by absolute paths.
        part_size: pictures per part.
        restart: whether the files of an earlier call in the folder are removed first.
        runner: Beam's runner, whose workers read the pictures; None if this process reads them.
        version: version of the program, which may decide what is read.
        states: what is known of pictures on other machines, as `files.find_pictures` returns it.
        copies: where the annotated copies go; None for none.
        accept_errors: whether an error that may pass is a row; else its part is left to the next call.

    Returns:
        The number of pictures by what became of them, as `count_rows` returns it.

    Raises:
        UserError: as `open_plan`, if the folder is in use or holds other work; parts were left to the next call; the
            runner failed, or one of its machines reads otherwise.
    """
    reader = make_reader()
    identity = {
        **_describe_pictures(pictures, states or {}),
        "--part_size": part_size,
        **describe_reader(reader),
        "the version": version,
        "the schema of the rows": SCHEMA,
        **({"--annotate": str(copies.folder)} if copies else {}),
    }
    names = name_parts(math.ceil(len(pictures) / part_size), ENDING)
    with open_plan(Plan(folder, identity, names, MERGED), restart) as plan:
        if plan.result is None:
            missing = _list_missing_parts(plan, pictures, part_size, copies, accept_errors)
            _make_parts(missing, reader, make_reader, runner)
            check_complete(plan)
            plan = complete_plan(plan, count_rows(folder / name for name in plan.parts))
    return read_result(plan, dict[str, int])


def _describe_pictures(pictures: Sequence[str], states: Mapping[str, str]) -> dict[str, Any]:
    """What makes a list of pictures another one, by the names that messages give it."""
    digest = digest_files(pictures, partial(describe_picture, states=states))
    return {"the number of pictures": len(pictures), "the digest of their names, sizes and times": digest}


def describe_reader(reader: Reader) -> dict[str, Any]:
    """What a reader's answers depend on, by the names that messages give it."""
    networks = {"reader": reader.network, "finder": reader.finder}
    facts = {
        f"the {role}'s {name}": value
        for role, network in networks.items()
        for name, value in {"engine": network.engine, **network.stamp}.items()
    }
    return {"the threshold": reader.threshold, **facts}


def _list_missing_parts(
    plan: Plan, pictures: Sequence[str], part_size: int, copies: Copies | None, accept_errors: bool
) -> list[Part]:
    missing, start = {*plan.list_missing()}, os.getcwd()  # noqa: PTH109
    place = plan.place._replace(folder=plan.folder.absolute())
    parts = []
    for name, first in zip(plan.parts, range(0, len(pictures), part_size), strict=True):
        if name in missing:
            own = pictures[first : first + part_size]
            targets = [os.path.abspath(copies.find_path(picture)) for picture in own] if copies else ()  # noqa: PTH100
            parts.append(Part(place, name, own, start, targets, accept_errors))
    return parts


def _make_parts(parts: Sequence[Part], reader: Reader, make_reader: MakeReader, runner: Runner | None) -> None:
    if runner:
        work = partial(_make_part_by_worker, pickle.dumps(make_reader), describe_reader(reader))
        beam.run_parts(work, parts, *runner)
        return
    with Progress(sum(len(part.pictures) for part in parts)) as progress:
        for part in parts:
            make_part(reader, part, progress.add)


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
