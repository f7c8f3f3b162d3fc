"""Boxes of single digits, joined into numbers by their places, for formats that hold a class for each digit.

Two digits belong to one number if they stand side by side: their heights differ at most by `MAX_RATIO`, they share
`MIN_SHARED` of the smaller height, and the gap between them is at most `JOINED_GAP` heights. The digits of a number
follow one another from left to right.

A number is given a problem, and is not guessed, where the places leave a doubt: another digit stands `JOINED_GAP` to
`PARTED_GAP` heights away, a single digit stands close above another one, or two digits lie on one another. So numbers
that are written downwards need a box around the whole number. Where a file tells which digits belong together, this
counts in place of the gaps.

Of 22,797 numbers of two digits or more in 27,000 of SVHN's training pictures, these rules join 99.6 % as they are
labeled, give 0.3 % a problem, and join 0.1 % otherwise (`python -m benchmarks.joining data/train`). The limits were
chosen on these same pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from svhn.datasets.formats.label_rows import SHOWN, find_box_problem, has_area
from svhn.errors import quote
from svhn.images import compute_cover
from svhn.spec import Box

JOINED_GAP = 0.75  # heights of the larger digit
PARTED_GAP = 1.5  # heights; digits that are farther apart belong to two numbers
STACKED_GAP = 0.5  # heights between digits that stand above one another
MIN_SHARED = 0.3  # share of the smaller digit's height
MAX_RATIO = 2  # of the heights of two digits of one number
MAX_COVERED = 0.7  # share of the smaller digit's area
REMEDY = "label the number with one box around it"
MIXED = "its group holds another number, too: give each number a group of its own"
WHOLE_CLASS = "number"  # the class of numbers whose digits are a text, as `svhn read --as` writes it


class Mark(NamedTuple):
    """A labeled box.

    Args:
        text: a digit, or a whole number; "" for a number without a text, which its digits may spell.
        box: in pixels of the picture.
        place: where it stands in the file, for messages.
        is_digit: whether it may be a part of a number.
        problem: why it can't be used; "" if it can.
        group: what the file joins it with: marks of one group are one number; "" if its place decides.
    """

    text: str
    box: Box
    place: str
    is_digit: bool
    problem: str = ""
    group: str = ""


class Number(NamedTuple):
    """A number's digits, its box, the boxes of its digits, the place of its first mark, and its problem or ""."""

    text: str
    box: Box
    digits: tuple[Box, ...]
    place: str
    problem: str


def read_class(name: str) -> str:
    """The digits that a class stands for; "" for a class of another kind."""
    name = name.strip()
    return name if name.isascii() and name.isdecimal() else ""


def is_whole_class(name: str) -> bool:
    """Whether boxes of a class are numbers even without a text, which somebody forgot to type."""
    return name.strip().lower() == WHOLE_CLASS


def describe_classes(names: Iterable[str]) -> str:
    """What the classes of a file are taken for."""
    texts = sorted(filter(None, map(read_class, names)), key=lambda text: (len(text), text))
    digits, numbers = [[text for text in texts if (len(text) == 1) == single] for single in (True, False)]
    taken = [f"classes {', '.join(digits)} as digits, joined by their places"] * bool(digits)
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    taken += [f"classes {', '.join(numbers[:SHOWN])}{more} as whole numbers"] * bool(numbers)
    return ", ".join(taken) or "no class is a number"


def list_numbers(marks: Sequence[Mark]) -> list[Number]:
    """The numbers of one picture: boxes of whole numbers as they are, and single digits joined.

    Digits whose middle lies within the box of a whole number belong to it, and must spell it.
    """
    unique = {(mark.text, mark.box, mark.is_digit, mark.group): mark for mark in reversed(marks)}  # first of equal ones
    marks = _name_mixed_groups(list(reversed(unique.values())))
    whole, digits = [[mark for mark in marks if mark.is_digit == single] for single in (False, True)]
    inner = [[digit for digit in digits if _holds(mark.box, digit.box)] for mark in whole]
    held = {id(digit) for group in inner for digit in group}
    numbers = [_keep_number(mark, group) for mark, group in zip(whole, inner, strict=True)]
    return numbers + join_digits([digit for digit in digits if id(digit) not in held])


def _name_mixed_groups(marks: Sequence[Mark]) -> list[Mark]:
    """The marks; those of a group with a whole number and anything outside its box have a problem."""
    whole = [mark for mark in marks if mark.group and not mark.is_digit]
    pairs = [(mark, other) for mark in whole for other in marks if other is not mark and other.group == mark.group]
    mixed = {mark.group for mark, other in pairs if not (other.is_digit and _holds(mark.box, other.box))}
    return [mark._replace(problem=mark.problem or MIXED) if mark.group in mixed else mark for mark in marks]


