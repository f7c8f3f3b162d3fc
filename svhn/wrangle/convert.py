"""Sources to records: draws the splits, and writes each as shards that take their names once all are complete."""

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
        size: height and width of their images.
        margin: share of the box's height and width added on each of its sides.
        seed: draws the validation examples and the order.
        valid_share: of the numbers of each length, in the sources that train and valid share.
        max_skipped: largest share of pictures that may be left out because they can't be used.
        processes: that crop pictures; the records don't depend on it.
    """

    size: Size
    margin: float
    seed: int = 0
    valid_share: float = 0.05  # as the reference
    max_skipped: float = 0.001
    processes: int = 1


@dataclass
class Tally:
    """What was left out: the entries that are skipped with the reason, and numbers longer than the slots."""

    entries: int = 0
    too_long: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def keep_usable(self, entries: Iterable[Entry], max_length: int) -> list[Entry]:
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
    """Write the records of the sources; returns lines that say what was done.

    The splits of other sources stay as they are, if they were made with the same options.

    Raises:
        UserError: if a source can't be read, too much of it can't be used, or it would push another source out of a
            split that both go into. The records there are stay as they were.
    """
    _check_shared_splits(spec, records_dir, sources)
    tally = Tally()
    splits = draw_splits(spec, data_dir, sources, options, tally)
    folder = records_dir / spec.name
    folder.mkdir(parents=True, exist_ok=True)
    shards, sizes, lengths = {}, {}, {}
    try:
        with start_workers(options.processes) as imap:
            crop = partial(crop_entry, spec.load, spec.locate, options.size, options.margin, spec.image_format)
            for split, entries in splits.items():
                paths = _list_partial_paths(records_dir, spec.name, split, len(entries))
                with tqdm(imap(crop, entries), desc=split, total=len(entries), unit="image") as outcomes:
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
    """Sources that go into the same splits are converted together, since a split is written as a whole."""
    try:
        earlier = read_info(records_dir, spec.name).sources
    except UserError:
        return
    lost = [source for source in spec.valid_from if source in earlier and source not in sources]
    if lost and set(sources) & set(spec.valid_from):
        together = ",".join((*sources, *lost))
        raise UserError(
            f"the records of train and valid hold {', '.join(lost)} too: name all with --splits={together}, "
            f"or delete {records_dir / spec.name} first"
        )


def draw_splits(
    spec: DatasetSpec, data_dir: Path, sources: Sequence[str], options: Options, tally: Tally
) -> dict[str, list[Entry]]:
    """Entries by split, each in an order of chance. Disjoint: every entry of a source goes to one split."""
    splits: dict[str, list[Entry]] = defaultdict(list)
    for source in sources:
        entries = tally.keep_usable(spec.entries(data_dir, source, options.seed), spec.max_length)
        trains = source in spec.valid_from
        for split in ("train", "valid") if trains else (source,):
            splits[split]  # also where it stays empty, so that an earlier draw's doesn't stay beside this one's
        rng = random.Random(f"{options.seed} {source}")
        held_out = draw_valid(entries, options.valid_share, spec.neighbors, rng) if trains else set()
        for index, entry in enumerate(entries):
            splits["valid" if index in held_out else "train" if trains else source].append(entry)
    for split, entries in splits.items():
        random.Random(f"{options.seed} {split}").shuffle(entries)
    return dict(splits)


def draw_valid(entries: Sequence[Entry], share: float, neighbors: int, rng: random.Random) -> set[int]:
    """Indices of a share of the entries of each length, in rows of `neighbors`; those of one picture count as one."""
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
    return path.with_name(path.name + ".partial")


def _write_split(
    paths: Sequence[Path], outcomes: Iterator[tuple[Entry, CroppedPicture | str]], tally: Tally
) -> tuple[list[int], dict[str, int]]:
    """Write the shards; returns the examples in each, and by length."""
    lengths: Counter[str] = Counter()

    def serialized(part: Iterable[tuple[Entry, CroppedPicture | str]]) -> Iterator[bytes]:
        for entry, outcome in part:
            if isinstance(outcome, str):
                tally.skipped.append((entry.name, outcome))
            else:
                lengths[str(len(entry.label))] += 1
                yield serialize_example(outcome.image, entry.label, entry.name, outcome.boxes)

    counts = [write_shard(path, serialized(islice(outcomes, SHARD_EXAMPLES))) for path in paths]
    return counts, dict(sorted(lengths.items()))


def _check_skipped(folder: Path, tally: Tally, max_skipped: float) -> None:
    """Write the report of what was skipped. Raises `UserError` if it is too much."""
    listing = folder / "skipped.csv"
    with atomic_write(listing, "w") as file:
        csv.writer(file, lineterminator="\n").writerows([("name", "reason"), *tally.skipped])
    count = len(tally.skipped)
    if count > max_skipped * tally.entries:
        name, reason = tally.skipped[0]
        raise UserError(
            f"{count} of {tally.entries} pictures can't be used, more than --max_skipped={max_skipped:g} allows; "
            f"the first: {name}: {reason}. {listing} names them all. Mend the source, or raise --max_skipped"
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
    """The `Info` of what was written now, and of those splits from before that go with it."""
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
    """Put the new shards in the place of the old ones."""
    for split, counts in shards.items():
        paths = get_shard_paths(records_dir, dataset, split, len(counts))
        for old in (records_dir / dataset).glob(f"{split}-*-of-*.tfrecord"):
            old.unlink()
        for path in paths:
            get_partial_path(path).replace(path)


def _summarize_records(folder: Path, tally: Tally, shards: dict[str, list[int]]) -> list[str]:
    lines = [f"{split}: {sum(counts)} examples in {len(counts)} files" for split, counts in shards.items()]
    lines.append(f"left out: {tally.too_long} numbers longer than the slots, {len(tally.skipped)} pictures skipped")
    return [*lines, f"Records saved to {folder}"]
