"""The search for the numbers in a picture: the finder's boxes in windows of several sizes, then closer windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from svhn.images import clip_box, compute_area, compute_cover, compute_overlap, suppress_overlaps
from svhn.reading.windows import CLOSER_SIZES, center_window, crop_window, list_closer_windows, list_levels
from svhn.spec import Box, Size

# Least probability of a window for which smaller windows about the same place are searched, and levels of windows that
# are searched whatever it is. Chosen on made pictures of valid: see docs/ablation.md.
LEAST_HINT, FIRST_LEVELS = 0.02, 3
LEAST_PROBABILITY = 0.3  # of a window's box that is searched again more closely; chosen on made pictures of valid
# Intersection over union of two windows' boxes, and share of the smaller one's area, from which both are of the same
# number: a window may have cut through it. Chosen on made pictures of valid.
SAME_NUMBER = (0.4, 0.8)
MOST_NUMBERS = 24  # of a picture; bounds the time that a crowded picture takes; chosen on made pictures of valid
# Size of a wider window about a box, in sizes of the closer one. What it shows is one more box if it is that many times
# as large as the first one, and if no box has that intersection over union with it. Chosen on made pictures of valid.
WIDER_VIEW, LARGER, SAME_BOX = 2.2, 1.3, 0.8
SAME_WINDOW = 0.9  # overlap, 0 to 1, from which two windows count as the same: see docs/ablation.md
BATCH_SIZE = 8  # windows per call of the network; bounds the memory that a large photo takes

# From windows, uint8 (windows, height, width, 3), to the probability of a number, float32 (windows,), and the number's
# box, float32 (windows, 4): left, top, right and bottom as shares of the window's width and height.
Locate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]  # `map`, or a version of it that uses threads


class Detection(NamedTuple):
    """A box that may hold a number.

    Args:
        box: left, top, right and bottom, in pixels.
        probability: from 0 to 1, that there is a number in the window of the box; the mean of several windows' where
            these were searched.
    """

    box: Box
    probability: float


Look = Callable[[Sequence[Box]], list[Detection]]  # gives the box of each window of the picture that is searched


class Found(NamedTuple):
    """What the finder found in a picture.

    Args:
        detections: the boxes, the most probable one first. At least one, however improbable it is.
        windows: number of windows that were searched, those about a box left out.
    """

    detections: list[Detection]
    windows: int


def find_numbers(locate: Locate, image: Image.Image, size: Size, each: Each = map) -> Found:
    """The numbers that may be in an RGB picture.

    A small window is searched only where a larger one about its middle showed that there may be a number. Each window
    gives a box. Of the boxes that are probable enough, one per number becomes the center of closer windows of several
    sizes, which give the final box and probability. Where the middle one is about the same as the window that the box
    is from, as in a picture that is hardly larger than its number, they are not searched. Last, a wider window about
    each box shows whether it holds only a part of a number, whose box is then one more.

    Args:
        locate: the finder's function.
        image: the picture.
        size: height and width of the finder's input, in pixels.
        each: calls the finder on each batch of windows.
    """
    look = _remember_windows(partial(_search_windows, locate, image, size=size, each=each))
    windows, found = _search_levels(look, image)
    chosen = {place: center_window(found[place].box, image.size) for place in _choose_detections(found)}
    others = [place for place, middle in chosen.items() if compute_overlap(middle, windows[place]) < SAME_WINDOW]
    closer = dict(zip(others, _search_closer(look, image.size, [found[place].box for place in others]), strict=True))
    final = [closer.get(place, found[place]) for place in chosen]
    final += _find_wholes(look, image.size, final)
    return Found(sorted(final, key=lambda detection: -detection.probability)[:MOST_NUMBERS], len(windows))


def _remember_windows(look: Look) -> Look:
    """The same function, which searches no window twice: in a small picture, many windows show all of it."""
    known: dict[Box, Detection] = {}

    def recall(windows: Sequence[Box]) -> list[Detection]:
        new = [window for window in dict.fromkeys(windows) if window not in known]
        known.update(zip(new, look(new), strict=True))
        return [known[window] for window in windows]

    return recall


def _search_closer(look: Look, picture: tuple[int, int], boxes: Sequence[Box]) -> list[Detection]:
    """What the closer windows around each box show."""
    found = iter(look([window for box in boxes for window in list_closer_windows(box, picture)]))
    return [_average_detections([*islice(found, len(CLOSER_SIZES))]) for _ in boxes]


def _find_wholes(look: Look, picture: tuple[int, int], detections: Sequence[Detection]) -> list[Detection]:
    """The numbers that wider windows show around boxes of their parts, such as single digits that stand far apart."""
    parts = [each for each in detections if each.probability >= LEAST_PROBABILITY]
    wider = look([center_window(part.box, picture, WIDER_VIEW) for part in parts])
    boxes = [whole.box for part, whole in zip(parts, wider, strict=True) if _is_whole(whole, part)]
    known = [part.box for part in parts]
    wholes: list[Detection] = []
    for whole in _search_closer(look, picture, boxes):
        if whole.probability >= LEAST_PROBABILITY and all(compute_overlap(whole.box, box) < SAME_BOX for box in known):
            known.append(whole.box)
            wholes.append(whole)
    return wholes


def _is_whole(whole: Detection, part: Detection) -> bool:
    larger = compute_area(whole.box) >= LARGER * compute_area(part.box)
    return whole.probability >= LEAST_PROBABILITY and larger and compute_cover(part.box, whole.box) >= SAME_NUMBER[1]


def _average_detections(found: Sequence[Detection]) -> Detection:
    """The mean of the boxes that are of one number with the surest one, at the mean probability of all."""
    surest = max(found, key=lambda detection: detection.probability)
    alike = [each.box for each in found if each is surest or compute_overlap(each.box, surest.box) >= SAME_NUMBER[0]]
    left, top, right, bottom = (float(side) for side in np.mean(alike, axis=0))
    return Detection((left, top, right, bottom), float(np.mean([each.probability for each in found])))


def _search_levels(look: Look, image: Image.Image) -> tuple[list[Box], list[Detection]]:
    """The windows that were searched, from the largest to the smallest, and the box of each."""
    windows: list[Box] = []
    found: list[Detection] = []
    hints: list[Box] = []
    for number, level in enumerate(list_levels(image.width, image.height)):
        chosen = level if number < FIRST_LEVELS else [window for window in level if _lies_in_any(window, hints)]
        detections = look(chosen)
        hints = [window for window, (_, sure) in zip(chosen, detections, strict=True) if sure >= LEAST_HINT]
        windows, found = windows + chosen, found + detections
    return windows, found


def _lies_in_any(window: Box, others: Iterable[Box]) -> bool:
    """Whether any of the others has a window's middle in it."""
    x, y = (window[0] + window[2]) / 2, (window[1] + window[3]) / 2
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in others)


