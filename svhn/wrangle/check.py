"""A look at a data set before training: what can't be used, what is there twice, and which lengths there are."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tqdm import tqdm

from svhn.runtime.processes import workers
from svhn.spec import Box, DatasetSpec, Entry, Size
from svhn.wrangle.crop import Cropped, cropped

SHOWN = 5  # cases of each kind
ROOM = 0.8  # of a digit's width, beyond which SVHN's gaps often hold a digit without a box: docs/ablation.md
NARROW = 0.4  # of its height: the least width that a digit is taken to have
CLIMB = 0.3  # of its height: how much lower the next one may stand
BAR = 40  # characters of the longest bar


class Looked(NamedTuple):
    """An entry and its source, why it can't be used, or "", and a hash of its pixels as records would have them."""

    source: str
    entry: Entry
    problem: str
    pixels: str


def look(spec: DatasetSpec, data_dir: Path, sources: Sequence[str], size: Size, processes: int) -> list[Looked]:
    """Every entry, read as wrangling would. Raises `UserError` where a source can't be read."""
    named = [(source, entry) for source in sources for entry in spec.entries(data_dir, source, 0)]
    usable = [entry for _, entry in named if not entry.problem]
    with workers(processes) as imap:
        crop = partial(cropped, spec.load, spec.locate, size, spec.margin, spec.image_format)
        outcomes = iter(tqdm(imap(crop, usable), desc="check", total=len(usable), unit="image", leave=False))
        return [Looked(source, entry, *judged(entry, outcomes, spec.max_length)) for source, entry in named]


def judged(entry: Entry, outcomes: Iterator[Cropped | str], max_length: int) -> tuple[str, str]:
    if entry.problem:
        return entry.problem, ""
    outcome = next(outcomes)
    if isinstance(outcome, str):
        return outcome, ""
    too_long = f"{len(entry.label)} digits, for {max_length} slots: raise --max_length"
    return too_long if len(entry.label) > max_length else "", hashlib.sha256(outcome.image).hexdigest()


def summary(looked: Sequence[Looked]) -> tuple[list[str], int]:
    """Lines for a person, and how many things are amiss; room for a digit is none, since some numbers are set apart."""
    bad = [f"{each.entry.name}: {each.problem}" for each in looked if each.problem]
    usable = [each.entry for each in looked if not each.problem]
    gaps = [f"{entry.name} ({entry.label})" for entry in usable if has_room(entry.boxes)]
    twice, leaks = repeated(looked)
    lines = [*histogram(looked)]
    kinds = {
        "have room for one more digit, which their labels may lack": gaps,
        "can't be used": bad,
        "are there twice": twice,
        "are in two sources": leaks,
    }
    for title, cases in kinds.items():
        lines.append(f"{len(cases)} pictures {title}{':' if cases else ''}")
        lines += [f"  {case}" for case in cases[:SHOWN]]
        lines += [f"  and {len(cases) - SHOWN} more"] * (len(cases) > SHOWN)
    return lines, len(bad) + len(twice) + len(leaks)


def has_room(boxes: Sequence[Box]) -> bool:
    """Whether there is a gap nearly as wide as a digit between two of a row, as where a digit has no box."""
    if not boxes:
        return False
    width = median(right - left for left, _, right, _ in boxes)
    height = median(bottom - top for _, top, _, bottom in boxes)
    gap = ROOM * max(width, NARROW * height)  # between two 1s there need not be room for more
    return any(level(one, other, height) and other[0] - one[2] > gap for one, other in pairwise(sorted(boxes)))


def level(one: Box, other: Box, height: float) -> bool:
    """Whether two digits stand beside each other: what climbs, or stands one above the other, lies apart anyway."""
    (_, top, _, bottom), (_, other_top, _, other_bottom) = one, other
    return abs(top + bottom - other_top - other_bottom) / 2 < CLIMB * height


def repeated(looked: Sequence[Looked]) -> tuple[list[str], list[str]]:
    """Those whose pixels are there again within one source, and those that are in two, if with other pixels."""
    same: dict[str, list[Looked]] = defaultdict(list)
    for each in looked:
        for key in {each.pixels, each.entry.picture} - {""}:
            same[key].append(each)
    twice, leaks = [], []
    for key, group in same.items():
        described = " = ".join(f"{each.entry.name} ({each.entry.label})" for each in group)
        if len({each.source for each in group}) > 1:
            leaks.append(described)
        elif len(group) > 1 and key != group[0].entry.picture:  # one picture may show two numbers
            twice.append(described)
    return twice, list(dict.fromkeys(leaks))


def histogram(looked: Sequence[Looked]) -> Iterator[str]:
    """How many numbers there are of each length, by source."""
    for source in dict.fromkeys(each.source for each in looked):
        lengths = Counter(len(each.entry.label) for each in looked if each.source == source and not each.problem)
        yield f"{source}: {lengths.total()} pictures that can be used"
        for length, count in sorted(lengths.items()):
            yield f"  {length} digits {count:>7} {'#' * round(BAR * count / max(lengths.values()))}"
