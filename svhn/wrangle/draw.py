"""Which entry goes to which split, and in which order."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from svhn.spec import DatasetSpec, Entry, Size
from svhn.wrangle.corrections import Corrections, correct_splits


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
        corrections: right numbers of entries whose labels are wrong. They don't change which entries go to valid.
    """

    size: Size
    margin: float
    seed: int = 0
    valid_share: float = 0.05  # as the reference
    max_skipped: float = 0.001
    processes: int = 1
    corrections: Corrections = field(default_factory=Corrections)


@dataclass
class Tally:
    """Counts of all entries and of those left out, and the pictures that entries name.

    Args:
        path: the data set's function from an entry to its picture's path; None if it has none.
        entries: number of all entries.
        too_long: number of usable entries whose numbers are too long.
        skipped: name of each entry that can't be used, and the reason.
        named: the path of each entry's picture.
    """

    path: Callable[[Entry], str] | None = None
    entries: int = 0
    too_long: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    named: set[str] = field(default_factory=set)

    def keep_usable(self, entries: Iterable[Entry], max_length: int, longer: bool = False) -> list[Entry]:
        """The usable entries, with `longer` those of more digits, too. Longer numbers and other entries are counted."""
        kept = []
        for entry in entries:
            self.entries += 1
            if self.path:
                self.named.add(self.path(entry))
            if entry.problem:
                self.skipped.append((entry.name, entry.problem))
                continue
            too_long = len(entry.label) > max_length
            self.too_long += too_long
            if longer or not too_long:
                kept.append(entry)
        return kept


def draw_splits(
    spec: DatasetSpec, data_dir: Path, sources: Sequence[str], options: Options, tally: Tally
) -> dict[str, list[Entry]]:
    """Entries by split, each in random order. Every entry of a source goes to exactly one split."""
    splits: dict[str, list[Entry]] = defaultdict(list)
    for source in sources:
        entries = tally.keep_usable(spec.entries(data_dir, source, options.seed), spec.max_length, spec.longer)
        trains = source in spec.valid_from
        for split in ("train", "valid") if trains else (source,):
            splits[split]  # an empty split, too, so that it replaces that of an earlier draw
        rng = random.Random(f"{options.seed} {source}")
        held_out = draw_valid(entries, options.valid_share, spec.neighbors, rng) if trains else set()
        for index, entry in enumerate(entries):
            splits["valid" if index in held_out else "train" if trains else source].append(entry)
    for split, entries in splits.items():
        random.Random(f"{options.seed} {split}").shuffle(entries)
    return correct_splits(splits, options.corrections, spec.max_length)


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
