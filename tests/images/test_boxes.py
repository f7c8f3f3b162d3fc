"""Boxes that are of the same thing, and boxes in reading order."""

from __future__ import annotations

import pytest

from svhn.images import compute_cover, compute_overlap, sort_boxes, suppress_overlaps
from svhn.spec import Box

NUMBER = (100.0, 100.0, 200.0, 150.0)
HALF = (100.0, 100.0, 150.0, 150.0)  # its left half
MOVED = (150.0, 100.0, 250.0, 150.0)  # it shares a half of its area, and a third of the union
FAR = (400.0, 100.0, 500.0, 150.0)
LIMITS = {"overlap": 0.6, "cover": 0.8}


def test_boxes_that_touch_or_are_empty_share_nothing() -> None:
    empty = (120.0, 100.0, 120.0, 150.0)
    for other in (FAR, (200.0, 100.0, 300.0, 150.0), empty):
        assert (compute_overlap(NUMBER, other), compute_cover(NUMBER, other)) == (0, 0)


def test_overlap_counts_the_union_and_cover_the_smaller_box() -> None:
    assert compute_overlap(NUMBER, HALF) == compute_overlap(HALF, NUMBER) == 0.5
    assert compute_cover(NUMBER, HALF) == compute_cover(HALF, NUMBER) == 1
    assert compute_overlap(NUMBER, MOVED) == pytest.approx(1 / 3)
    assert compute_cover(NUMBER, MOVED) == 0.5


@pytest.mark.parametrize(
    ("boxes", "scores", "kept"),
    [
        ([NUMBER, FAR], [0.3, 0.9], [1, 0]),
        ([NUMBER, HALF], [0.9, 0.8], [0]),  # a part of it
        ([NUMBER, HALF], [0.8, 0.9], [1]),
        ([NUMBER, MOVED], [0.9, 0.8], [0, 1]),
        ([NUMBER, NUMBER, NUMBER], [0.5, 0.5, 0.5], [0]),
        ([HALF, MOVED, NUMBER], [0.5, 0.7, 0.6], [1, 2]),
        ([], [], []),
    ],
)
def test_one_box_is_kept_of_each_thing(boxes: list[Box], scores: list[float], kept: list[int]) -> None:
    assert list(suppress_overlaps(boxes, scores, **LIMITS)) == kept


def test_a_box_that_was_left_out_leaves_out_no_other() -> None:
    chain = [(left, 0.0, left + 100, 50.0) for left in (0.0, 40.0, 80.0)]
    assert list(suppress_overlaps(chain, [0.9, 0.8, 0.7], 0.4, 0.8)) == [0, 2]


def test_the_limits_themselves_are_of_the_same_thing() -> None:
    assert list(suppress_overlaps([NUMBER, HALF], [0.9, 0.8], 0.5, 1.1)) == [0]
    assert list(suppress_overlaps([NUMBER, MOVED], [0.9, 0.8], 0.9, 0.5)) == [0]
    assert list(suppress_overlaps([NUMBER, HALF], [0.9, 0.8], 0.51, 1.1)) == [0, 1]


def box(left: float, top: float, width: float = 60, height: float = 40) -> Box:
    return left, top, left + width, top + height


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [box(0, 0), box(100, 15), box(0, 60), box(100, 70)],  # two rows
        [box(500, 0), box(0, 50)],
        [
            box(0, 200),
            box(100, 185),
            box(200, 170),
            box(300, 155),
            box(400, 140),
            box(10, 260),
            box(110, 245),
        ],  # rising
        [box(0, 140), box(100, 155), box(200, 170), box(300, 185), box(400, 200)],  # falling
        [box(0, 0, 300, 200), box(400, 80), box(0, 300)],  # a large one beside a small one
        [box(400, 0), box(0, 50, 300, 200)],  # a small one that stands higher than a large one's middle
    ],
)
def test_boxes_are_read_row_by_row_from_the_left(boxes: list[Box]) -> None:
    for mixed in (boxes, boxes[::-1], boxes[1::2] + boxes[::2]):
        assert [mixed[place] for place in sort_boxes(mixed)] == boxes
