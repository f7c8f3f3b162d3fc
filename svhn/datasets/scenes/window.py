"""Windows onto scenes: a number with what surrounds it, in the sizes and places in which the search sees numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image

from svhn.datasets.arranged.letters import measure_ink
from svhn.datasets.arranged.scene import PixelSize, Scene, measure_height, shift_box, widen_box
from svhn.datasets.arranged.wall import erase_digits, extend_picture
from svhn.datasets.arranged.words import paint_marks, paint_word, plan_word
from svhn.datasets.synthetic.wall import to_image
from svhn.images import enclose_boxes
from svhn.spec import Box

HEIGHT_SHARES = 0.14, 0.8  # of a window's height that a digit takes
MOST_SHARE = 0.94  # of a window's width and height that a number takes
ASPECT_RATIO = 2.2  # width over height of a window, which the search has in the same way
ASPECT_SPREAD = 0.25  # standard deviation of its logarithm
OTHER_HEIGHTS = 0.35  # standard deviation of the logarithm of another number's height, of the number's
NEARER = 0.75  # most distance from the window's middle of the number, as a share of the other number's
TRIES = 20  # places that are tried for another number
WORD_SHARE, MARK_SHARE, PATCH_SHARE = 0.3, 0.15, 0.3  # of windows with such a thing beside the number
CLEARANCE = 0.3  # between a number and another thing, as a share of the number's height


class Window(NamedTuple):
    """A part of a scene's plane, which may reach out of the scene: left, top, right and bottom, in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> PixelSize:
        return self.right - self.left, self.bottom - self.top


def draw_window(rng: np.random.Generator, boxes: Sequence[Box]) -> Window:
    """A window that shows a whole number of such digits, at any place and of any height among `HEIGHT_SHARES`."""
    number = enclose_boxes(boxes)
    wide, high = number[2] - number[0], number[3] - number[1]
    least, most = (math.log(share) for share in HEIGHT_SHARES)
    share = math.exp(rng.uniform(least, most))
    down = max(measure_height(boxes) / share, high / MOST_SHARE)
    across = max(ASPECT_RATIO * math.exp(rng.normal(0, ASPECT_SPREAD)) * down, wide / MOST_SHARE)
    down = max(down, across / (2 * ASPECT_RATIO))
    left = math.floor(number[0] - rng.uniform(0, across - wide))
    top = math.floor(number[1] - rng.uniform(0, down - high))
    return Window(left, top, left + math.ceil(across) + 1, top + math.ceil(down) + 1)


def frame_scene(rng: np.random.Generator, scene: Scene, several: bool, font: str) -> Scene:
    """A window onto a scene, with words, marks and parts of the wall beside the number.

    Args:
        rng: draws the window and what is in it.
        scene: shows one number.
        several: whether another number is in the window, farther from the window's middle.
        font: path of the font of words.
    """
    window = draw_window(rng, scene.boxes)
    boxes = [shift_box(box, -window.left, -window.top) for box in scene.boxes]
    paint = partial(_paint_window, rng, scene, window, several, font)
    return Scene(window.size, boxes, (0, 0, *window.size), paint)


def blank_scene(rng: np.random.Generator, scene: Scene, font: str) -> Scene:
    """A window onto a scene without its number: with a word, with marks, or with the wall alone."""
    window = draw_window(rng, scene.boxes)
    return Scene(window.size, (), (0, 0, *window.size), partial(_paint_blank, rng, scene, window, font))


def _show_window(image: Image.Image, boxes: Sequence[Box], window: Window) -> Image.Image:
    """The window onto a picture, whose mirror images without digits stand in for what the picture lacks."""
    room = (
        max(0, -window.left),
        max(0, -window.top),
        max(0, window.right - image.width),
        max(0, window.bottom - image.height),
    )
    left, top = window.left + room[0], window.top + room[1]
    return extend_picture(image, boxes, room).crop((left, top, left + window.size[0], top + window.size[1]))


