"""Checks of a data set before training: unusable pictures, duplicates, missing digits, and the lengths of numbers."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

from svhn.errors import PassingError, UserError, shorten
from svhn.runtime.bars import make_bar
from svhn.runtime.files import write_rows
from svhn.runtime.processes import start_workers
from svhn.spec import Box, DatasetSpec, Entry, Size
from svhn.wrangle.crop import Crop, CroppedPicture, crop_entry

CASES_SHOWN = 5  # of each kind of finding
LIST_FILE = "check.csv"  # in the folder of a data set's records: lists all findings
MIN_GAP = 0.8  # share of a digit's width; wider gaps in SVHN often hold a digit without a box: see docs/ablation.md
MIN_ASPECT = 0.4  # smallest width of a digit that is assumed, as a share of its height
MAX_CLIMB = 0.3  # largest height difference of digits that are side by side, as a share of their height
BAR_WIDTH = 40  # characters of the longest bar


class Inspection(NamedTuple):
    """An entry and what its check found.

    Args:
        source: the entry's source.
        entry: the entry.
        problem: why the entry can't be used; "" if it can.
        pixels: hash of the encoded pixels that a record would hold; "" if there are none.
    """

    source: str
    entry: Entry
    problem: str
    pixels: str


def inspect_sources(
    spec: DatasetSpec, data_dir: Path, sources: Sequence[str], size: Size, processes: int
) -> list[Inspection]:
    """Read every entry as wrangling does. Where a source can't be read further, an entry of its name has the problem.

    Raises `UserError` if no source has any entry.
    """
    entries, faults = _list_entries(spec, data_dir, sources)
    if faults and not entries:
        raise next(iter(faults.values()))
    entries += [(source, Entry(source, "", None, str(fault))) for source, fault in faults.items()]
    usable = [entry for _, entry in entries if not entry.problem]
    with start_workers(processes) as parallel_map:
        crop = partial(
            _try_entry, partial(crop_entry, spec.load, spec.locate, spec.path, size, spec.margin, spec.image_format)
        )
        outcomes = iter(
            make_bar(parallel_map(crop, usable), desc="check", total=len(usable), unit="image", leave=False)
        )
        limit = None if spec.longer else spec.max_length
        return [Inspection(source, entry, *_judge_entry(entry, outcomes, limit)) for source, entry in entries]


def _try_entry(crop: Crop, entry: Entry) -> CroppedPicture | str:
    """As `crop`, which also gives the reason why a picture can't be read now: a check lists all faults."""
    try:
        return crop(entry)
    except PassingError as error:
        return str(error).removeprefix(f"{entry.name} ")


def _list_entries(
    spec: DatasetSpec, data_dir: Path, sources: Sequence[str]
) -> tuple[list[tuple[str, Entry]], dict[str, UserError]]:
    """The entries that can be listed, each with its source, and the error that ended a source."""
    entries: list[tuple[str, Entry]] = []
    faults: dict[str, UserError] = {}
    for source in sources:
        try:
            entries.extend((source, entry) for entry in spec.entries(data_dir, source, 0))
        except UserError as error:
            faults[source] = error
    return entries, faults


def _judge_entry(entry: Entry, outcomes: Iterator[CroppedPicture | str], limit: int | None) -> tuple[str, str]:
    """The problem and the hash of the pixels of an entry; `limit` is the most digits that it may have."""
    if entry.problem:
        return entry.problem, ""
    outcome = next(outcomes)
    if isinstance(outcome, str):
        return outcome, ""
    too_long = limit is not None and len(entry.label) > limit
    problem = f"{len(entry.label)} digits, expected at most {limit}: raise --max_length" if too_long else ""
    return problem, hashlib.sha256(outcome.image).hexdigest()


class Kind(NamedTuple):
    """A kind of finding.

    Args:
        title: what follows "3 pictures ".
        cases: a line for each.
        is_problem: whether a finding must be mended before training. A wide gap need not, since some numbers are
            written apart, nor a picture without a label or with a number that is too long, since its owner may want it
            so.
    """

    title: str
    cases: list[str]
    is_problem: bool = True


