"""Windows onto a picture: those in which it is searched, the closer ones around a box, and their pixels."""

from __future__ import annotations

import numpy as np
from PIL import Image

from svhn.images import clip_box
from svhn.spec import Box, Size

ASPECT_RATIO = 2.2  # width over height of a window: the median of the pictures that the finder was trained on
LEAST_RATIO = 1.1  # of a window; in a narrower one digits are wider than those that the finder was trained on
MIN_WINDOW_WIDTH = 160  # pixels of the narrowest window; a smaller picture is searched only as a whole
MAX_WINDOWS_ACROSS = 8  # most widths of a window in the picture's longer side; bounds the number of windows
WIDER = 1.3  # least width of windows that are wider than their picture, in widths of the picture
MIN_STRIP_WINDOW_WIDTH = 24  # pixels of the narrowest window in a picture that is longer than that many of its windows
MAX_STRIP_WINDOWS = 500  # most windows in such a picture; reading so many takes some seconds
# Width and height of a closer window, in widths and heights of the box in it. The pictures that the finder was
# trained on have about as much around their numbers.
CONTEXT_SCALES = (3.0, 1.4)
CLOSER_SIZES = (0.8, 1.0, 1.25)  # factors on them: several windows find a box more exactly, see docs/ablation.md


def list_levels(width: int, height: int) -> list[list[Box]]:
    """The windows of a picture by size: the whole picture and, if it is large, smaller windows that cover it.

    Each size of window is half as wide as the one before. Neighbors overlap by a third or more, so that a number that
    one window cuts through lies whole in another. Of a picture that is higher than wide, the larger windows are wider
    than the picture, so that numbers whose digits stand above one another lie whole in one of them.

    Args:
        width, height: of the picture, in pixels.

    Raises:
        ValueError: the picture is too long for its breadth.
    """
    whole = widen_window((0.0, 0.0, float(width), float(height)))
    across, least = min(width, ASPECT_RATIO * height), max(width, height) / MAX_WINDOWS_ACROSS
    if across < least:
        return [[whole], _list_strip_windows(width, height, across)]
    least = max(MIN_WINDOW_WIDTH, least)
    widths = *_halve(whole[2] - whole[0], max(least, WIDER * width)), *_halve(across, least)
    levels = [_list_equal_windows(width, height, each) for each in widths]
    return [[whole], *(windows for windows in levels if len(windows) > 1)]


def _halve(length: float, least: float) -> list[float]:
    """The length, its half and so on, down to the least."""
    count = int(np.floor(np.log2(length / least))) + 1 if length >= least else 0
    return [length / 2**power for power in range(count)]


def widen_window(window: Box) -> Box:
    """A window as wide as `LEAST_RATIO` asks, about the same middle. It may then reach out of the picture."""
    left, top, right, bottom = window
    lacking = max(LEAST_RATIO * (bottom - top) - (right - left), 0.0) / 2
    return left - lacking, top, right + lacking, bottom


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
    """Starts of equal parts of a side: the parts reach from end to end and overlap by a third or more.

    A part that is longer than the side has the side in its middle.
    """
    if part > side + 1e-6:
        return [(side - part) / 2]
    count = int(np.ceil(max(side - part, 0) / (part * 2 / 3) - 1e-6)) + 1
    return np.linspace(0, max(side - part, 0), count).tolist()


def list_closer_windows(box: Box, picture: tuple[int, int]) -> list[Box]:
    """The windows of `CLOSER_SIZES` around a box, as in `center_window`."""
    return [center_window(box, picture, factor) for factor in CLOSER_SIZES]


def center_window(box: Box, picture: tuple[int, int], factor: float = 1.0) -> Box:
    """A window of `CONTEXT_SCALES` around a box, clipped to the picture unless that makes it too narrow.

    Args:
        box: left, top, right and bottom, in pixels.
        picture: width and height, in pixels.
        factor: on the window's width and height.
    """
    left, top, right, bottom = box
    across = max(CONTEXT_SCALES[0] * (right - left), ASPECT_RATIO * CONTEXT_SCALES[1] * (bottom - top), 1.0) * factor
    x, y, down = (left + right) / 2, (top + bottom) / 2, across / ASPECT_RATIO
    return widen_window(clip_box((x - across / 2, y - down / 2, x + across / 2, y + down / 2), picture))


def crop_window(image: Image.Image, window: Box, size: Size) -> np.ndarray:
    """A window of an RGB picture, resized to `size` = (height, width): uint8 (height, width, 3).

    What the window shows beside the picture has the mean color of what it shows of the picture.
    """
    height, width = size
    inside = clip_box(window, image.size)
    if inside == window:
        return _resize_part(image, window, size)
    rows = _place_side(inside[1::2], window[1::2], height)
    columns = _place_side(inside[::2], window[::2], width)
    shown = _resize_part(image, inside, (rows[1] - rows[0], columns[1] - columns[0]))
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = np.floor(shown.mean(axis=(0, 1)) + 0.5)
    pixels[slice(*rows), slice(*columns)] = shown
    return pixels


def _place_side(inside: tuple[float, ...], window: tuple[float, ...], count: int) -> tuple[int, int]:
    """First pixel and end of a window's part, of `count` pixels: one pixel or more."""
    scale = count / (window[1] - window[0])
    first, end = (int((side - window[0]) * scale + 0.5) for side in inside)
    first = min(first, count - 1)
    return first, max(first + 1, end)


def _resize_part(image: Image.Image, part: Box, size: Size) -> np.ndarray:
    height, width = size
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box=part, reducing_gap=2.0))
