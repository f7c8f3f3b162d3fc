"""Lines of words, and rows of rings and boxes: what pages and screens show where a long number may seem to stand."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from svhn.datasets.arranged.letters import GLYPH_HEIGHT, STROKES, open_font
from svhn.datasets.arranged.words import Word, draw_word
from svhn.spec import Box, Point

SHAPES_SHARE = 0.2  # of texts that are a row of rings or boxes
LINES = (1, 1, 1, 2, 3)  # how many a text may have, each as likely as another
WORDS = 1, 4  # of a line, least and most
SYLLABLES = 4  # of a word, at most
WIDEST = 480  # pixels of a text's width, at most; bounds the work
HEIGHTS = 0.25, 0.9  # of a digit of the text's font, as a share of the height of the picture's digits
LINE_GAPS = 0.3, 1.0  # between lines, as a share of a digit's height
SHAPES = 3, 6  # of a row, least and most; two rings may be zeros
SHAPE_GAPS = 0.3, 1.5  # as a share of a shape's height
OUTLINES = 0.06, 0.2  # of a shape, as a share of its height
PART_SHARE = 0.6  # of texts of which a crop shows a part
LEAST_PART = 4.0  # heights of a digit that a part is wide, if the text is: half a word would be any stroke


def plan_text(rng: np.random.Generator, font: str, high: float, middle: Point) -> tuple[Word, Box]:
    """A text around a place, and the box of the part of it that a crop shows: left, top, right and bottom, in pixels.

    Args:
        rng: draws the text and its part.
        font: path of the text's font.
        high: height of the picture's highest digit, in pixels.
        middle: x and y of the text's middle, in pixels.
    """
    if rng.random() < SHAPES_SHARE:
        text, lines, glyph = "", 1, _draw_shapes(rng)
    else:
        lines = int(rng.choice(LINES))
        text = "\n".join(_draw_line(rng) for _ in range(lines))
        glyph = _draw_lines(font, text, int(rng.choice(STROKES)), rng.uniform(*LINE_GAPS))
    scale = min(high * rng.uniform(*HEIGHTS) / GLYPH_HEIGHT, WIDEST / glyph.width)
    width, height = max(2, round(scale * glyph.width)), max(2, round(scale * glyph.height))
    left, top = round(middle[0] - width / 2), round(middle[1] - height / 2)
    box = left, top, left + width, top + height
    word = Word(text, glyph.resize((width, height), Image.Resampling.BOX), box, scale * GLYPH_HEIGHT)
    return word, _cut_text(rng, word, lines) if text and rng.random() < PART_SHARE else box


def _draw_line(rng: np.random.Generator) -> str:
    return " ".join(draw_word(rng, SYLLABLES) for _ in range(rng.integers(WORDS[0], WORDS[1] + 1)))


def _draw_lines(font: str, text: str, stroke: int, gap: float) -> Image.Image:
    """A text's ink, cropped, where a digit is `GLYPH_HEIGHT` pixels high."""
    face, spacing = open_font(font), gap * GLYPH_HEIGHT
    box = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox(
        (0, 0), text, face, spacing=spacing, stroke_width=stroke
    )
    left, top, right, bottom = map(round, box)
    mask = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(mask).multiline_text(
        (1 - left, 1 - top), text, fill=255, font=face, spacing=spacing, stroke_width=stroke
    )
    return mask.crop(mask.getbbox())


def _draw_shapes(rng: np.random.Generator) -> Image.Image:
    """The outlines of equal rings, or of equal boxes with round corners, in a row, `GLYPH_HEIGHT` pixels high."""
    count, gap = int(rng.integers(SHAPES[0], SHAPES[1] + 1)), rng.uniform(*SHAPE_GAPS)
    width = max(1, round(rng.uniform(*OUTLINES) * GLYPH_HEIGHT))
    radius = GLYPH_HEIGHT * (0.5 if rng.random() < 0.5 else rng.uniform(0, 0.3))
    step, end = round((1 + gap) * GLYPH_HEIGHT), GLYPH_HEIGHT - 1
    mask = Image.new("L", ((count - 1) * step + GLYPH_HEIGHT, GLYPH_HEIGHT))
    for left in range(0, mask.width, step):
        ImageDraw.Draw(mask).rounded_rectangle((left, 0, left + end, end), radius, outline=255, width=width)
    return mask


def _cut_text(rng: np.random.Generator, word: Word, lines: int) -> Box:
    """The box of a part of a text: about one of its lines or more, and not all of their width."""
    left, top, right, bottom = word.box
    wide, pitch = right - left, (bottom - top) / lines
    width = wide * rng.uniform(min(1.0, LEAST_PART * word.high / wide), 1.0)
    left += rng.uniform(0, wide - width)
    shown = int(rng.integers(1, lines + 1))
    top += pitch * int(rng.integers(0, lines - shown + 1))
    return left, top, left + width, top + shown * pitch
