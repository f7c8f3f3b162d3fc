"""Records from sources: draws the splits, and writes shards that take their names only when all are complete."""

from __future__ import annotations

import csv
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
from pathlib import Path

from tqdm import tqdm

from svhn.errors import UserError
from svhn.records import (
    SHARD_EXAMPLES,
    get_shard_paths,
    merge_earlier_info,
    read_info,
    serialize_example,
    withdraw_splits,
    write_info,
    write_shard,
)
from svhn.runtime.files import atomic_write
from svhn.runtime.processes import start_workers
from svhn.spec import DatasetSpec, Entry, Info, Size
from svhn.wrangle.crop import CroppedPicture, crop_entry


@dataclass(frozen=True)
class Options:
    """How to make records.

    Args:
        size: height and width of the images, in pixels.
        margin: share of the box's height and width that is added on each side.
        seed: draws the validation examples and the order.
        valid_share: share of the numbers of each length that goes to valid, from the sources that valid shares with
            train.
        max_skipped: largest share of unusable pictures that may be left out.
        processes: number of processes that crop pictures; the records don't depend on it.
    """

    size: Size
    margin: float
    seed: int = 0
    valid_share: float = 0.05  # as the reference
    max_skipped: float = 0.001
    processes: int = 1


@dataclass
class Tally:
    """Counts of all entries and of those left out: skipped ones as (name, reason), and numbers that are too long."""

    entries: int = 0
    too_long: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def keep_usable(self, entries: Iterable[Entry], max_length: int) -> list[Entry]:
        """The usable entries; the others are counted."""
        kept = []
        for entry in entries:
            self.entries += 1
            if entry.problem:
                self.skipped.append((entry.name, entry.problem))
            elif len(entry.label) > max_length:
                self.too_long += 1
            else:
                kept.append(entry)
        return kept


def convert_dataset(
    spec: DatasetSpec, data_dir: Path, records_dir: Path, sources: Sequence[str], options: Options
) -> list[str]:
    """Write the records of the sources; returns lines for the user.

    The splits of other sources stay as they are if they were made with the same options.

    Raises:
        UserError: a source can't be read, too many of its pictures can't be used, or another source would drop out of
            a split that both go into. Earlier records then stay as they were.
    """
    _check_shared_splits(spec, records_dir, sources)
    tally = Tally()
    splits = draw_splits(spec, data_dir, sources, options, tally)
    folder = records_dir / spec.name
    folder.mkdir(parents=True, exist_ok=True)
    shards, sizes, lengths = {}, {}, {}
    try:
        with start_workers(options.processes) as parallel_map:
            crop = partial(crop_entry, spec.load, spec.locate, options.size, options.margin, spec.image_format)
            for split, entries in splits.items():
                paths = _list_partial_paths(records_dir, spec.name, split, len(entries))
                with tqdm(parallel_map(crop, entries), desc=split, total=len(entries), unit="image") as outcomes:
                    shards[split], lengths[split] = _write_split(paths, zip(entries, outcomes, strict=True), tally)
                sizes[split] = [path.stat().st_size for path in paths]
        _check_skipped(folder, tally, options.max_skipped)
        info = _build_info(records_dir, spec, options, sources, shards, sizes, lengths, data_dir)
        withdraw_splits(records_dir, spec.name, shards)  # until the new files are in place
        replace_splits(records_dir, spec.name, shards)
        write_info(records_dir, info)
    finally:
        for path in folder.glob("*.partial"):
            path.unlink()
    return _summarize_records(folder, tally, shards)


def _check_shared_splits(spec: DatasetSpec, records_dir: Path, sources: Sequence[str]) -> None:
    """Raises `UserError` if a split would lose a source: a split is written as a whole, from all sources at once."""
    try:
        earlier = read_info(records_dir, spec.name).sources
    except UserError:
        return
    missing = [source for source in spec.valid_from if source in earlier and source not in sources]
    if missing and set(sources) & set(spec.valid_from):
        together = ",".join((*sources, *missing))
        raise UserError(
            f"the records of train and valid hold {', '.join(missing)}, too: name all with --splits={together}, "
            f"or delete {records_dir / spec.name} first"
        )


def draw_splits(
    spec: DatasetSpec, data_dir: Path, sources: Sequence[str], options: Options, tally: Tally
) -> dict[str, list[Entry]]:
    """Entries by split, each in random order. Every entry of a source goes to exactly one split."""
    splits: dict[str, list[Entry]] = defaultdict(list)
    for source in sources:
        entries = tally.keep_usable(spec.entries(data_dir, source, options.seed), spec.max_length)
        trains = source in spec.valid_from
        for split in ("train", "valid") if trains else (source,):
            splits[split]  # an empty split, too, so that it replaces that of an earlier draw
        rng = random.Random(f"{options.seed} {source}")
        held_out = draw_valid(entries, options.valid_share, spec.neighbors, rng) if trains else set()
        for index, entry in enumerate(entries):
            splits["valid" if index in held_out else "train" if trains else source].append(entry)
    for split, entries in splits.items():
        random.Random(f"{options.seed} {split}").shuffle(entries)
    return dict(splits)