def _choose_detections(found: Sequence[Detection]) -> list[int]:
    """The places of the probable boxes, one per number; that of the most probable box if none is probable."""
    probable = [place for place, detection in enumerate(found) if detection.probability >= LEAST_PROBABILITY]
    probable = probable or [max(range(len(found)), key=lambda place: found[place].probability)]
    boxes, probabilities = zip(*(found[place] for place in probable), strict=True)
    return [probable[place] for place in islice(suppress_overlaps(boxes, probabilities, *SAME_NUMBER), MOST_NUMBERS)]


def _search_windows(
    locate: Locate, image: Image.Image, windows: Sequence[Box], size: Size, each: Each
) -> list[Detection]:
    """The box of each window."""

    def search_batch(batch: Sequence[Box]) -> list[Detection]:
        probabilities, boxes = locate(np.stack([crop_window(image, window, size) for window in batch]))
        return [
            Detection(clip_box(_place_box(box, window), image.size), float(probability))
            for box, window, probability in zip(boxes, batch, probabilities, strict=True)
        ]

    batches = [windows[start : start + BATCH_SIZE] for start in range(0, len(windows), BATCH_SIZE)]
    return [detection for found in each(search_batch, batches) for detection in found]


def _place_box(box: np.ndarray, window: Box) -> Box:
    """The box in pixels of the picture, from shares of the window's width and height."""
    left, top, right, bottom = window
    across, down = right - left, bottom - top
    x0, y0, x1, y1 = np.clip(box, 0, 1).tolist()
    return left + x0 * across, top + y0 * down, left + x1 * across, top + y1 * down