def _paint_window(
    rng: np.random.Generator, scene: Scene, window: Window, several: bool, font: str, image: Image.Image
) -> Image.Image:
    """The arguments are those of `frame_scene` and what it has drawn."""
    painted = scene.paint(image)
    ink = measure_ink(painted, scene.boxes[0])
    shown = _show_window(painted, scene.boxes, window)
    number = shift_box(enclose_boxes(scene.boxes), -window.left, -window.top)
    high = measure_height(scene.boxes)
    pixels = np.array(shown, np.float32)
    beside = np.array(pixels)
    if rng.random() < MARK_SHARE:
        paint_marks(rng, pixels, ink, high)
    if rng.random() < WORD_SHARE:
        word = plan_word(rng, font, high * rng.uniform(0.5, 1.5), (0, 0, *window.size))
        paint_word(rng, pixels, ink, word)
    _restore(pixels, beside, widen_box(number, CLEARANCE * high, CLEARANCE * high))
    shown = to_image(pixels)
    if rng.random() < PATCH_SHARE:
        _paste_other(rng, shown, _cut_patch(rng, erase_digits(painted, scene.boxes), high), number, 0.0, high)
    if several:
        _paste_other(rng, shown, _cut_number(rng, painted, scene.boxes, high), number, NEARER, high)
    return shown


def _paint_blank(rng: np.random.Generator, scene: Scene, window: Window, font: str, image: Image.Image) -> Image.Image:
    """The arguments are those of `blank_scene` and what it has drawn."""
    painted = scene.paint(image)
    ink = measure_ink(painted, scene.boxes[0])
    pixels = np.array(_show_window(erase_digits(painted, scene.boxes), scene.boxes, window), np.float32)
    high = rng.uniform(0.15, 0.6) * window.size[1]
    if rng.random() < 0.4:
        paint_marks(rng, pixels, ink, high)
    if rng.random() < 0.7:
        across, down = 0.2 * window.size[0], 0.2 * window.size[1]
        paint_word(rng, pixels, ink, plan_word(rng, font, high, (across, down, 4 * across, 4 * down)))
    return to_image(pixels)


def _restore(pixels: np.ndarray, before: np.ndarray, box: Box) -> None:
    """Undo what was painted in a box."""
    left, top, right, bottom = (max(0, round(side)) for side in box)
    pixels[top:bottom, left:right] = before[top:bottom, left:right]


def _cut_patch(rng: np.random.Generator, erased: Image.Image, high: float) -> Image.Image:
    """A part of a wall without its digits, in another size."""
    across, down = (rng.uniform(0.3, 1.0) * side for side in erased.size)
    left, top = rng.uniform(0, erased.width - across), rng.uniform(0, erased.height - down)
    size = (round(high * rng.uniform(0.5, 3)), round(high * rng.uniform(0.5, 3)))
    return erased.resize(
        (max(2, size[0]), max(2, size[1])), Image.Resampling.BICUBIC, (left, top, left + across, top + down)
    )


def _cut_number(rng: np.random.Generator, image: Image.Image, boxes: Sequence[Box], high: float) -> Image.Image:
    """A number with some of its wall, in another size."""
    number = enclose_boxes(boxes)
    margin = rng.uniform(0.1, 0.4) * high
    left, top, right, bottom = widen_box(number, margin, margin)
    part = max(0.0, left), max(0.0, top), min(right, float(image.width)), min(bottom, float(image.height))
    factor = math.exp(rng.normal(0, OTHER_HEIGHTS))
    size = max(2, round(factor * (part[2] - part[0]))), max(2, round(factor * (part[3] - part[1])))
    return image.resize(size, Image.Resampling.BICUBIC, part)


def _paste_other(
    rng: np.random.Generator, shown: Image.Image, other: Image.Image, number: Box, nearer: float, high: float
) -> None:
    """Paste a picture in place, clear of the number, where the number is nearer to the middle; elsewhere leave it out.

    Args:
        rng: draws the place.
        shown: the window's picture.
        other: what is pasted.
        number: the number's box, in pixels.
        nearer: as `NEARER`; 0 if the distance does not count.
        high: pixels of the number's height.
    """
    middle = shown.width / 2, shown.height / 2
    distance = math.dist(middle, ((number[0] + number[2]) / 2, (number[1] + number[3]) / 2))
    clear = widen_box(number, CLEARANCE * high, CLEARANCE * high)
    for _ in range(TRIES):
        left = round(rng.uniform(-0.5 * other.width, shown.width - 0.5 * other.width))
        top = round(rng.uniform(-0.5 * other.height, shown.height - 0.5 * other.height))
        right, bottom = left + other.width, top + other.height
        apart = left >= clear[2] or right <= clear[0] or top >= clear[3] or bottom <= clear[1]
        farther = distance <= nearer * math.dist(middle, ((left + right) / 2, (top + bottom) / 2))
        if apart and (farther or not nearer):
            shown.paste(other, (left, top))
            return
