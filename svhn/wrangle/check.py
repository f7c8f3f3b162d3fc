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

from svhn.runtime.processes import start_workers
from svhn.spec import Box, DatasetSpec, Entry, Size
from svhn.wrangle.crop import CroppedPicture, crop_entry

CASES_SHOWN = 5  # cases of each kind
MIN_GAP = 0.8  # of a digit's width, beyond which SVHN's gaps often hold a digit without a box: docs/ablation.md
MIN_ASPECT = 0.4  # of its height: the least width that a digit is taken to have
MAX_CLIMB = 0.3  # of its height: how much lower the next one may stand
BAR_WIDTH = 40  # characters of the longest bar


class Inspection(NamedTuple):
    """An entry and its source, why it can't be used, or "", and a hash of its pixels as records would have them."""

    source: str
    entry: Entry
    problem: str
    pixels: str


def inspect_sources(
    spec: DatasetSpec, data_dir: Path, sources: Sequence[str], size: Size, processes: int
) -> list[Inspection]:
    """Every entry, read as wrangling would. Raises `UserError` where a source can't be read."""
    named = [(source, entry) for source in sources for entry in spec.entries(data_dir, source, 0)]
    usable = [entry for _, entry in named if not entry.problem]
    with start_workers(processes) as imap:
        crop = partial(crop_entry, spec.load, spec.locate, size, spec.margin, spec.image_format)
        outcomes = iter(tqdm(imap(crop, usable), desc="check", total=len(usable), unit="image", leave=False))
        return [Inspection(source, entry, *_judge_entry(entry, outcomes, spec.max_length)) for source, entry in named]


def _judge_entry(entry: Entry, outcomes: Iterator[CroppedPicture | str], max_length: int) -> tuple[str, str]:
    if entry.problem:
        return entry.problem, ""
    outcome = next(outcomes)
    if isinstance(outcome, str):
        return outcome, ""
    too_long = f"{len(entry.label)} digits, for {max_length} slots: raise --max_length"
    return too_long if len(entry.label) > max_length else "", hashlib.sha256(outcome.image).hexdigest()


def summarize_inspections(looked: Sequence[Inspection]) -> tuple[list[str], int]:
    """Lines for a person, and how many things are amiss; room for a digit is none, since some numbers are set apart."""
    bad = [f"{each.entry.name}: {each.problem}" for each in looked if each.problem]
    usable = [each.entry for each in looked if not each.problem]
    gaps = [f"{entry.name} ({entry.label})" for entry in usable if has_wide_gap(entry.boxes)]
    twice, leaks = _find_duplicates(looked)
    lines = [*_format_histogram(looked)]
    kinds = {
        "have room for one more digit, which their labels may lack": gaps,
        "can't be used": bad,
        "are there twice": twice,
        "are in two sources": leaks,
    }
    for title, cases in kinds.items():
        lines.append(f"{len(cases)} pictures {title}{':' if cases else ''}")
        lines += [f"  {case}" for case in cases[:CASES_SHOWN]]
        lines += [f"  and {len(cases) - CASES_SHOWN} more"] * (len(cases) > CASES_SHOWN)
    return lines, len(bad) + len(twice) + len(leaks)


def has_wide_gap(boxes: Sequence[Box]) -> bool:
    """Whether there is a gap nearly as wide as a digit between two of a row, as where a digit has no box."""
    if not boxes:
        return False
    width = median(right - left for left, _, right, _ in boxes)
    height = median(bottom - top for _, top, _, bottom in boxes)
    gap = MIN_GAP * max(width, MIN_ASPECT * height)  # between two 1s there need not be room for more
    return any(
        _are_side_by_side(one, other, height) and other[0] - one[2] > gap for one, other in pairwise(sorted(boxes))
    )


def _are_side_by_side(one: Box, other: Box, height: float) -> bool:
    """Whether two digits stand beside each other: what climbs, or stands one above the other, lies apart anyway."""
    (_, top, _, bottom), (_, other_top, _, other_bottom) = one, other
    return abs(top + bottom - other_top - other_bottom) / 2 < MAX_CLIMB * height


def _find_duplicates(looked: Sequence[Inspection]) -> tuple[list[str], list[str]]:
    """Those whose pixels are there again within one source, and those that are in two, if with other pixels."""
    same: dict[str, list[Inspection]] = defaultdict(list)
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


def _format_histogram(looked: Sequence[Inspection]) -> Iterator[str]:
    """How many numbers there are of each length, by source."""
    for source in dict.fromkeys(each.source for each in looked):
        lengths = Counter(len(each.entry.label) for each in looked if each.source == source and not each.problem)
        yield f"{source}: {lengths.total()} pictures that can be used"
        for length, count in sorted(lengths.items()):
            yield f"  {length} digits {count:>7} {'#' * round(BAR_WIDTH * count / max(lengths.values()))}"
