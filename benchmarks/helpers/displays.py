"""Draws displays of meters: numbers in seven segments, of a kind that SVHN does not hold, each with its box.

The segments have the letters that data sheets of such displays give them, from `a` at the top clockwise to `f`, and `g`
in the middle.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from svhn.datasets.synthetic.wall import to_image
from svhn.spec import Box, Point

SEGMENTS = {  # the ends of each, in shares of a digit's width and height
    "a": ((0.1, 0.0), (0.9, 0.0)),
    "b": ((1.0, 0.03), (1.0, 0.47)),
    "c": ((1.0, 0.53), (1.0, 0.97)),
    "d": ((0.1, 1.0), (0.9, 1.0)),
    "e": ((0.0, 0.53), (0.0, 0.97)),
    "f": ((0.0, 0.03), (0.0, 0.47)),
    "g": ((0.1, 0.5), (0.9, 0.5)),
}
LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")  # for 0 to 9
DISPLAYS = (  # a display's ground, and its lit segments
    ((150, 165, 140), (30, 35, 30)),
    ((20, 8, 8), (255, 40, 30)),
    ((8, 14, 20), (90, 230, 240)),
)
FINENESS = 3  # pixels that are drawn for one of the picture
Color = tuple[int, int, int]


class Layout(NamedTuple):
    """A number's place: left, top, and in pixels a digit's width and height, the gap, the line and the slant."""

    left: float
    top: float
    width: float
    height: float
    gap: float
    line: float
    slant: float

    def find_point(self, index: int, share: Point) -> Point:
        """A point of a digit, in pixels."""
        x = self.left + index * (self.width + self.gap) + share[0] * self.width
        return x + self.slant * (1 - share[1]), self.top + share[1] * self.height

    def find_box(self, length: int) -> Box:
        edge = self.line / 2
        right = self.find_point(length - 1, (1.0, 0.0))[0]
        return self.left - edge, self.top - edge, right + edge, self.top + self.height + edge


def draw_display(rng: np.random.Generator) -> tuple[str, Image.Image, Box]:
    """A number of one to five digits, its picture, and its box in pixels."""
    text = str(int(10 ** rng.uniform(0, 5)))
    layout, size = _draw_layout(rng, len(text))
    ground, lit = (_vary_color(rng, color) for color in DISPLAYS[rng.integers(len(DISPLAYS))])
    dark = _mix_colors(ground, lit, rng.uniform(0, 0.12))
    picture = Image.new("RGB", (FINENESS * size[0], FINENESS * size[1]), ground)
    for color, on in ((dark, False), (lit, True)):  # lit segments lie above dark ones
        _draw_segments(picture, text, layout, color, on)
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.03) * layout.height))
    light, noise = rng.uniform(0.6, 1.05), rng.normal(0, rng.uniform(1, 8), (size[1], size[0], 3))
    pixels = (light * np.asarray(picture, np.float32) + noise).astype(np.float32)
    return text, to_image(pixels), layout.find_box(len(text))


def _draw_layout(rng: np.random.Generator, length: int) -> tuple[Layout, tuple[int, int]]:
    """A number's place, and the width and height of its picture."""
    height = rng.uniform(24, 90)
    width, line = rng.uniform(0.45, 0.6) * height, rng.uniform(0.08, 0.16) * height
    gap, slant = rng.uniform(0.35, 0.6) * width, rng.uniform(0, 0.15) * height
    long = length * (width + gap) - gap + slant
    size = round(rng.uniform(1.2, 2) * long + height), round(rng.uniform(1.6, 3) * height)
    left, top = rng.uniform(line, size[0] - long - line), rng.uniform(line, size[1] - height - line)
    return Layout(left, top, width, height, gap, line, slant), size


def _vary_color(rng: np.random.Generator, color: Color) -> Color:
    red, green, blue = (int(np.clip(part + rng.normal(0, 15), 0, 255)) for part in color)
    return red, green, blue


def _mix_colors(first: Color, second: Color, share: float) -> Color:
    red, green, blue = (round(one + share * (other - one)) for one, other in zip(first, second, strict=True))
    return red, green, blue


def _draw_segments(picture: Image.Image, text: str, layout: Layout, color: Color, on: bool) -> None:
    draw = ImageDraw.Draw(picture)
    for index, digit in enumerate(text):
        for name, ends in SEGMENTS.items():
            if (name in LIT[int(digit)]) == on:
                points = [tuple(FINENESS * side for side in layout.find_point(index, end)) for end in ends]
                draw.line([*points[0], *points[1]], color, round(0.9 * FINENESS * layout.line))


def write_displays(folder: Path, count: int, seed: int) -> dict[str, tuple[str, Box]]:
    """Draw pictures `0000.jpg` and so on in a folder; returns the number and the box of each by its name."""
    folder.mkdir(parents=True)
    truths = {}
    for index in range(count):
        text, picture, box = draw_display(np.random.default_rng((seed, index)))
        picture.save(folder / f"{index:04}.jpg", quality=85)
        truths[f"{index:04}.jpg"] = text, box
    return truths
