"""Single digits, cut out of a picture by their published boxes. Pixels are float32 in 0…255."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from svhn.datasets.arranged.scene import PixelSize, clip_box
from svhn.spec import Box

LEAST_HEIGHT = 14.0  # pixels of a digit that is worth cutting out; 96 % of SVHN's numbers pass
MOST_SHARED = 0.15  # share of a box that another may cover where digits are cut apart; 79 % of SVHN's numbers pass
ASPECT_RATIOS = 0.15, 1.4  # smallest and largest width over height of a box that is taken for that of one digit
MOST_HEIGHTS = 1.6  # by which one digit of a number may be higher than another
MARGIN = 0.15  # wall around a digit that is cut out, as a share of its height; less where a neighbor is close
CONTRASTS = 0.8, 1.15  # factors on a digit's contrast
FADES = 0.3, 1.0  # shares of a digit's margin over which its edges fade
LEAST_SIDE = 3  # pixels of a digit that is cut out
BORDER = 2  # pixels at the upper and lower end of a cut digit that show its wall


class Cut(NamedTuple):
    """Where a digit is cut out, and what becomes of it.

    Args:
        part: what is cut out: the digit and some of the wall around it, in pixels of the picture.
        size: the part's width and height after resizing, in pixels.
        box: the digit's own box within the resized part, in pixels.
    """

    part: Box
    size: PixelSize
    box: Box


def stand_apart(boxes: Sequence[Box]) -> bool:
    """Whether there are several boxes, each plausible for one digit, about equally high, and hardly overlapping."""
    heights = [bottom - top for _, top, _, bottom in boxes]
    return (
        len(boxes) > 1
        and max(heights) <= MOST_HEIGHTS * min(heights)
        and all(_is_plausible(box) for box in boxes)
        and all(_measure_shared(*pair) <= MOST_SHARED for pair in itertools.combinations(boxes, 2))
    )


def _is_plausible(box: Box) -> bool:
    left, top, right, bottom = box
    least, most = ASPECT_RATIOS
    return left >= 0 and top >= 0 and bottom - top >= LEAST_HEIGHT and least <= (right - left) / (bottom - top) <= most


def _measure_shared(one: Box, other: Box) -> float:
    """The area that two boxes share, as a share of the smaller one."""
    across, down = (min(one[i + 2], other[i + 2]) - max(one[i], other[i]) for i in (0, 1))
    smaller = min((right - left) * (bottom - top) for left, top, right, bottom in (one, other))
    return max(across, 0.0) * max(down, 0.0) / smaller


def plan_cut(boxes: Sequence[Box], index: int, picture: PixelSize, zoom: tuple[float, float]) -> Cut:
    """How to cut out one of a picture's digits.

    Args:
        boxes: the boxes of all its digits, in pixels.
        index: which of them.
        picture: width and height of the picture, in pixels.
        zoom: factors of the digit's width and height.
    """
    left, top, right, bottom = part = clip_box(_add_margin(boxes, index), picture)
    width = max(LEAST_SIDE, round(zoom[0] * (right - left)))
    height = max(LEAST_SIDE, round(zoom[1] * (bottom - top)))
    across, down = width / (right - left), height / (bottom - top)
    x0, y0, x1, y1 = boxes[index]
    box = clip_box((across * (x0 - left), down * (y0 - top), across * (x1 - left), down * (y1 - top)), (width, height))
    return Cut(part, (width, height), box)


def _add_margin(boxes: Sequence[Box], index: int) -> Box:
    """A digit's box with a margin that ends halfway to each neighbor, which may be within the box."""
    left, top, right, bottom = box = boxes[index]
    margin = MARGIN * (bottom - top)
    ends = [left - margin, top - margin, right + margin, bottom + margin]
    for other in (*boxes[:index], *boxes[index + 1 :]):
        gaps = [left - other[2], top - other[3], other[0] - right, other[1] - bottom]
        side = int(np.argmax(gaps))  # on which the other digit lies
        middle = (box[side] + other[(side + 2) % 4]) / 2
        ends[side] = max(ends[side], middle) if side < 2 else min(ends[side], middle)
    return ends[0], ends[1], ends[2], ends[3]


def cut_digit(rng: np.random.Generator, image: Image.Image, cut: Cut, wall: np.ndarray, match: float) -> np.ndarray:
    """The pixels of a digit, matched to the wall on which it goes, float32 (height, width, 3).

    Args:
        rng: draws the digit's contrast, so that no two are quite the same.
        image: the picture.
        cut: how the digit is cut out of the picture.
        wall: what the digit covers, of the same shape.
        match: how much of the difference between the digit's own wall, above and below the digit, and the new wall is
            taken away, 0 to 1.
    """
    pixels = np.asarray(image.resize(cut.size, Image.Resampling.LANCZOS, cut.part), np.float32)
    mean = pixels.mean(axis=(0, 1))
    pixels = mean + np.float32(rng.uniform(*CONTRASTS)) * (pixels - mean)
    first, last = (
        match * (wall[rows].mean(axis=(0, 1)) - np.median(pixels[rows], axis=(0, 1)))
        for rows in (slice(BORDER), slice(-BORDER, None))
    )
    down = np.linspace(0, 1, len(pixels), dtype=np.float32)[:, None, None]
    return pixels + first + down * (last - first)


def paste_cuts(
    rng: np.random.Generator,
    wall: np.ndarray,
    image: Image.Image,
    cuts: Sequence[Cut],
    corners: Sequence[tuple[int, int]],
    match: float,
) -> np.ndarray:
    """The wall with digits on it, whose edges fade.

    Args:
        rng: draws how far the edges fade.
        wall: float32 (height, width, 3).
        image, match: as `cut_digit` takes them.
        cuts: the digits.
        corners: the left and top pixel at which each goes.
    """
    canvas = wall.copy()  # a digit is matched to the wall alone, also where another digit lies already
    for cut, (left, top) in zip(cuts, corners, strict=True):
        place = slice(top, top + cut.size[1]), slice(left, left + cut.size[0])
        pixels = cut_digit(rng, image, cut, wall[place], match)
        canvas[place] += _fade_edges(cut, rng.uniform(*FADES))[..., None] * (pixels - canvas[place])
    return canvas


def _fade_edges(cut: Cut, share: float) -> np.ndarray:
    """A mask (height, width) that rises from 0 at the edges to 1 over a share of the way to the digit's box."""
    (width, height), (left, top, right, bottom) = cut.size, cut.box
    across = _fade_ends(width, share * left, share * (width - right))
    return np.minimum(across, _fade_ends(height, share * top, share * (height - bottom))[:, None])


def _fade_ends(count: int, first: float, last: float) -> np.ndarray:
    """Values that rise to 1 over the first pixels and fall over the last, one pixel at least: float32 (count,)."""
    place = np.arange(count, dtype=np.float32) + 0.5
    return np.clip(np.minimum(place / max(1.0, first), (count - place) / max(1.0, last)), 0, 1)