def sort_findings(inspections: Sequence[Inspection], unnamed: Sequence[str], max_length: int) -> list[Kind]:
    """All findings by kind.

    Args:
        inspections: what was found in each entry.
        unnamed: the paths of the pictures that no label names.
        max_length: digits of the longest number that is read.
    """
    bad = [f"{each.entry.name}: {each.problem}" for each in inspections if each.problem]
    usable = [each.entry for each in inspections if not each.problem]
    gaps = [f"{entry.name} ({entry.label})" for entry in usable if has_wide_gap(entry.boxes)]
    longer = [f"{entry.name} ({entry.label})" for entry in usable if len(entry.label) > max_length]
    twice, leaks = _find_duplicates(inspections)
    return [
        Kind("with a gap as wide as a digit (the label may lack one)", gaps, is_problem=False),
        Kind("with a number longer than --max_length (learned as too long)", longer, is_problem=False),
        Kind("that no label names", list(unnamed), is_problem=False),
        Kind("that can't be used", bad),
        Kind("twice within a source", twice),
        Kind("in two sources", leaks),
    ]


def format_findings(inspections: Sequence[Inspection], kinds: Sequence[Kind]) -> Iterator[str]:
    """Lines for the user: the histogram of lengths, and the first cases of each kind, cut to a line's length."""
    yield from _format_histogram(inspections)
    for title, cases, _ in kinds:
        yield f"{len(cases)} picture{'s' * (len(cases) != 1)} {title}{':' if cases else ''}"
        yield from (f"  {shorten(case)}" for case in cases[:CASES_SHOWN])
        if len(cases) > CASES_SHOWN:
            yield f"  and {len(cases) - CASES_SHOWN} more"


def write_findings(path: Path, kinds: Sequence[Kind]) -> bool:
    """List all findings in a CSV with the columns kind and finding. Returns whether there are any.

    Without any, the list of an earlier check is replaced by one without rows, and no new file is made.
    """
    rows = [(kind.title, case) for kind in kinds for case in kind.cases]
    if rows or path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_rows(path, ("kind", "finding"), rows)
    return bool(rows)


def count_problems(kinds: Sequence[Kind]) -> int:
    return sum(len(kind.cases) for kind in kinds if kind.is_problem)


def has_wide_gap(boxes: Sequence[Box]) -> bool:
    """Whether two neighboring digits have a gap nearly as wide as a digit between them, as if a box were missing."""
    if not boxes:
        return False
    width = median(right - left for left, _, right, _ in boxes)
    height = median(bottom - top for _, top, _, bottom in boxes)
    gap = MIN_GAP * max(width, MIN_ASPECT * height)  # a 1 is narrower than a digit that may be missing
    return any(
        _are_side_by_side(left, right, height) and right[0] - left[2] > gap for left, right in pairwise(sorted(boxes))
    )


def _are_side_by_side(left: Box, right: Box, height: float) -> bool:
    """Whether two digits stand at about the same height. Digits that climb lie apart even if no digit is missing."""
    (_, left_top, _, left_bottom), (_, right_top, _, right_bottom) = left, right
    return abs(left_top + left_bottom - right_top - right_bottom) / 2 < MAX_CLIMB * height


def _find_duplicates(inspections: Sequence[Inspection]) -> tuple[list[str], list[str]]:
    """Pictures with the same pixels within a source, and pictures that are in two sources; a line for each group."""
    same: dict[str, list[Inspection]] = defaultdict(list)
    for each in inspections:
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


def _format_histogram(inspections: Sequence[Inspection]) -> Iterator[str]:
    """The number of usable pictures of each length, by source, with bars."""
    for source in dict.fromkeys(each.source for each in inspections):
        lengths = Counter(len(each.entry.label) for each in inspections if each.source == source and not each.problem)
        yield f"{source}: {lengths.total()} usable pictures"
        for length, count in sorted(lengths.items()):
            yield f"  {length} digits {count:>7} {'#' * round(BAR_WIDTH * count / max(lengths.values()))}"
