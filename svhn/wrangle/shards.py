"""Shards as the parts of a plan: each is made by one call, which may be made again, and by any process."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, groupby, islice
from pathlib import Path
from typing import NamedTuple

from svhn.errors import PassingError, UserError
from svhn.records import SHARD_EXAMPLES, get_shard_paths, serialize_example, write_shard
from svhn.runtime import beam
from svhn.runtime.bars import make_bar
from svhn.runtime.files import flush_to_disk
from svhn.runtime.parts import Plan
from svhn.runtime.place import Place
from svhn.runtime.processes import start_workers
from svhn.runtime.schema import read_json
from svhn.runtime.shell import silence_tensorflow
from svhn.spec import Entry
from svhn.wrangle.crop import Crop, CroppedPicture


class Shard(NamedTuple):
    """A file of records to be made.

    Args:
        split: the split that it belongs to.
        name: its file name.
        entries: what its records are made from; entries that turn out to be unusable are left out.
    """

    split: str
    name: str
    entries: Sequence[Entry]

    @property
    def summary_name(self) -> str:
        """Name of the JSON file that holds the shard's `Summary`, and takes its name before the shard."""
        return f"{self.name}.json"


class Summary(NamedTuple):
    """What a shard holds.

    Args:
        examples: number of its records.
        size: number of its bytes.
        lengths: its records by length of the number ("1", "2", …).
        skipped: name of each entry that was left out, and the reason.
    """

    examples: int
    size: int
    lengths: Mapping[str, int]
    skipped: list[tuple[str, str]]


def list_shards(splits: Mapping[str, Sequence[Entry]]) -> list[Shard]:
    """The shards of all splits, each with the same number of entries but for a split's last one."""
    shards = []
    for split, entries in splits.items():
        paths = get_shard_paths("", "", split, math.ceil(len(entries) / SHARD_EXAMPLES))
        starts = range(0, len(entries), SHARD_EXAMPLES)
        shards += [
            Shard(split, path.name, entries[start : start + SHARD_EXAMPLES])
            for path, start in zip(paths, starts, strict=True)
        ]
    return shards


def list_part_names(shards: Iterable[Shard]) -> tuple[str, ...]:
    return tuple(chain.from_iterable((shard.summary_name, shard.name) for shard in shards))


def find_missing(plan: Plan, shards: Iterable[Shard]) -> list[Shard]:
    """The shards that are still to be made."""
    missing = {*plan.list_missing()}
    return [shard for shard in shards if missing & {shard.name, shard.summary_name}]


def make_shards(place: Place, shards: Iterable[Shard], crop: Crop, processes: int) -> None:
    """Make shards one after another on this machine, with a progress bar per split.

    Args:
        place: the plan's.
        shards: the shards, those of one split after one another.
        crop: turns an entry into a picture, or into the reason why it can't be used.
        processes: number of processes that crop pictures.
    """
    with start_workers(processes) as parallel_map:
        for split, same in groupby(shards, key=lambda shard: shard.split):
            parts = list(same)
            entries = list(chain.from_iterable(shard.entries for shard in parts))
            with make_bar(parallel_map(crop, entries), desc=split, total=len(entries), unit="image") as outcomes:
                rest = iter(outcomes)
                for shard in parts:
                    _write_shard_files(place, shard, islice(rest, len(shard.entries)))


def make_shard(place: Place, crop: Crop, shard: Shard) -> None:
    """Make one shard in this process. Calls that make the same shard at once or again do no harm."""
    with silence_tensorflow():  # a worker imports it here
        import tensorflow  # noqa: F401

    _write_shard_files(place, shard, map(crop, shard.entries))


def make_shards_by_beam(runner: str, options: Sequence[str], place: Place, shards: Iterable[Shard], crop: Crop) -> None:
    """As `make_shards`, by a runner of Apache Beam, whose machines share the folders of pictures and records."""
    place = place._replace(folder=place.folder.absolute())
    beam.run_parts(partial(make_shard, place, crop), shards, runner, options)


def _write_shard_files(place: Place, shard: Shard, outcomes: Iterable[CroppedPicture | str]) -> None:
    """Write the summary and the shard. The shard is named last, so that a shard always has its summary."""
    lengths: Counter[str] = Counter()
    skipped: list[tuple[str, str]] = []

    def serialize_outcomes() -> Iterator[bytes]:
        for entry, outcome in _pair_outcomes(shard.entries, outcomes):
            if isinstance(outcome, str):
                skipped.append((entry.name, outcome))
            else:
                lengths[str(len(entry.label))] += 1
                yield serialize_example(outcome.image, entry.label, entry.name, outcome.boxes)

    with place.name_part(shard.name) as temporary:
        examples = write_shard(temporary, serialize_outcomes())
        with temporary.open("rb+") as file:
            flush_to_disk(file)
        summary = Summary(examples, temporary.stat().st_size, dict(sorted(lengths.items())), skipped)
        place.write_part(shard.summary_name, [json.dumps(summary._asdict()).encode()])


def _pair_outcomes(
    entries: Iterable[Entry], outcomes: Iterable[CroppedPicture | str]
) -> Iterator[tuple[Entry, CroppedPicture | str]]:
    """Each entry with its outcome.

    Raises:
        UserError: a picture can't be read now. Records without it would differ from those of another day.
    """
    try:
        yield from zip(entries, outcomes, strict=True)
    except PassingError as error:
        raise UserError(f"{error}: run the same command again, which keeps the finished files") from error


def read_summaries(folder: Path, shards: Iterable[Shard], splits: Iterable[str]) -> dict[str, list[Summary]]:
    """The summaries of all shards, by split. A split may have no shard. Raises `UserError` for a damaged summary."""
    found: dict[str, list[Summary]] = {split: [] for split in splits}
    for shard in shards:
        found[shard.split].append(_read_summary(folder / shard.summary_name))
    return found


def _read_summary(path: Path) -> Summary:
    try:
        return read_json(path, Summary)
    except ValueError as error:
        raise UserError(
            f"{path} is no summary of a shard ({error}): "
            "run the same command with --restart, which makes the shards anew"
        ) from error


def add_lengths(summaries: Iterable[Summary]) -> dict[str, int]:
    """Records by length of the number, over several shards."""
    total: Counter[str] = Counter()
    for summary in summaries:
        total.update(summary.lengths)
    return dict(sorted(total.items()))


def replace_splits(folder: Path, target: Path, shards: Iterable[Shard], splits: Iterable[str]) -> None:
    """Put the finished shards in the place of the old ones. After a kill, the same call completes the work.

    Args:
        folder: the plan's folder.
        target: folder of the data set's records.
        shards: all shards of the plan.
        splits: all splits of the plan; one without shards loses its old ones.
    """
    names = [shard.name for shard in shards]
    for split in splits:
        for old in target.glob(f"{split}-*-of-*.tfrecord"):
            if old.name not in names:
                old.unlink()
    for name in names:
        move_shard(folder / name, target / name)


def move_shard(source: Path, target: Path) -> None:
    """Give a finished shard its place, unless an earlier call has done so."""
    if source.exists():
        source.replace(target)