def draw_valid(entries: Sequence[Entry], share: float, neighbors: int, rng: random.Random) -> set[int]:
    """Indices of the entries that go to valid: a share of the entries of each length.

    Entries are drawn in rows of `neighbors`, and entries of one picture together, so that train and valid share as few
    pictures as possible.
    """
    by_length: dict[int, list[list[int]]] = defaultdict(list)
    for _, picture in groupby(range(len(entries)), key=lambda index: entries[index].picture or entries[index].name):
        indices = list(picture)
        by_length[len(entries[indices[0]].label)].append(indices)
    drawn = []
    for _, same in sorted(by_length.items()):
        rows = [same[start : start + neighbors] for start in range(0, len(same), neighbors)]
        drawn += rng.sample(rows, math.floor(share * len(rows)))
    return {index for row in drawn for picture in row for index in picture}


def _list_partial_paths(records_dir: Path, dataset: str, split: str, examples: int) -> list[Path]:
    count = math.ceil(examples / SHARD_EXAMPLES)
    return [get_partial_path(path) for path in get_shard_paths(records_dir, dataset, split, count)]


def get_partial_path(path: Path) -> Path:
    """The temporary name of a shard."""
    return path.with_name(path.name + ".partial")


def _write_split(
    paths: Sequence[Path], outcomes: Iterator[tuple[Entry, CroppedPicture | str]], tally: Tally
) -> tuple[list[int], dict[str, int]]:
    """Write the shards; returns the number of examples in each, and by length of the number."""
    lengths: Counter[str] = Counter()

    def serialize_outcomes(part: Iterable[tuple[Entry, CroppedPicture | str]]) -> Iterator[bytes]:
        for entry, outcome in part:
            if isinstance(outcome, str):
                tally.skipped.append((entry.name, outcome))
            else:
                lengths[str(len(entry.label))] += 1
                yield serialize_example(outcome.image, entry.label, entry.name, outcome.boxes)

    counts = [write_shard(path, serialize_outcomes(islice(outcomes, SHARD_EXAMPLES))) for path in paths]
    return counts, dict(sorted(lengths.items()))


def _check_skipped(folder: Path, tally: Tally, max_skipped: float) -> None:
    """List the skipped pictures in `skipped.csv`. Raises `UserError` if there are too many."""
    listing = folder / "skipped.csv"
    with atomic_write(listing, "w") as file:
        csv.writer(file, lineterminator="\n").writerows([("name", "reason"), *tally.skipped])
    count = len(tally.skipped)
    if count > max_skipped * tally.entries:
        name, reason = tally.skipped[0]
        raise UserError(
            f"{count} of {tally.entries} pictures can't be used, more than --max_skipped={max_skipped:g} allows; "
            f"the first: {name}: {reason}. {listing} lists all. Fix the source, or raise --max_skipped"
        )


def _build_info(
    records_dir: Path,
    spec: DatasetSpec,
    options: Options,
    sources: Sequence[str],
    shards: dict[str, list[int]],
    sizes: dict[str, list[int]],
    lengths: dict[str, dict[str, int]],
    data_dir: Path,
) -> Info:
    """The `Info` of the splits written now, and of the earlier splits that fit them."""
    info = Info(
        dataset=spec.name,
        size=options.size,
        margin=options.margin,
        channels=spec.channels,
        max_length=spec.max_length,
        image_format=spec.image_format,
        fixed_length=spec.fixed_length,
        splits=shards,
        sizes=sizes,
        lengths=lengths,
        sources={source: spec.checksum(data_dir, source) for source in sources},
        seed=options.seed,
    )
    return merge_earlier_info(records_dir, info)


def replace_splits(records_dir: Path, dataset: str, shards: dict[str, list[int]]) -> None:
    """Replace the old shards by the new ones."""
    for split, counts in shards.items():
        paths = get_shard_paths(records_dir, dataset, split, len(counts))
        for old in (records_dir / dataset).glob(f"{split}-*-of-*.tfrecord"):
            old.unlink()
        for path in paths:
            get_partial_path(path).replace(path)


def _summarize_records(folder: Path, tally: Tally, shards: dict[str, list[int]]) -> list[str]:
    lines = [f"{split}: {sum(counts)} examples in {len(counts)} files" for split, counts in shards.items()]
    lines.append(f"left out: {tally.too_long} numbers longer than --max_length, {len(tally.skipped)} pictures skipped")
    return [*lines, f"Records saved to {folder}"]
