"""Boxes in a picture: each is left, top, right and bottom, in pixels or in any other unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from svhn.spec import Box


def normalize_box(box: Box, crop: Box) -> Box:
    """A box in pixels, clipped to a crop, as shares of the crop's width and height."""
    left, top, right, bottom = crop
    x0, x1 = (min(max(x - left, 0.0) / (right - left), 1.0) for x in (box[0], box[2]))
    y0, y1 = (min(max(y - top, 0.0) / (bottom - top), 1.0) for y in (box[1], box[3]))
    return x0, y0, x1, y1


def compute_overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    shared = _compute_shared(one, other)
    return shared / (compute_area(one) + compute_area(other) - shared) if shared else 0.0


def compute_cover(one: Box, other: Box) -> float:
    """Share of the smaller one of two boxes that the other one covers, 0 to 1."""
    shared = _compute_shared(one, other)
    return shared / min(compute_area(one), compute_area(other)) if shared else 0.0


def _compute_shared(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(down, 0.0)


def compute_area(box: Box) -> float:
    """In squares of the box's unit."""
    left, top, right, bottom = box
    return (right - left) * (bottom - top)


def enclose_boxes(boxes: Sequence[Box]) -> Box:
    """The smallest box around all boxes."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def suppress_overlaps(boxes: Sequence[Box], scores: Sequence[float], overlap: float, cover: float) -> Iterator[int]:
    """The places of the boxes that are of different things, that of the highest score first.

    This is greedy non-maximum suppression (Neubeck and Van Gool 2006, *Efficient Non-Maximum Suppression*): a box is
    left out if a box of a higher score is kept that is of the same thing.

    Args:
        boxes: left, top, right and bottom of each.
        scores: the score of each.
        overlap: intersection over union, 0 to 1, from which two boxes are of the same thing.
        cover: share of the smaller box, 0 to 1, that the other one covers, from which they are, too: the smaller one
            then holds a part of what is in the other.
    """
    kept: list[Box] = []
    for place in sorted(range(len(boxes)), key=lambda each: -scores[each]):
        box = boxes[place]
        if all(compute_overlap(box, each) < overlap and compute_cover(box, each) < cover for each in kept):
            kept.append(box)
            yield place


def sort_boxes(boxes: Sequence[Box]) -> list[int]:
    """The places of boxes in reading order: rows from top to bottom, and each row from left to right.

    Two boxes are in one row if the middle of each lies within the height of the other. A row may rise or fall: each box
    follows its neighbor to the left.
    """
    rows: list[list[int]] = []
    for place in sorted(range(len(boxes)), key=lambda each: boxes[each][0]):
        box = boxes[place]
        level = [row for row in rows if _are_level(boxes[row[-1]], box)]
        nearest = min(level, key=lambda row: abs(_find_middle(boxes[row[-1]]) - _find_middle(box)), default=None)
        if nearest is None:
            rows.append([place])
        else:
            nearest.append(place)
    rows.sort(key=lambda row: fmean(_find_middle(boxes[each]) for each in row))
    return [place for row in rows for place in row]


def _find_middle(box: Box) -> float:
    """How far down the middle of a box lies."""
    return (box[1] + box[3]) / 2


def _are_level(one: Box, other: Box) -> bool:
    return one[1] <= _find_middle(other) <= one[3] and other[1] <= _find_middle(one) <= other[3]


def expand_box(box: Box, margin: float, picture: tuple[int, int]) -> Box:
    """A box with a margin, clipped to the picture.

    Args:
        box: left, top, right and bottom, in pixels.
        margin: share of the box's width and height that is added on each side.
        picture: width and height, in pixels.

    Raises:
        ValueError: the box without its margin lies outside of the picture.
    """
    if not is_within(box, picture):
        corners = "{:g},{:g} to {:g},{:g}".format(*box)
        raise ValueError(f"box {corners} lies outside of the picture of {picture[0]} x {picture[1]} pixels")
    left, top, right, bottom = box
    across, down = margin * (right - left), margin * (bottom - top)
    return clip_box((left - across, top - down, right + across, bottom + down), picture)


def is_within(box: Box, picture: tuple[int, int]) -> bool:
    """Whether a (width, height) picture shows any of a box."""
    left, top, right, bottom = clip_box(box, picture)
    return left < right and top < bottom


def clip_box(box: Box, picture: tuple[int, int]) -> Box:
    """A box without what lies outside of a (width, height) picture; an empty one at its edge if all does."""
    left, right = (min(max(side, 0.0), float(picture[0])) for side in (box[0], box[2]))
    top, bottom = (min(max(side, 0.0), float(picture[1])) for side in (box[1], box[3]))
    return left, top, right, bottom
