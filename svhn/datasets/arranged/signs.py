"""Numbers that are drawn in place of a picture's, most of them with a letter in the same font, as on a printed sign."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image

from svhn.datasets.arranged.letters import (
    AFTER_SHARE,
    GLYPH_HEIGHT,
    INCLUDED_SHARE,
    LARGE,
    LETTERS,
    LIKE_DIGITS,
    SMALL_SHARE,
    STROKES,
    Ink,
    draw_glyph,
    find_room,
    measure_ink,
    stands_out,
)
from svhn.datasets.arranged.scene import Arrangement, PixelSize, Scene, measure_height, shift_box, widen_box
from svhn.datasets.arranged.wall import extend_wall
from svhn.datasets.arranged.words import PLATE_SHARE, Word, paint_word, shift_word
from svhn.datasets.synthetic.dataset import sample_number
from svhn.datasets.synthetic.wall import to_image
from svhn.images import enclose_boxes
from svhn.spec import Box

LETTER_SHARE = 0.75  # of signs that have a letter
WIDEST_GAPS = 0.2, 0.5  # between two characters, and between the number and its letter, as a share of a digit's height
HEIGHTS = 0.8, 1.1  # of a drawn digit, in heights of the picture's digits
CUT_MARGIN = 0.18  # least gap to a letter that a crop does not show, as a share of the number's width
LEAST_CONTRAST, CONTRAST = 24, 80  # of 255: between ink and ground of a digit that is copied, and what fainter ink gets
BEYOND = 0.3  # of a digit's height, by which a sign without a plate may reach beyond the digits that were there


class Sign(NamedTuple):
    """A drawn number in its place.

    Args:
        word: its ink, letter included.
        boxes: the box of each digit, in pixels.
        around: the box of what a crop shows.
    """

    word: Word
    boxes: Sequence[Box]
    around: Box


def draw_text(rng: np.random.Generator, high: float) -> str:
    """A number of one to five digits for a picture whose digits are so many pixels high, with a letter or without."""
    number = sample_number(rng)
    if rng.random() >= LETTER_SHARE:
        return number
    letters = LETTERS + LIKE_DIGITS if HEIGHTS[0] * high >= LARGE else LETTERS
    letter = letters[int(rng.integers(len(letters)))]
    return number + letter if rng.random() < AFTER_SHARE else letter + number


def plan_sign(rng: np.random.Generator, size: PixelSize, arrangement: Arrangement) -> Scene:
    """The picture with a drawn number in place of its own.

    Args:
        rng: draws how the number is written and whether the crop shows all of the letter.
        size: width and height of the picture, in pixels.
        arrangement: the digits that are erased, in pixels of this size, the text that is drawn, and its font.
    """
    number = enclose_boxes(arrangement.boxes)
    high = rng.uniform(*HEIGHTS) * measure_height(arrangement.boxes)
    middle = (number[0] + number[2]) / 2, (number[1] + number[3]) / 2
    sign = _place_characters(rng, arrangement.text, arrangement.font, high, middle)
    room = find_room(rng, sign.around, size)
    canvas = room[0] + size[0] + room[2], room[1] + size[1] + room[3]
    *boxes, around = (shift_box(box, *room[:2]) for box in (*sign.boxes, sign.around))
    return Scene(canvas, boxes, around, partial(_paint_sign, rng, arrangement.boxes, room, sign))


def _place_characters(rng: np.random.Generator, text: str, font: str, high: float, middle: tuple[float, float]) -> Sign:
    """The characters on one line, with the number's middle at a point."""
    inks, tops = _draw_inks(rng, text, font, high)
    digits = [index for index, character in enumerate(text) if character.isdigit()]
    gap, apart = (high * rng.uniform(0.02, widest) for widest in WIDEST_GAPS)
    included = rng.random() < INCLUDED_SHARE
    if not included:
        width = sum(inks[index].width + gap for index in digits)
        apart = max(apart, CUT_MARGIN * width)
    boxes, left = [], 0
    for index, (ink, top) in enumerate(zip(inks, tops, strict=True)):
        boxes.append((left, top, left + ink.width, top + ink.height))
        left += ink.width + math.ceil(gap if {index, index + 1} <= {*digits} else apart)
    x0, y0, x1, y1 = enclose_boxes([boxes[index] for index in digits])
    corner = round(middle[0] - (x0 + x1) / 2), round(middle[1] - (y0 + y1) / 2)
    boxes = [shift_box(box, *corner) for box in boxes]
    number = [boxes[index] for index in digits]
    return Sign(_join_inks(text, inks, boxes, high), number, enclose_boxes(boxes if included else number))


def _draw_inks(rng: np.random.Generator, text: str, font: str, high: float) -> tuple[list[Image.Image], list[int]]:
    """Each character's ink, and its top above the line in pixels below 0."""
    stroke, stretch = int(rng.choice(STROKES)), rng.uniform(0.8, 1.2)
    small = rng.uniform(0.5, 0.8) if rng.random() < SMALL_SHARE and not {*text} & {*LIKE_DIGITS} else 1.0
    inks, tops = [], []
    for character in text:
        ink, rise = draw_glyph(font, character, stroke)
        scale = high / GLYPH_HEIGHT * (1.0 if character.isdigit() else small)
        size = max(2, round(scale * stretch * ink.width)), max(2, round(scale * ink.height))
        inks.append(ink.resize(size, Image.Resampling.BOX))
        tops.append(-round(scale * rise))
    return inks, tops


def _join_inks(text: str, inks: Sequence[Image.Image], boxes: Sequence[Box], high: float) -> Word:
    left, top, right, bottom = (round(side) for side in enclose_boxes(boxes))
    glyph = Image.new("L", (right - left, bottom - top))
    for ink, (x, y, _, _) in zip(inks, boxes, strict=True):
        glyph.paste(ink, (round(x) - left, round(y) - top))
    return Word(text, glyph, (left, top, right, bottom), high)


def _paint_sign(
    rng: np.random.Generator,
    boxes: Sequence[Box],
    room: tuple[int, int, int, int],
    sign: Sign,
    image: Image.Image,
) -> Image.Image:
    """The arguments are those of `plan_sign` and what it has drawn."""
    ink = _strengthen_ink(measure_ink(image, boxes[0]))
    pixels = extend_wall(image, boxes, room).astype(np.float32)
    legible = all(stands_out(pixels, shift_box(box, *room[:2]), ink) for box in sign.boxes)
    plain = legible and _lies_within(sign.word, enclose_boxes(boxes))
    paint_word(rng, pixels, ink, shift_word(sign.word, *room[:2]), PLATE_SHARE if plain else 1.0)
    return to_image(pixels)


def _strengthen_ink(ink: Ink) -> Ink:
    """The ink, or one that differs more from its ground: a drawn number can be read where the picture's can't."""
    if np.abs(ink.color - ink.ground).mean() >= LEAST_CONTRAST:
        return ink
    side = -CONTRAST if ink.ground.mean() > 127 else CONTRAST
    return ink._replace(color=np.clip(ink.ground + side, 0, 255))


def _lies_within(word: Word, erased: Box) -> bool:
    """Whether a word hardly reaches beyond the digits that were there. Other things of the picture may lie there."""
    left, top, right, bottom = widen_box(erased, BEYOND * word.high, BEYOND * word.high)
    x0, y0, x1, y1 = word.box
    return left <= x0 and top <= y0 and x1 <= right and y1 <= bottom
