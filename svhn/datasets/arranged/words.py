"""Words and marks that are no numbers, in the ink of a picture's digits. Pixels are float32 in 0…255."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from svhn.datasets.arranged.letters import GLYPH_HEIGHT, LETTERS, STROKES, Ink, blend_color, draw_glyph
from svhn.datasets.arranged.scene import PixelSize
from svhn.datasets.arranged.wall import draw_grain
from svhn.spec import Box

CONSONANTS, VOWELS = "bcdfghklmnprstvwyz", "aaeeiioou"
SYLLABLES = 2  # of a word that stands alone, at most: it may be wider than its window
SINGLE_SHARE = 0.25  # of words that are one letter or two
PLATE_SHARE = 0.3  # of words that have a plate of the ink's ground

Draw = Callable[[np.random.Generator, ImageDraw.ImageDraw, PixelSize, float], None]


def draw_word(rng: np.random.Generator, syllables: int = SYLLABLES) -> str:
    """A word of random letters in upper or lower case; one letter or two are none that look like digits.

    Args:
        rng: draws the letters.
        syllables: how many the word has, at most.
    """
    if rng.random() < SINGLE_SHARE:
        return "".join(rng.choice([*LETTERS], rng.integers(1, 3)))
    letters = []
    for _ in range(rng.integers(1, syllables + 1)):
        letters += [rng.choice([*CONSONANTS]), rng.choice([*VOWELS])]
    word = "".join(letters) + str(rng.choice([*CONSONANTS]))
    return (word.upper(), word.upper(), word.capitalize(), word)[int(rng.integers(4))]


class Word(NamedTuple):
    """A word, lines of words, or a row of shapes, in its place.

    Args:
        text: its letters, lines parted by line feeds; "" for shapes.
        glyph: its ink, 8-bit gray.
        box: where the glyph lies: left, top, right and bottom, in whole pixels.
        high: pixels of a digit of the word's size.
    """

    text: str
    glyph: Image.Image
    box: tuple[int, int, int, int]
    high: float


def plan_word(rng: np.random.Generator, font: str, high: float, at: Box) -> Word:
    """A random word in a random place.

    Args:
        rng: draws the word, its proportions and its place.
        font: path of the word's font.
        high: pixels of a digit of this font's size.
        at: a box in which the word's middle lies, in pixels.
    """
    text = draw_word(rng)
    glyph, _ = draw_glyph(font, text, int(rng.choice(STROKES)))
    scale = high / GLYPH_HEIGHT
    size = max(2, round(scale * rng.uniform(0.8, 1.2) * glyph.width)), max(2, round(scale * glyph.height))
    left = round(rng.uniform(at[0], at[2]) - size[0] / 2)
    top = round(rng.uniform(at[1], at[3]) - size[1] / 2)
    return Word(text, glyph.resize(size, Image.Resampling.BOX), (left, top, left + size[0], top + size[1]), high)


def shift_word(word: Word, across: int, down: int) -> Word:
    left, top, right, bottom = word.box
    return word._replace(box=(left + across, top + down, right + across, bottom + down))


def paint_word(
    rng: np.random.Generator, pixels: np.ndarray, ink: Ink, word: Word, plate_share: float = PLATE_SHARE
) -> None:
    """Paint a word in place, some on a plate.

    Args:
        rng: draws whether the word has a plate, the plate's size and the grain.
        pixels: the picture.
        ink: color and blur of the word, and the color of its plate.
        word: what is painted. Parts of it may lie outside of the picture.
        plate_share: probability of a plate.
    """
    left, top, right, bottom = word.box
    mask = Image.new("L", (pixels.shape[1], pixels.shape[0]))
    if rng.random() < plate_share:
        border = round(rng.uniform(0.1, 0.5) * word.high)
        ImageDraw.Draw(mask).rectangle((left - border, top - border, right + border, bottom + border), fill=255)
        blend_color(pixels, mask, ink.blur, ink.ground + draw_grain(rng, mask.size))
    mask.paste(0, (0, 0, *mask.size))
    mask.paste(word.glyph, (left, top))
    blend_color(pixels, mask, ink.blur, ink.color + draw_grain(rng, mask.size))


def paint_marks(rng: np.random.Generator, pixels: np.ndarray, ink: Ink, high: float) -> None:
    """Paint marks of one kind, in place: poles, a fence, a frame, tiles, dots, or arrows.

    Args:
        rng: draws the marks.
        pixels: the picture.
        ink: their color and blur.
        high: pixels, about which the marks are large.
    """
    size = pixels.shape[1], pixels.shape[0]
    mask = Image.new("L", size)
    MARKS[int(rng.integers(len(MARKS)))](rng, ImageDraw.Draw(mask), size, high)
    blend_color(pixels, mask, ink.blur, ink.color + draw_grain(rng, size))


def _draw_poles(rng: np.random.Generator, draw: ImageDraw.ImageDraw, size: PixelSize, high: float) -> None:
    """Upright bars, too long to be the digit 1."""
    for _ in range(rng.integers(1, 4)):
        width, x, y = rng.uniform(0.04, 0.25) * high, rng.uniform(0, size[0]), rng.uniform(-0.5, 0.5) * size[1]
        draw.rectangle((x, y, x + width, y + max(4 * high, 20 * width, size[1] / 2)), fill=255)


def _draw_fence(rng: np.random.Generator, draw: ImageDraw.ImageDraw, size: PixelSize, high: float) -> None:
    step, share, lean = rng.uniform(0.2, 0.8) * high, rng.uniform(0.15, 0.6), rng.uniform(-0.3, 0.3)
    top = rng.uniform(-0.2, 0.3) * size[1]
    bottom = top + max(rng.uniform(0.5, 1.0) * size[1], 8 * share * step)
    for x in np.arange(-size[1], size[0] + size[1], step).tolist():
        across = lean * (bottom - top)
        draw.polygon(
            ((x, top), (x + share * step, top), (x + share * step + across, bottom), (x + across, bottom)), fill=255
        )


def _draw_frame(rng: np.random.Generator, draw: ImageDraw.ImageDraw, size: PixelSize, high: float) -> None:
    """Windows, some with a bar."""
    for _ in range(rng.integers(1, 3)):
        x, y = rng.uniform(0, 0.7) * size[0], rng.uniform(0, 0.7) * size[1]
        across, down = rng.uniform(0.8, 4, 2) * high
        draw.rectangle((x, y, x + across, y + down), outline=255, width=max(1, round(rng.uniform(0.05, 0.2) * high)))
        if rng.random() < 0.5:
            middle, width = x + across / 2, max(1, round(rng.uniform(0.03, 0.1) * high))
            draw.line((middle, y, middle, y + down), fill=255, width=width)


def _draw_tiles(rng: np.random.Generator, draw: ImageDraw.ImageDraw, size: PixelSize, high: float) -> None:
    across, down = (rng.uniform(0.3, 1.5, 2) * high).tolist()
    width = max(1, round(rng.uniform(0.03, 0.12) * high))
    for row, y in enumerate(np.arange(0, size[1], down).tolist()):
        draw.line((0, y, size[0], y), fill=255, width=width)
        for x in np.arange(row % 2 * across / 2, size[0], across).tolist():
            draw.line((x, y, x, y + down), fill=255, width=width)


def _draw_dots(rng: np.random.Generator, draw: ImageDraw.ImageDraw, size: PixelSize, high: float) -> None:
    for _ in range(rng.integers(1, 8)):
        x, y, radius = rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(0.05, 0.5) * high
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def _draw_arrows(rng: np.random.Generator, draw: ImageDraw.ImageDraw, size: PixelSize, high: float) -> None:
    """Arrows and the tips of fences."""
    for _ in range(rng.integers(1, 4)):
        x, y, angle = rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(0, 2 * math.pi)
        wide, long = rng.uniform(0.2, 0.6) * high, rng.uniform(0.3, 1.0) * high
        across, along = np.array([-math.sin(angle), math.cos(angle)]), np.array([math.cos(angle), math.sin(angle)])
        middle = np.array([x, y])
        corners = middle + long * along, middle + wide * across, middle - wide * across
        draw.polygon([(float(each[0]), float(each[1])) for each in corners], fill=255)
        end = middle - rng.uniform(0, 2) * long * along
        draw.line((x, y, float(end[0]), float(end[1])), fill=255, width=max(1, round(0.3 * wide)))


MARKS: tuple[Draw, ...] = (_draw_poles, _draw_poles, _draw_fence, _draw_frame, _draw_tiles, _draw_dots, _draw_arrows)
