"""Numbers that the finder found in pieces: boxes that follow one another are read as one number, too.

The finder cuts through long numbers and columns, and digits far apart it finds one by one. From a box around all of
them the network reads most of these numbers, or that they are too long. So such boxes are read as well, and what the
network is sure of stands beside the pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from svhn.images import enclose_boxes
from svhn.labels import Number
from svhn.reading.columns import ReadRows, compute_mean, is_high, read_column
from svhn.reading.search import Detection
from svhn.spec import Box

# These values were chosen on made pictures of valid: see docs/ablation.md.
LEAST_CONFIDENCE = 0.8  # of the network, that pieces in a row are one number; in the mean, of a column's digits
LEAST_LEVEL = 0.5  # of the smaller piece's breadth that is level with the other: of its height in a row
MOST_PIECES, MOST_RUNS = 5, 24  # of a number, and runs that are made longer; bounds the time


ReadBoxes = Callable[[Sequence[Box]], Sequence[Number]]  # the number in each box
Piece = tuple[Detection, Number]  # a box, and what the network reads in it


class Way(NamedTuple):
    """How pieces of a number follow one another.

    Args:
        side: 0 from left to right, 1 from the top down.
        most_gap, near: most gap between two pieces of one digit each, and between others, in breadths of the smaller.
        most_ratio: most ratio of the breadths.
        most_read: runs of a picture that are read; bounds the time.
    """

    side: int
    most_gap: float
    near: float
    most_ratio: float
    most_read: int


ROW, COLUMN = Way(0, 1.6, 0.4, 1.7, MOST_RUNS), Way(1, 1.2, 1.2, 2.5, 6)


def read_runs(
    read: ReadBoxes, read_rows: ReadRows, detections: Sequence[Detection], numbers: Sequence[Number]
) -> list[tuple[Detection, Number]]:
    """The boxes around boxes in a row or a column that show one number together, and these numbers.

    Args:
        read: the network, on boxes of the picture.
        read_rows: the same, on parts that are put side by side.
        detections: the boxes, none of them empty.
        numbers: what the network reads in each of them.
    """
    pieces = list(zip(detections, numbers, strict=True))
    rows = _list_groups(ROW, pieces)
    across = [_join_detections(group) for group in rows]
    found = zip(across, read([each.box for each in across]), rows, strict=True)
    wholes = [(each, number) for each, number, group in found if _is_row(number, group)]
    for group in _list_groups(COLUMN, [piece for piece in pieces if _is_upright(*piece)]):
        each = _join_detections(group)
        number = read_column(read_rows, each.box)
        wholes += [(each, number)] if _is_column(number, group) else []
    return wholes


def _list_groups(way: Way, pieces: Sequence[Piece]) -> list[list[Piece]]:
    """The pieces of each run."""
    boxes, single = [each.box for each, _ in pieces], [len(number.text) == 1 for _, number in pieces]
    return [[pieces[place] for place in run] for run in list_runs(way, boxes, single)]


def _join_detections(pieces: Sequence[Piece]) -> Detection:
    return Detection(enclose_boxes([each.box for each, _ in pieces]), min(each.probability for each, _ in pieces))


def _is_row(number: Number, pieces: Sequence[Piece]) -> bool:
    """Whether the network is sure of a number that has the digits of all pieces and more, or more than it reads."""
    texts = [piece.text for _, piece in pieces]
    holds_all = all(text in number.text and len(text) < len(number.text) for text in texts)
    return (number.truncated or holds_all) and number.confidence >= LEAST_CONFIDENCE


def _is_upright(each: Detection, number: Number) -> bool:
    """Whether a box may be a piece of a column. What is read in a high box as a whole does not count."""
    return len(number.text) == 1 or is_high(each.box)


def _is_column(number: Number, pieces: Sequence[Piece]) -> bool:
    """Whether the network is sure, in the mean, of the digits of a number that has those of all pieces of one digit."""
    digits = [piece.text for _, piece in pieces if len(piece.text) == 1]
    return all(digit in number.text for digit in digits) and compute_mean(number) >= LEAST_CONFIDENCE


def list_runs(way: Way, boxes: Sequence[Box], single: Sequence[bool]) -> list[tuple[int, ...]]:
    """The places of two or more boxes that follow one another, longer runs first. Those that are read are few.

    Args:
        way: how they follow one another.
        boxes: left, top, right and bottom of each.
        single: whether one digit was read in it.
    """
    places = range(len(boxes))
    following = [
        [other for other in places if _follows(way, boxes[place], boxes[other], single[place] and single[other])]
        for place in places
    ]
    runs: list[tuple[int, ...]] = []
    last: list[tuple[int, ...]] = [(place,) for place in places]
    while last and len(last[0]) < MOST_PIECES and len(runs) < MOST_RUNS:
        last = [(*run, other) for run in last[:MOST_RUNS] for other in following[run[-1]]]
        runs += last
    return sorted(runs, key=len, reverse=True)[: way.most_read]


def _follows(way: Way, one: Box, other: Box, single: bool) -> bool:
    """Whether a box stands behind another, level with it and about as broad."""
    near, far, begin, end = way.side, way.side + 2, 1 - way.side, 3 - way.side
    breadths = one[end] - one[begin], other[end] - other[begin]
    small = min(breadths)
    level = min(one[end], other[end]) - max(one[begin], other[begin])
    gap = other[near] - one[far]
    behind = other[near] > one[near] and other[far] > one[far] and gap < (way.most_gap if single else way.near) * small
    return behind and level >= LEAST_LEVEL * small and max(breadths) <= way.most_ratio * small
