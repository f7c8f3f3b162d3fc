"""A letter or a mark beside a number, in the number's own ink."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from svhn.datasets.arranged.scene import PixelSize, Scene, clip_box, shift_box, widen_box
from svhn.datasets.arranged.wall import draw_grain, extend_picture
from svhn.datasets.synthetic.wall import to_image
from svhn.images import enclose_boxes
from svhn.spec import Box

LETTERS = "AAACCEEFFHJKLMNPRTUVWXYaaacceefhkmnprtuvwxy"  # without those that nobody can tell from a digit
LIKE_DIGITS = "BBDDGSZbb"  # letters that can be told from 8, 0, 6, 5 and 2 where digits are large
LARGE = 24  # pixels of such a digit's height
MARKS = "--..//**#+:"
FIRST_MARKS = ("No.", "Nr.", "No", "#")  # that stand before a number
MARK_SHARE, FIRST_MARK_SHARE = 0.2, 0.05  # of numbers beside which any mark stands, and one that stands before them
AFTER_SHARE = 0.75  # of letters and other marks that stand after the number
INCLUDED_SHARE = 0.6  # of crops that show the whole letter; the others end before it, at the number's margin
WIDEST_GAPS = 0.4, 0.12  # between number and letter, in such a crop and in the others, as a share of a digit's height
SMALL_SHARE = 0.35  # of letters that are smaller beside digits than in their font
RAISED_SHARE = 0.15  # of letters that hang from the number's top
PLATE_SHARE = 0.4  # of letters to which the digits' own ground is extended even where they would stand out
GLYPH_HEIGHT = 64  # pixels of a digit in the font's size at which letters are drawn
STROKES = (0, 0, 2, 5)  # pixels of outline that make such a letter bolder
INK_SHARE = 0.15  # of a digit's pixels that are surely ink
NOISY_EDGE = 1.3  # factor on the blur, since noise makes some edges steeper than the blur leaves them
MOST_BLUR = 0.15  # share of a digit's height
EDGE = math.sqrt(2 * math.pi)  # the height of an edge over its slope, in standard deviations of the blur


class Ink(NamedTuple):
    """How a digit is painted.

    Args:
        color: of its ink, float32 (3,).
        ground: the color around it, float32 (3,).
        blur: the standard deviation of the blur of its edges, in pixels.
    """

    color: np.ndarray
    ground: np.ndarray
    blur: float


def add_letter(rng: np.random.Generator, picture: PixelSize, boxes: Sequence[Box], font: str) -> Scene:
    """The picture with a letter or a mark beside its number.

    Args:
        rng: draws the letter, its place and whether the crop shows all of it.
        picture: width and height of the picture, in pixels.
        boxes: its digits, in pixels.
        font: path of the letter's font.
    """
    number = enclose_boxes(boxes)
    included = rng.random() < INCLUDED_SHARE
    text, after = _draw_text(rng, number[3] - number[1])
    beside = boxes[-1] if after else boxes[0]
    glyph, box = _place_glyph(rng, draw_glyph(font, text, int(rng.choice(STROKES))), beside, after, included)
    around = enclose_boxes((number, box))
    room = find_room(rng, around, picture)
    left, top, right, bottom = room
    size = left + picture[0] + right, top + picture[1] + bottom
    shown = [shift_box(each, left, top) for each in (*boxes, around if included else number)]
    return Scene(size, shown[:-1], shown[-1], partial(_paint_letter, rng, boxes, beside, room, glyph, box))


def _draw_text(rng: np.random.Generator, high: float) -> tuple[str, bool]:
    """What stands beside a number so many pixels high, and whether it stands after the number."""
    draw = rng.random()
    if draw < FIRST_MARK_SHARE:
        return FIRST_MARKS[int(rng.integers(len(FIRST_MARKS)))], False
    texts = MARKS if draw < MARK_SHARE else LETTERS + LIKE_DIGITS if high >= LARGE else LETTERS
    return texts[int(rng.integers(len(texts)))], bool(rng.random() < AFTER_SHARE)


@functools.lru_cache(maxsize=4096)
def draw_glyph(font: str, text: str, stroke: int) -> tuple[Image.Image, int]:
    """A text's ink, cropped, and how far its top is above the line, where a digit is `GLYPH_HEIGHT` pixels high."""
    mask = Image.new("L", (6 * GLYPH_HEIGHT, 4 * GLYPH_HEIGHT))
    at = GLYPH_HEIGHT, 2 * GLYPH_HEIGHT
    ImageDraw.Draw(mask).text(at, text, fill=255, font=open_font(font), anchor="ls", stroke_width=stroke)
    box = mask.getbbox() or (0, 0, 1, 1)
    return mask.crop(box), 2 * GLYPH_HEIGHT - box[1]


@functools.lru_cache(maxsize=64)
def open_font(font: str) -> ImageFont.FreeTypeFont:
    """The font in the size in which its 1 is `GLYPH_HEIGHT` pixels high."""
    _, top, _, bottom = ImageFont.truetype(font, GLYPH_HEIGHT).getbbox("1", anchor="ls")
    return ImageFont.truetype(font, round(GLYPH_HEIGHT**2 / (bottom - top)))


