"""The digits of a drawn number: their ink, and its place as a tilted camera sees it."""

from __future__ import annotations

import functools
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

DIGIT_HEIGHT = 32  # pixels; about the height of a digit in records of the default size
VERTICAL_PROBABILITY = 0.02  # of numbers that read from top to bottom; 0.8 % of SVHN's train split do
TILT_PROBABILITY = 0.2  # of numbers whose digits are tilted one by one, as if nailed on
STAIRS_PROBABILITY = 0.1  # of numbers whose digits climb or fall
INK_THRESHOLD = 0.4  # share of a digit's strongest ink; weaker pixels lie outside of its box

PixelBox = tuple[int, int, int, int]  # left, top, right, bottom
Projection = tuple[float, ...]  # PIL's eight coefficients, which map pixels of the result to pixels of the source


@functools.lru_cache(maxsize=2048)
def draw_glyph(font: str, character: str, stroke: int) -> Image.Image:
    """A character's ink, cropped and `DIGIT_HEIGHT` high. `stroke` pixels of outline make it bolder."""
    face = ImageFont.truetype(font, 2 * DIGIT_HEIGHT)
    mask = Image.new("L", (6 * DIGIT_HEIGHT, 6 * DIGIT_HEIGHT))
    ImageDraw.Draw(mask).text((2 * DIGIT_HEIGHT, 2 * DIGIT_HEIGHT), character, fill=255, font=face, stroke_width=stroke)
    ink = mask.crop(mask.getbbox())
    return ink.resize((max(4, round(ink.width * DIGIT_HEIGHT / ink.height)), DIGIT_HEIGHT), Image.Resampling.BOX)


def place_digits(rng: np.random.Generator, text: str, font: str) -> tuple[list[Image.Image], list[tuple[int, int]]]:
    """Each digit's ink, and the left and top pixel at which it goes on a plane without borders."""
    stroke, width = int(rng.integers(0, 4)), rng.uniform(0.65, 1.25)
    inks = [draw_glyph(font, digit, stroke) for digit in text]
    inks = [ink.resize((max(3, round(width * ink.width)), DIGIT_HEIGHT), Image.Resampling.BILINEAR) for ink in inks]
    if rng.random() < TILT_PROBABILITY:
        inks = [ink.rotate(rng.uniform(-10, 10), Image.Resampling.BILINEAR, expand=True) for ink in inks]
    gap = DIGIT_HEIGHT * rng.uniform(0.04, 0.22)
    if rng.random() < VERTICAL_PROBABILITY:
        return inks, [(round(-ink.width / 2), round(index * (DIGIT_HEIGHT + gap))) for index, ink in enumerate(inks)]
    lefts = np.cumsum([0.0] + [ink.width + gap for ink in inks])
    climb = rng.uniform(-0.3, 0.3) * DIGIT_HEIGHT if rng.random() < STAIRS_PROBABILITY else 0.0
    wobble = rng.normal(0, 0.02 * DIGIT_HEIGHT, len(inks))
    return inks, [(round(left), round(index * climb + wobble[index])) for index, left in enumerate(lefts[:-1])]


def draw_masks(
    inks: list[Image.Image], corners: list[tuple[int, int]], borders: tuple[int, int, int, int]
) -> list[Image.Image]:
    """Each digit's ink on a mask of its own. All masks have the size of the whole number with its borders."""
    left, top, right, bottom = borders
    left -= min(x for x, _ in corners)
    top -= min(y for _, y in corners)
    width = max(left + x + ink.width for ink, (x, _) in zip(inks, corners, strict=True)) + right
    height = max(top + y + ink.height for ink, (_, y) in zip(inks, corners, strict=True)) + bottom
    drawn = []
    for ink, (x, y) in zip(inks, corners, strict=True):
        mask = Image.new("L", (width, height))
        mask.paste(ink, (left + x, top + y))
        drawn.append(mask)
    return drawn


def sample_viewpoint(rng: np.random.Generator, size: tuple[int, int]) -> Projection:
    """The projection of a tilted camera, a slanting number and a wall seen from one side. The center stays in place."""
    angle, slant = math.radians(rng.normal(0, 4)), rng.normal(0, 0.1)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    matrix = np.array([[1, slant], [0, 1]]) @ turn
    vanish = rng.normal(0, 0.12, 2) / size
    center = np.array(size) / 2
    # (matrix (p - center)) / (1 + vanish (p - center)) + center, as one fraction
    whole = 1 - vanish @ center
    rows = matrix + np.outer(center, vanish)
    shift = center * whole - matrix @ center
    return tuple(np.concatenate([[*rows[0], shift[0]], [*rows[1], shift[1]], vanish]) / whole)


def project_picture(picture: Image.Image, view: Projection) -> Image.Image:
    """The picture as seen through a projection, in the same size."""
    return picture.transform(picture.size, Image.Transform.PERSPECTIVE, view, Image.Resampling.BILINEAR)


def find_ink_box(ink: np.ndarray) -> PixelBox:
    """The box of a mask's ink, (height, width): the smallest around all pixels above `INK_THRESHOLD`."""
    visible = ink >= INK_THRESHOLD * ink.max()
    rows, columns = visible.any(axis=1).nonzero()[0], visible.any(axis=0).nonzero()[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def enclose_boxes(boxes: list[PixelBox]) -> PixelBox:
    """The smallest box around all boxes."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
