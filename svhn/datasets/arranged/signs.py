"""Numbers that are drawn in place of a picture's, most of them with a letter in the same font, as on a printed sign."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image

from svhn.datasets.arranged.letters import (
    GLYPH_HEIGHT,
    LARGE,
    LETTERS,
    LIKE_DIGITS,
    STROKES,
    draw_glyph,
    find_room,
    measure_ink,
    stands_out,
)
from svhn.datasets.arranged.scene import Arrangement, PixelSize, Scene, shift_box
from svhn.datasets.arranged.wall import erase_digits
from svhn.datasets.arranged.words import PLATE_SHARE, Word, paint_word
from svhn.datasets.synthetic.dataset import sample_number
from svhn.datasets.synthetic.wall import to_image
from svhn.images import enclose_boxes
from svhn.spec import Box

LETTER_SHARE = 0.75  # of signs that have a letter
AFTER_SHARE = 0.75  # of letters that stand after the number
INCLUDED_SHARE = 0.6  # of crops that show the whole letter; the others end before it, at the number's margin
SMALL_SHARE = 0.35  # of letters that are smaller beside digits than in their font
WIDEST_GAPS = 0.2, 0.5  # between two characters, and between the number and its letter, as a share of a digit's height
HEIGHTS = 0.8, 1.1  # of a drawn digit, in heights of the picture's digits


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
    letters = LETTERS + LIKE_DIGITS if high >= LARGE else LETTERS
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
    high = rng.uniform(*HEIGHTS) * max(bottom - top for _, top, _, bottom in arrangement.boxes)
    middle = (number[0] + number[2]) / 2, (number[1] + number[3]) / 2
    sign = _place_characters(rng, arrangement.text, arrangement.font, high, middle)
    room = find_room(rng, sign.around, size)
    canvas = room[0] + size[0] + room[2], room[1] + size[1] + room[3]
    *boxes, around = (shift_box(box, *room[:2]) for box in (*sign.boxes, sign.around))
    return Scene(canvas, boxes, around, partial(_paint_sign, rng, arrangement.boxes, room, sign.word))


def _place_characters(rng: np.random.Generator, text: str, font: str, high: float, middle: tuple[float, float]) -> Sign:
    """The characters on one line, with the number's middle at a point."""
    stroke, stretch = int(rng.choice(STROKES)), rng.uniform(0.8, 1.2)
    small = rng.uniform(0.5, 0.8) if rng.random() < SMALL_SHARE else 1.0
    gap, apart = (high * rng.uniform(0.02, widest) for widest in WIDEST_GAPS)
    inks, boxes, left = [], [], 0
    for index, character in enumerate(text):
        ink, rise = draw_glyph(font, character, stroke)
        scale = high / GLYPH_HEIGHT * (1.0 if character.isdigit() else small)
        width, height = max(2, round(scale * stretch * ink.width)), max(2, round(scale * ink.height))
        top = -round(scale * rise)
        inks.append(ink.resize((width, height), Image.Resampling.BOX))
        boxes.append((left, top, left + width, top + height))
        same = text[index : index + 2].isdigit()
        left += width + round(gap if same else apart)
    digits = [box for box, character in zip(boxes, text, strict=True) if character.isdigit()]
    x0, y0, x1, y1 = enclose_boxes(digits)
    corner = round(middle[0] - (x0 + x1) / 2), round(middle[1] - (y0 + y1) / 2)
    word = _join_inks(text, inks, [shift_box(box, *corner) for box in boxes], high)
    digits = [shift_box(box, *corner) for box in digits]
    included = rng.random() < INCLUDED_SHARE
    return Sign(word, digits, enclose_boxes((word.box,) if included else digits))


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
    word: Word,
    image: Image.Image,
) -> Image.Image:
    """The arguments are those of `plan_sign` and what it has drawn."""
    ink = measure_ink(image, boxes[0])
    erased = np.asarray(erase_digits(image, boxes))
    left, top, right, bottom = room
    pixels = np.pad(erased, ((top, bottom), (left, right), (0, 0)), "symmetric").astype(np.float32)
    x0, y0, x1, y1 = word.box
    word = word._replace(box=(x0 + left, y0 + top, x1 + left, y1 + top))
    paint_word(rng, pixels, ink, word, PLATE_SHARE if stands_out(pixels, word.box, ink) else 1.0)
    return to_image(pixels)