def _place_glyph(
    rng: np.random.Generator, drawn: tuple[Image.Image, int], beside: Box, after: bool, included: bool
) -> tuple[Image.Image, Box]:
    """A text's ink as high as a digit's font asks, and its box in pixels."""
    (ink, rise), (left, top, right, bottom) = drawn, beside
    high = bottom - top
    scale = high / GLYPH_HEIGHT * (rng.uniform(0.5, 0.8) if rng.random() < SMALL_SHARE else rng.uniform(0.9, 1.1))
    width, height = round(scale * rng.uniform(0.8, 1.2) * ink.width), round(scale * ink.height)
    glyph = ink.resize((max(2, width), max(2, height)), Image.Resampling.BOX)
    gap = high * rng.uniform(0.02, WIDEST_GAPS[0] if included else WIDEST_GAPS[1])
    x = round(right + gap if after else left - gap - glyph.width)
    y = top if rng.random() < RAISED_SHARE else bottom - scale * rise
    y = round(y + high * rng.normal(0, 0.03))
    return glyph, (x, y, x + glyph.width, y + glyph.height)


def find_room(rng: np.random.Generator, box: Box, picture: PixelSize) -> tuple[int, int, int, int]:
    """Pixels that a picture lacks at its left, top, right and bottom around a box and a margin."""
    left, top, right, bottom = widen_box(
        box, rng.uniform(0.15, 0.3) * (box[2] - box[0]), rng.uniform(0.15, 0.3) * (box[3] - box[1])
    )
    ends = -left, -top, right - picture[0], bottom - picture[1]
    x0, y0, x1, y1 = (max(0, math.ceil(end)) for end in ends)
    return x0, y0, x1, y1


def _paint_letter(
    rng: np.random.Generator,
    boxes: Sequence[Box],
    beside: Box,
    room: tuple[int, int, int, int],
    glyph: Image.Image,
    box: Box,
    image: Image.Image,
) -> Image.Image:
    """The picture with more room and a glyph at a box, in the ink of the digit beside it.

    The arguments are those of `add_letter` and what it has drawn.
    """
    ink = measure_ink(image, beside)
    pixels = np.array(extend_picture(image, boxes, room), np.float32)
    beside, box = shift_box(beside, *room[:2]), shift_box(box, *room[:2])
    mask = Image.new("L", (pixels.shape[1], pixels.shape[0]))
    if rng.random() < PLATE_SHARE or not stands_out(pixels, box, ink):
        ImageDraw.Draw(mask).rectangle(_find_plate(rng, beside, box), fill=255)
        blend_color(pixels, mask, ink.blur, ink.ground + draw_grain(rng, mask.size))
    mask.paste(0, (0, 0, *mask.size))
    mask.paste(glyph, (int(box[0]), int(box[1])))
    blend_color(pixels, mask, ink.blur, ink.color + draw_grain(rng, mask.size))
    return to_image(pixels)


def _find_plate(rng: np.random.Generator, beside: Box, box: Box) -> Box:
    """From the side of a digit to the far side of a letter, with a border above, below and behind the letter."""
    border = rng.uniform(0.05, 0.2) * (beside[3] - beside[1])
    _, top, _, bottom = enclose_boxes((beside, box))
    left, right = (beside[2], box[2] + border) if box[0] > beside[0] else (box[0] - border, beside[0])
    return left, top - border, max(left, right), bottom + border


def stands_out(pixels: np.ndarray, box: Box, ink: Ink) -> bool:
    """Whether ink differs from what is at a box at least half as much as from the ground of its digit."""
    left, top, right, bottom = (int(side) for side in clip_box(box, (pixels.shape[1], pixels.shape[0])))
    place = pixels[top : bottom + 1, left : right + 1].mean(axis=(0, 1))
    return bool(np.abs(ink.color - place).mean() >= 0.5 * np.abs(ink.color - ink.ground).mean())


def blend_color(pixels: np.ndarray, mask: Image.Image, blur: float, color: np.ndarray) -> None:
    """Paint a mask in a color, or in one per pixel, in place, with blurred edges."""
    share = np.asarray(mask.filter(ImageFilter.GaussianBlur(blur)), np.float32)[..., None] / 255
    pixels += share * (color - pixels)


def measure_ink(image: Image.Image, box: Box) -> Ink:
    """How a digit is painted.

    The ink is what differs most from the pixels above and below the digit. The blur follows from the steepest edge.
    """
    left, top, right, bottom = (round(side) for side in clip_box(box, image.size))
    pixels = np.asarray(image.crop((left, top, max(right, left + 2), max(bottom, top + 2))), np.float32)
    ground = np.median(np.concatenate([pixels[:1], pixels[-1:]]), axis=(0, 1))
    distance = np.abs(pixels - ground).mean(axis=2)
    contrast = float(np.quantile(distance, 1 - INK_SHARE))
    slope = float(np.quantile(np.abs(np.diff(distance, axis=1)), 0.97))
    blur = min(max(NOISY_EDGE * contrast / (EDGE * max(slope, 1.0)), 0.3), MOST_BLUR * (bottom - top))
    return Ink(np.median(pixels[distance >= contrast], axis=0), ground, blur)
