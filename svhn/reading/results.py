"""What comes of a picture that was given to the reader: its reading, or the error that ended it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Literal

from PIL import Image

from svhn.confidence import compute_needed, estimate_confidence
from svhn.errors import PassingError
from svhn.images import Picture, compute_cover, sort_boxes, suppress_overlaps
from svhn.labels import NO_NUMBER, Number, Reading, Refusal, enlarge_number
from svhn.reading.columns import join_columns
from svhn.spec import Box

READ_ERRORS = (OSError, ValueError)  # of a picture that can't be opened; all others are faults of this package

# Intersection over union of two numbers' boxes, and share of the smaller one's area, from which the surer number alone
# is answered. Chosen on made pictures of valid.
SAME_ANSWER = (0.3, 0.6)
# Least share of a part's box that lies within the box of the number of which it is a part: tried on made pictures of
# valid, and not compared with other values. Least confidence of such a number as a share of the part's: chosen there.
PART_COVER, WHOLE_SHARE = 0.75, 0.75

OnError = Literal["raise", "return"]
Finish = Callable[[Any, Image.Image, Reading], object]


def name_source(source: Any, index: int) -> str:
    """The path of a picture, or its place among all pictures where it has none."""
    return os.fspath(source) if isinstance(source, str | os.PathLike) else f"picture {index}"


def make_reading(numbers: Sequence[Number], windows: int, threshold: float, size: tuple[int, int]) -> Reading:
    """The answer to a picture: of all numbers that were read in it, those that are sure enough, each once, in order.

    Args:
        numbers: what was read in each box of the picture, each with the product of both networks' probabilities as its
            confidence.
        windows: number of windows in which the picture was searched.
        threshold: least confidence of an answer in a picture of one window, 0 to 1.
        size: width and height of the picture, in pixels.
    """
    apart = join_columns(_choose_surest(_leave_out_parts([number for number in numbers if number.shown])))
    apart = [number._replace(confidence=estimate_confidence(number.confidence, windows)) for number in apart]
    needed = compute_needed(threshold, windows)
    answered = [number for number in apart if number.confidence >= needed]
    if answered:
        return Reading(tuple(answered[place] for place in sort_boxes(_list_boxes(answered))), size=size)
    surest = max(apart, key=lambda number: number.confidence, default=NO_NUMBER)
    return Reading(refused=Refusal(surest.text, surest.confidence, needed), size=size)


def _leave_out_parts(numbers: Sequence[Number]) -> list[Number]:
    """The numbers of which no other one has the digits and more around the same place.

    A window may show a part of a number alone. The part is often the surer one, since it has fewer digits.
    """
    return [number for number in numbers if not any(_is_part(number, whole) for whole in numbers)]


def _is_part(number: Number, whole: Number) -> bool:
    shared = whole.truncated or (len(number.text) < len(whole.text) and number.text in whole.text)
    sure = whole.confidence >= WHOLE_SHARE * number.confidence
    if not shared or not sure or number.truncated or not number.box or not whole.box:
        return False
    smaller = _find_longer_side(number.box) < _find_longer_side(whole.box)
    return smaller and compute_cover(number.box, whole.box) >= PART_COVER


def _find_longer_side(box: Box) -> float:
    left, top, right, bottom = box
    return max(right - left, bottom - top)


def _choose_surest(numbers: Sequence[Number]) -> list[Number]:
    """The surest number of each place, the surest of all first."""
    confidences = [number.confidence for number in numbers]
    return [numbers[place] for place in suppress_overlaps(_list_boxes(numbers), confidences, *SAME_ANSWER)]


def _list_boxes(numbers: Sequence[Number]) -> list[Box]:
    return [number.box for number in numbers if number.box]  # the finder located all of them


def enlarge_reading(reading: Reading, picture: Picture) -> Reading:
    """The reading of a reduced picture, with its boxes in pixels of the picture's file."""
    numbers = tuple(enlarge_number(number, picture.reduction) for number in reading.numbers)
    return reading._replace(numbers=numbers, size=picture.size)


def finish_picture(finish: Finish, source: Any, image: Image.Image, reading: Reading, on_error: OnError) -> Reading:
    """Call `finish`, and return the reading, with the error that it raised if it raised one."""
    try:
        finish(source, image, reading)
    except READ_ERRORS as error:
        if on_error == "raise":
            raise
        return reading._replace(error=str(error), passing=isinstance(error, PassingError))
    return reading


def take_reading(name: str, future: Future[Reading], on_error: OnError) -> Reading:
    """The result of a thread. Raises its error, with the picture's name, or returns a `Reading` with it."""
    try:
        reading = future.result()
    except READ_ERRORS as error:
        message = f"{name}: {error}"
        if on_error == "return":
            return Reading(error=message, passing=isinstance(error, PassingError))
        kinds = (FileNotFoundError, PassingError, OSError, ValueError)
        raise next(kind for kind in kinds if isinstance(error, kind))(message) from error
    return reading._replace(error=f"{name}: {reading.error}") if reading.error else reading
