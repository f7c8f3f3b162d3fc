"""The fonts of this machine that draw 0 to 9 so that everybody reads them."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from svhn.config import UserError

DIGITS = "0123456789"
SIZE = 40  # pixels a font is judged at
GRID = (16, 16)  # to which a glyph is scaled, so that fonts can be compared
LIKENESS = 0.45  # least correlation with the reference's glyph of the same digit
EVENNESS = 0.85  # least height of a digit, of the tallest one's: old-style figures are uneven
MOST = 48  # fonts: a machine with thousands takes no longer


@functools.cache
def readable_fonts() -> tuple[str, ...]:
    """Paths of up to `MOST` fonts: those that matplotlib brings, and others of this machine.

    Raises:
        UserError: matplotlib is not installed.
    """
    try:
        from matplotlib import font_manager, get_data_path
    except ImportError as error:
        raise UserError("drawing needs matplotlib's fonts: pip install 'svhn[figures]'") from error
    brought = sorted(str(path) for path in Path(get_data_path(), "fonts", "ttf").glob("*.ttf"))
    found = sorted(font_manager.findSystemFonts())
    reference = glyphs(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))
    names: dict[str, str] = {Path(path).name: path for path in found + brought}  # the same font may be in both
    order = np.random.default_rng(0).permutation(sorted(names))
    readable = (names[name] for name in order.tolist() if is_readable(names[name], reference))
    return tuple(path for path, _ in zip(readable, range(MOST), strict=False))


def is_readable(path: str, reference: list[np.ndarray]) -> bool:
    """Whether every digit is about as high as the others, and most like the reference's same digit."""
    try:
        drawn = glyphs(path)
    except (OSError, ValueError):  # not a font that can be drawn with, or one without digits
        return False
    heights = [glyph.shape[0] for glyph in drawn]
    if min(heights) < EVENNESS * max(heights):
        return False
    likeness = np.array([[correlation(one, other) for other in reference] for one in drawn])
    own = likeness.diagonal()
    return bool((own >= likeness.max(axis=1)).all() and own.min() >= LIKENESS)


def glyphs(path: str) -> list[np.ndarray]:
    """Each digit's ink, cropped to it: uint8 (height, width). Raises `ValueError` where a digit has none."""
    font = ImageFont.truetype(path, SIZE)
    return [glyph(font, digit) for digit in DIGITS]


def glyph(font: ImageFont.FreeTypeFont, digit: str) -> np.ndarray:
    left, top, right, bottom = font.getbbox(digit)
    mask = Image.new("L", (round(right - left), round(bottom - top)))
    if 0 in mask.size:
        raise ValueError(f"no ink for {digit}")
    ImageDraw.Draw(mask).text((-left, -top), digit, fill=255, font=font)
    return np.asarray(mask)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Of two glyphs scaled to `GRID`; 1 where they are alike."""
    return float(np.corrcoef(scaled(one), scaled(other))[0, 1])


def scaled(ink: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(ink).resize(GRID, Image.Resampling.BOX), np.float32).ravel()
