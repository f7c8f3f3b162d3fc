"""The search for a number in a picture: the finder's boxes in windows of several sizes, then one closer window."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from svhn.images import compute_overlap
from svhn.spec import Box, Size

ASPECT_RATIO = 2.2  # width over height of a window: the median of the pictures that the finder was trained on
MIN_WINDOW_WIDTH = 160  # pixels of the narrowest window; a smaller picture is searched only as a whole
MAX_WINDOWS_ACROSS = 8  # most widths of a window in the picture's longer side; bounds the number of windows
MIN_STRIP_WINDOW_WIDTH = 24  # pixels of the narrowest window in a picture that is longer than that many of its windows
MAX_STRIP_WINDOWS = 500  # most windows in such a picture; reading so many takes some seconds
# Width and height of the closer window, in widths and heights of the box in it. The pictures that the finder was
# trained on have about as much around their numbers.
CONTEXT_SCALES = (3.0, 1.4)
SAME_WINDOW = 0.9  # overlap, 0 to 1, from which two windows count as the same: see docs/ablation.md
BATCH_SIZE = 8  # windows per call of the network; bounds the memory that a large photo takes
ODDS_EXPONENT = 0.25  # chosen on mosaics of background: see docs/ablation.md

# From windows, uint8 (windows, height, width, 3), to the probability of a number, float32 (windows,), and the number's
# box, float32 (windows, 4): left, top, right and bottom as shares of the window's width and height.
Locate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]  # `map`, or a version of it that uses threads


class Detection(NamedTuple):
    """The best box of a picture.

    Args:
        box: left, top, right and bottom, in pixels.
        probability: from 0 to 1, that there is a number in the window of the box.
        windows: number of windows that the box was the best of.
    """

    box: Box
    probability: float
    windows: int = 1


def find_number(locate: Locate, image: Image.Image, size: Size, each: Each = map) -> Detection:
    """The most probable number of an RGB picture.

    The best box of all windows becomes the center of one closer window, which gives the final box and probability. In a
    picture that is hardly larger than its number, the closer window is about the same as the best one, and is not
    searched.

    Args:
        locate: the finder's function.
        image: the picture.
        size: height and width of the finder's input, in pixels.
        each: calls the finder on each batch of windows.
    """
    windows = list_windows(image.width, image.height)
    best, window = _find_best_window(locate, image, windows, size, each)
    closer = center_window(best.box, image.size)
    if compute_overlap(closer, window) < SAME_WINDOW:
        best, _ = _find_best_window(locate, image, [closer], size, map)
    return best._replace(windows=len(windows))


def compute_needed(threshold: float, windows: int) -> float:
    """The least probability, 0 to 1, at which a picture of so many windows has a number.

    The more windows a picture has, the more places can be mistaken for a number. So the required odds are those of the
    threshold times the fourth root of the number of windows.

    Args:
        threshold: least probability, 0 to 1, for a picture of one window.
        windows: number of windows.
    """
    odds = threshold * windows**ODDS_EXPONENT
    return odds / (odds + (1 - threshold))


def _find_best_window(
    locate: Locate, image: Image.Image, windows: list[Box], size: Size, each: Each
) -> tuple[Detection, Box]:
    """The most probable number of all windows, and its window."""

    def locate_in(part: list[Box]) -> tuple[np.ndarray, np.ndarray]:
        return locate(np.stack([crop_window(image, window, size) for window in part]))

    parts = [windows[start : start + BATCH_SIZE] for start in range(0, len(windows), BATCH_SIZE)]
    probable, boxes = map(np.concatenate, zip(*each(locate_in, parts), strict=True))
    index = int(np.argmax(probable))
    left, top, right, bottom = windows[index]
    across, down = right - left, bottom - top
    x0, y0, x1, y1 = np.clip(boxes[index], 0, 1).tolist()
    box = left + x0 * across, top + y0 * down, left + x1 * across, top + y1 * down
    return Detection(box, float(probable[index])), windows[index]


def list_windows(width: int, height: int) -> list[Box]:
    """The windows of a picture: the whole picture and, if it is large, smaller windows that cover it.

    Each size of window is half as wide as the one before. Neighbors overlap by a third or more, so that a number that
    one window cuts through lies whole in another.

    Args:
        width, height: of the picture, in pixels.

    Raises:
        ValueError: the picture is too long for its breadth.
    """
    found: list[Box] = [(0.0, 0.0, float(width), float(height))]
    across = min(width, ASPECT_RATIO * height)
    if across < max(width, height) / MAX_WINDOWS_ACROSS:
        return found + _list_strip_windows(width, height, across)
    while across >= max(MIN_WINDOW_WIDTH, max(width, height) / MAX_WINDOWS_ACROSS):
        windows = _list_equal_windows(width, height, across)
        if len(windows) > 1:
            found += windows
        across /= 2
    return found


def _list_strip_windows(width: int, height: int, across: float) -> list[Box]:
    """The windows of a panorama or another long strip: all are as broad as the strip, `across` pixels wide."""
    if across < MIN_STRIP_WINDOW_WIDTH:
        return []
    windows = _list_equal_windows(width, height, across)
    if len(windows) > MAX_STRIP_WINDOWS:
        raise ValueError(
            f"the picture of {width} x {height} pixels has {len(windows):,} windows, expected at most "
            f"{MAX_STRIP_WINDOWS}: cut it into shorter pictures"
        )
    return windows


def _list_equal_windows(width: int, height: int, across: float) -> list[Box]:
    """The windows of one size that cover a picture: `across` pixels wide, and as high as `ASPECT_RATIO` makes them."""
    down = across / ASPECT_RATIO
    lefts, tops = _list_window_starts(width, across), _list_window_starts(height, down)
    return [(left, top, left + across, top + down) for top in tops for left in lefts]


def _list_window_starts(side: float, part: float) -> list[float]:
    """Starts of equal parts of a side: the parts reach from end to end and overlap by a third or more."""
    count = int(np.ceil(max(side - part, 0) / (part * 2 / 3) - 1e-6)) + 1
    return np.linspace(0, max(side - part, 0), count).tolist()


def center_window(box: Box, picture: tuple[int, int]) -> Box:
    """A window of `CONTEXT_SCALES` around a box, clipped to the picture.

    Args:
        box: left, top, right and bottom, in pixels.
        picture: width and height, in pixels.
    """
    left, top, right, bottom = box
    across = max(CONTEXT_SCALES[0] * (right - left), ASPECT_RATIO * CONTEXT_SCALES[1] * (bottom - top), 1.0)
    x, y, down = (left + right) / 2, (top + bottom) / 2, across / ASPECT_RATIO
    window = x - across / 2, y - down / 2, x + across / 2, y + down / 2
    return max(window[0], 0.0), max(window[1], 0.0), min(window[2], picture[0]), min(window[3], picture[1])


def crop_window(image: Image.Image, window: Box, size: Size) -> np.ndarray:
    """A window of an RGB picture, resized to `size` = (height, width): uint8 (height, width, 3)."""
    height, width = size
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box=window, reducing_gap=2.0))
