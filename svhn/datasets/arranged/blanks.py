"""Crops without a number: a word, a text or a part of it, marks, or the wall alone, where a picture has its digits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from PIL import Image

from svhn.datasets.arranged.letters import LIKE_DIGITS, find_room, measure_ink
from svhn.datasets.arranged.scene import Arrangement, PixelSize, Scene, measure_height, shift_box
from svhn.datasets.arranged.texts import plan_text
from svhn.datasets.arranged.wall import extend_wall
from svhn.datasets.arranged.words import Word, paint_marks, paint_word, plan_word, shift_word
from svhn.datasets.synthetic.wall import to_image
from svhn.images import enclose_boxes
from svhn.spec import Box, Point

WORD_SHARE = 0.65  # of such crops that show a word
MARK_SHARE = 0.7  # of the others that show marks
PART_SHARE = 0.4  # of words without `LOOKALIKES` of which a crop shows a part
LOOKALIKES = {*LIKE_DIGITS, *"OoIilQqZz"}  # letters that may be digits where a crop shows little else
LEAST_PART = 0.5  # share of a word's width that a crop shows
JITTER = 0.1  # standard deviation of where each side of a crop lies, as a share of the crop's height


def plan_blank(rng: np.random.Generator, size: PixelSize, arrangement: Arrangement) -> Scene:
    """A scene without digits. Its crop shows a word, or as much of the wall as the number takes.

    Args:
        rng: draws what is shown.
        size: width and height of the picture, in pixels.
        arrangement: the digits that are erased, in pixels of this size, and the font of a word.
    """
    number, word = enclose_boxes(arrangement.boxes), None
    if rng.random() < WORD_SHARE:
        middle, high = _find_middle(number), measure_height(arrangement.boxes)
        word = plan_word(rng, arrangement.font, high * rng.uniform(0.7, 1.2), (*middle, *middle))
    around = _draw_crop(rng, _cut_word(rng, word) if word else number)
    return _make_scene(rng, size, arrangement.boxes, around, word)


def plan_page(rng: np.random.Generator, size: PixelSize, arrangement: Arrangement) -> Scene:
    """A scene without digits. Its crop shows lines of words or a part of them, or a row of rings or boxes.

    The arguments are those of `plan_blank`.
    """
    middle = _find_middle(enclose_boxes(arrangement.boxes))
    text, part = plan_text(rng, arrangement.font, measure_height(arrangement.boxes), middle)
    return _make_scene(rng, size, arrangement.boxes, _draw_crop(rng, part), text)


def _find_middle(box: Box) -> Point:
    left, top, right, bottom = box
    return (left + right) / 2, (top + bottom) / 2


def _make_scene(
    rng: np.random.Generator, size: PixelSize, boxes: Sequence[Box], around: Box, word: Word | None
) -> Scene:
    """The scene of a picture of that size whose crop shows a box, and a word or marks where there were digits."""
    room = find_room(rng, around, size)
    canvas = room[0] + size[0] + room[2], room[1] + size[1] + room[3]
    paint = partial(_paint_blank, rng, boxes, room, word)
    return Scene(canvas, (), shift_box(around, *room[:2]), paint)


def _cut_word(rng: np.random.Generator, word: Word) -> Box:
    """The box of a word, or of a part of it."""
    if rng.random() >= PART_SHARE or {*word.text} & LOOKALIKES:
        return word.box
    left, top, right, bottom = word.box
    width = rng.uniform(LEAST_PART, 1.0) * (right - left)
    left += rng.uniform(0, right - left - width)
    return left, top, left + width, bottom


def _draw_crop(rng: np.random.Generator, box: Box) -> Box:
    """A box whose sides lie about where those of another lie; it is at least half as wide and high as the other."""
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    moves = JITTER * high * rng.standard_normal((2, 2))
    (x0, y0), (x1, y1) = np.maximum(moves, (-0.25 * wide, -0.25 * high)).tolist()
    return left - x0, top - y0, right + x1, bottom + y1


def _paint_blank(
    rng: np.random.Generator,
    boxes: Sequence[Box],
    room: tuple[int, int, int, int],
    word: Word | None,
    image: Image.Image,
) -> Image.Image:
    """The arguments are those of `_make_scene` and the room that it has drawn."""
    ink = measure_ink(image, boxes[0])
    pixels = extend_wall(image, boxes, room).astype(np.float32)
    if word:
        paint_word(rng, pixels, ink, shift_word(word, *room[:2]))
    elif rng.random() < MARK_SHARE:
        paint_marks(rng, pixels, ink, measure_height(boxes))
    return to_image(pixels)
