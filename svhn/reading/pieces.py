"""Numbers that the finder found in pieces: boxes that follow one another in a row are read as one number, too.

The finder cuts through long numbers, and digits far apart it finds one by one. From a box around all of them the
network reads most of these numbers, or that they are too long. So such boxes are read as well, and what the network is
sure of stands beside the pieces.
"""

from __future__ import annotations

from collections.abc import Sequence

from svhn.images import enclose_boxes
from svhn.labels import Number
from svhn.reading.columns import ReadBoxes
from svhn.reading.search import Detection
from svhn.spec import Box

# These values were chosen on made pictures of valid: see docs/ablation.md.
LEAST_CONFIDENCE = 0.8  # of the network, that what pieces show together is one number
MOST_GAP, NEAR = 1.6, 0.4  # between two pieces of one digit each, and between others, in heights of the lower one
LEAST_LEVEL, MOST_HEIGHTS = 0.5, 1.7  # least part of the lower piece's height that is level with the other; most ratio
MOST_PIECES, MOST_RUNS = 5, 24  # of a number, and numbers that are tried in a picture; bounds the time


def read_runs(
    read: ReadBoxes, detections: Sequence[Detection], numbers: Sequence[Number]
) -> list[tuple[Detection, Number]]:
    """The boxes around boxes in a row that show one number together, and these numbers.

    Args:
        read: the network, on boxes of the picture.
        detections: the boxes, none of them empty.
        numbers: what the network reads in each of them.
    """
    boxes = [each.box for each in detections]
    runs = list_runs(boxes, [len(number.text) == 1 for number in numbers])
    around = [_join_detections([detections[place] for place in run]) for run in runs]
    pieces = [[numbers[place] for place in run] for run in runs]
    found = zip(around, read([each.box for each in around]), pieces, strict=True)
    return [(each, number) for each, number, parts in found if _is_whole(number, parts)]


def _join_detections(pieces: Sequence[Detection]) -> Detection:
    return Detection(enclose_boxes([piece.box for piece in pieces]), min(piece.probability for piece in pieces))


def _is_whole(number: Number, pieces: Sequence[Number]) -> bool:
    """Whether the network is sure of a number that has the digits of all pieces, or more than the network reads."""
    holds_all = number.truncated or (bool(number.text) and all(piece.text in number.text for piece in pieces))
    return holds_all and number.confidence >= LEAST_CONFIDENCE


def list_runs(boxes: Sequence[Box], single: Sequence[bool]) -> list[tuple[int, ...]]:
    """The places of two or more boxes that follow one another from left to right, shorter runs first.

    Args:
        boxes: left, top, right and bottom of each.
        single: whether one digit was read in it. Such boxes may stand farther apart.
    """
    places = range(len(boxes))
    following = [
        [other for other in places if _follows(boxes[place], boxes[other], single[place] and single[other])]
        for place in places
    ]
    runs: list[tuple[int, ...]] = []
    last: list[tuple[int, ...]] = [(place,) for place in places]
    while last and len(last[0]) < MOST_PIECES and len(runs) < MOST_RUNS:
        last = [(*run, other) for run in last for other in following[run[-1]]]
        runs += last
    return runs[:MOST_RUNS]


def _follows(one: Box, other: Box, single: bool) -> bool:
    """Whether a box stands at the right of another, in the same row and about as high."""
    heights = one[3] - one[1], other[3] - other[1]
    low = min(heights)
    level = min(one[3], other[3]) - max(one[1], other[1])
    further = other[0] > one[0] and other[2] > one[2] and other[0] - one[2] < (MOST_GAP if single else NEAR) * low
    return further and level >= LEAST_LEVEL * low and max(heights) <= MOST_HEIGHTS * low