def join_digits(digits: Sequence[Mark]) -> list[Number]:
    """The numbers that the digits of one picture form. A digit with a problem gives all of them a problem."""
    bad = next((digit for digit in digits if _find_fault(digit)), None)
    if bad:
        said = f"a digit of the picture can't be used: {_find_fault(bad)}"
        return [Number(bad.text, bad.box, (), bad.place, said)]
    groups = [sorted(group, key=_find_middle) for group in _group_digits(digits)]
    return [_make_number(group, _find_doubt(group, digits)) for group in groups]


def _find_fault(digit: Mark) -> str:
    """Why a digit can't be used, or "". It may be narrower than a number."""
    return digit.problem or ("" if has_area(digit.box) else find_box_problem(digit.box))


def _group_digits(digits: Sequence[Mark]) -> list[list[Mark]]:
    groups: list[list[Mark]] = []
    for digit in digits:
        near = [group for group in groups if any(_belong_together(digit, other) for other in group)]
        groups = [group for group in groups if not any(group is each for each in near)]
        groups.append([digit, *(other for group in near for other in group)])
    return groups


def _belong_together(one: Mark, other: Mark) -> bool:
    return one.group == other.group if one.group or other.group else _are_beside(one.box, other.box, JOINED_GAP)


def _make_number(group: Sequence[Mark], problem: str) -> Number:
    boxes = tuple(mark.box for mark in group)
    sides = list(zip(*boxes, strict=True))
    around = min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3])
    text = "".join(mark.text for mark in group)
    return Number(text, around, boxes, group[0].place, problem or find_box_problem(around))


def _keep_number(mark: Mark, inner: Sequence[Mark]) -> Number:
    inner = sorted(inner, key=_find_middle)
    spelled = "".join(digit.text for digit in inner)
    text = mark.text or spelled
    differs = f"the digits in its box spell {quote(spelled)}, expected {quote(text)}"
    problem = mark.problem or find_box_problem(mark.box) or (differs if inner and spelled != text else "")
    return Number(text, mark.box, tuple(digit.box for digit in inner), mark.place, problem)


def _find_doubt(group: Sequence[Mark], digits: Iterable[Mark]) -> str:
    """Why a number may be another one; "" if nothing speaks for that."""
    for mark in group:
        for other in digits:
            if other is mark:
                continue
            relation = _relate(mark, other, alone=len(group) == 1, apart=other not in group)
            if relation:
                return f"the digit {mark.text} {relation} the digit {other.text} ({other.place}): {REMEDY}"
    return ""


def _relate(mark: Mark, other: Mark, *, alone: bool, apart: bool) -> str:
    """What makes it doubtful whether two digits form a number, or in which order; "" if nothing does."""
    if compute_cover(mark.box, other.box) > MAX_COVERED:
        return "lies on"
    stacked = _are_stacked(mark.box, other.box, STACKED_GAP if apart else math.inf)
    if mark.group and other.group:  # the file tells whether they belong together, but not their order
        level = _are_beside(mark.box, other.box, PARTED_GAP)
        return "stands above or below" if stacked and not (apart or level) else ""
    if apart and _are_beside(mark.box, other.box, PARTED_GAP):
        return "may or may not belong to"
    return "stands above or below" if apart and alone and stacked else ""


def _are_beside(one: Box, other: Box, gap: float) -> bool:
    """Whether two boxes could be neighbors in a number with at most `gap` heights between them."""
    small, large = sorted((one[3] - one[1], other[3] - other[1]))
    shared = min(one[3], other[3]) - max(one[1], other[1])
    between = max(one[0], other[0]) - min(one[2], other[2])
    return large <= MAX_RATIO * small and shared >= MIN_SHARED * small and between <= gap * large


def _are_stacked(one: Box, other: Box, gap: float) -> bool:
    """Whether two boxes share columns, with at most `gap` heights between them."""
    small, large = sorted((one[3] - one[1], other[3] - other[1]))
    shared = min(one[2], other[2]) - max(one[0], other[0])
    between = max(one[1], other[1]) - min(one[3], other[3])
    narrow = min(one[2] - one[0], other[2] - other[0])
    return large <= MAX_RATIO * small and shared >= MIN_SHARED * narrow and between <= gap * large


def _find_middle(mark: Mark) -> float:
    return mark.box[0] + mark.box[2]


def _holds(box: Box, inner: Box) -> bool:
    across, down = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return box[0] <= across <= box[2] and box[1] <= down <= box[3]
