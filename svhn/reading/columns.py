"""Numbers whose digits stand above one another: read as a row, and put together of what was found apart.

A crop shows a high box as wide as any other, so that its digits are low and very wide. The network reads few of them
right, but it reads rows of digits well. So a high box is cut into digits in several ways, the parts of each way are put
side by side, and the surest way counts. The finder may also find the digits of a column one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from svhn.images import enclose_boxes
from svhn.labels import NO_NUMBER, Number, list_corners
from svhn.spec import Box

# These values were tried on made pictures of valid, and not compared with others.
LEAST_HEIGHT = 1.25  # of a box that is cut, in widths of the box; one digit is about as high as 1.5 times its width
COUNTS = (2, 3, 4, 5)  # of digits
GAPS = (0.0, 0.12, 0.25, 0.4, 0.6)  # between two digits, in heights of a digit
# Smallest and largest width over height of a digit. In a wider one's margins, the network would see it twice: see
# docs/ablation.md.
ASPECT_RATIOS = (0.35, 0.9)
PART_MARGIN = 0.4  # shown above and below each digit, in heights of a digit: see docs/ablation.md
MOST_COLUMNS = 3  # boxes of a picture that are cut; bounds the time
LEAST_PIECE = 0.3  # least confidence of a piece of a column
# Between one piece and the next below it: the largest distance of their middles, in widths of the wider one; least and
# most gap, and most difference of height, in heights of a digit.
MOST_ASIDE, PIECE_GAPS, MOST_HEIGHTS = 0.5, (-0.35, 0.8), 1.7

ReadRows = Callable[[Sequence[Sequence[Box]]], Sequence[Number]]  # the number that each row of parts shows


def read_columns(read: ReadRows, boxes: Sequence[Box], numbers: Sequence[Number]) -> list[Number]:
    """The numbers, where those in high boxes may have been read as rows.

    Args:
        read: the network, on parts of the picture that are put side by side.
        boxes: the numbers' boxes, the most probable one first.
        numbers: what the network reads in each of them as a whole.
    """
    high = [
        place for place, (box, number) in enumerate(zip(boxes, numbers, strict=True)) if _may_be_column(box, number)
    ]
    found = list(numbers)
    for place in high[:MOST_COLUMNS]:
        found[place] = max(found[place], read_column(read, boxes[place]), key=compute_mean)
    return found


def is_high(box: Box) -> bool:
    """Whether a box is too high for one digit. An empty one is not."""
    left, top, right, bottom = box
    return bottom - top > LEAST_HEIGHT * (right - left) > 0


def _may_be_column(box: Box, number: Number) -> bool:
    """Whether a box is high, and the network does not take what is in it for one digit."""
    return is_high(box) and len(number.text) != 1


def compute_mean(number: Number) -> float:
    """The geometric mean of a digit's confidence, by which numbers of several lengths can be compared."""
    return number.confidence ** (1 / max(1, len(number.text)))


def read_column(read: ReadRows, box: Box) -> Number:
    """The surest number of all ways to cut a box into digits; one without digits if no way gives one digit per part."""
    ways = list_cuts(box)
    fitting = [number for way, number in zip(ways, read(ways), strict=True) if len(number.text) == len(way)]
    return max(fitting, key=compute_mean, default=NO_NUMBER)


def list_cuts(box: Box) -> list[list[Box]]:
    """The ways to cut a box into equally high digits, from the top down. Parts show some of what is above and below."""
    left, top, right, bottom = box
    ways = []
    for count in COUNTS:
        for gap in GAPS:
            high = (bottom - top) / (count + (count - 1) * gap)
            tops = [top + (index * (1 + gap) - PART_MARGIN) * high for index in range(count)]
            if ASPECT_RATIOS[0] < (right - left) / high < ASPECT_RATIOS[1]:
                ways.append([(left, each, right, each + (1 + 2 * PART_MARGIN) * high) for each in tops])
    return ways


def join_columns(numbers: Sequence[Number]) -> list[Number]:
    """The numbers, where those that stand closely above one another are one number, from the top down.

    A piece of a column is one digit, or several in a high box.
    """
    waiting = sorted(filter(_is_piece, numbers), key=_get_top)
    joined = [number for number in numbers if not _is_piece(number)]
    while waiting:
        column = [waiting.pop(0)]
        while below := [number for number in waiting if _follows(column[-1], number)]:
            column.append(max(below, key=lambda number: number.confidence))
            waiting.remove(column[-1])
        joined.append(_join_pieces(column) if len(column) > 1 else column[0])
    return joined


def _is_piece(number: Number) -> bool:
    if not number.text or not number.box or number.confidence < LEAST_PIECE:
        return False
    return len(number.text) == 1 or is_high(number.box)


def _get_top(number: Number) -> float:
    return _get_box(number)[1]


def _get_box(number: Number) -> Box:
    assert number.box, "a piece has a box"
    return number.box


def _follows(upper: Number, lower: Number) -> bool:
    """Whether two pieces are of one column."""
    (left, top, right, bottom), (x0, y0, x1, y1) = _get_box(upper), _get_box(lower)
    heights = (bottom - top) / len(upper.text), (y1 - y0) / len(lower.text)
    aside = abs(left + right - x0 - x1) / 2
    least, most = (gap * min(heights) for gap in PIECE_GAPS)
    beneath = least < y0 - bottom < most and max(heights) < MOST_HEIGHTS * min(heights)
    return beneath and aside < MOST_ASIDE * max(right - left, x1 - x0)


def _join_pieces(column: Sequence[Number]) -> Number:
    text = "".join(number.text for number in column)
    confidences = tuple(each for number in column for each in number.digit_confidences)
    corners = list_corners(enclose_boxes([_get_box(number) for number in column]))
    return Number(text, math.prod(number.confidence for number in column), confidences, corners)
