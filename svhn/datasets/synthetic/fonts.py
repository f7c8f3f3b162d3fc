"""The fonts of this machine that draw 0 to 9 so that everybody reads them."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from svhn.errors import UserError, suggest_extra

DIGITS = "0123456789"
FONT_SIZE = 40  # pixels a font is judged at
GRID = (12, 12)  # to which a glyph is scaled, so that fonts can be compared
REFERENCES = ("DejaVuSans", "DejaVuSans-BoldOblique", "DejaVuSerif", "DejaVuSerif-BoldItalic")  # matplotlib brings them
MIN_CORRELATION = 0.45  # least correlation with a reference's glyph of the same digit
LEEWAY = 0.1  # by which another digit's may be above it: a bold 3 and 8 are much alike
MIN_HEIGHT_RATIO = 0.85  # least height of a digit, of the tallest one's: old-style figures are uneven
MAX_FONTS = 48  # fonts: a machine with thousands takes no longer


@functools.cache
def find_readable_fonts() -> tuple[str, ...]:
    """Paths of up to `MAX_FONTS` fonts: those that matplotlib brings, and others of this machine.

    Raises:
        UserError: matplotlib is not installed.
    """
    try:
        from matplotlib import font_manager, get_data_path
    except ImportError as error:
        raise UserError(f"drawing needs Matplotlib's fonts: {suggest_extra('synthetic')}") from error
    folder = Path(get_data_path(), "fonts", "ttf")
    brought = sorted(str(path) for path in folder.glob("*.ttf"))
    found = sorted(font_manager.findSystemFonts())
    references = [draw_glyphs(str(folder / f"{name}.ttf")) for name in REFERENCES]
    names: dict[str, str] = {Path(path).name: path for path in found + brought}  # the same font may be in both
    order = np.random.default_rng(0).permutation(sorted(names))
    readable = (names[name] for name in order.tolist() if is_readable(names[name], references))
    return tuple(path for path, _ in zip(readable, range(MAX_FONTS), strict=False))


def is_readable(path: str, references: list[list[np.ndarray]]) -> bool:
    """Whether every digit is about as high as the others, and about as like the same digit of a reference as any."""
    try:
        drawn = draw_glyphs(path)
    except (OSError, ValueError):  # not a font that can be drawn with, or one without digits
        return False
    heights = [glyph.shape[0] for glyph in drawn]
    if min(heights) < MIN_HEIGHT_RATIO * max(heights):
        return False
    likeness = np.max([_correlate_glyphs(drawn, reference) for reference in references], axis=0)
    own = likeness.diagonal()
    return bool((own >= likeness.max(axis=1) - LEEWAY).all() and own.min() >= MIN_CORRELATION)


def draw_glyphs(path: str) -> list[np.ndarray]:
    """Each digit's ink, cropped to it: uint8 (height, width). Raises `ValueError` where a digit has none."""
    font = ImageFont.truetype(path, FONT_SIZE)
    return [_draw_digit(font, digit) for digit in DIGITS]


def _draw_digit(font: ImageFont.FreeTypeFont, digit: str) -> np.ndarray:
    mask = Image.new("L", (3 * FONT_SIZE, 3 * FONT_SIZE))
    ImageDraw.Draw(mask).text((FONT_SIZE, FONT_SIZE), digit, fill=255, font=font)
    box = mask.getbbox()
    if box is None:
        raise ValueError(f"no ink for {digit}")
    return np.asarray(mask.crop(box))


def _correlate_glyphs(drawn: list[np.ndarray], reference: list[np.ndarray]) -> np.ndarray:
    """Correlation of each glyph drawn (row) with each of the reference (column): float64 (10, 10)."""
    both = np.corrcoef([_scale_ink(ink) for ink in (*drawn, *reference)])
    return both[: len(drawn), len(drawn) :]


def _scale_ink(ink: np.ndarray) -> np.ndarray:
    """In the middle of a square, so that a 1 stays narrow, at the size of `GRID`; float32 (pixels,)."""
    height, width = ink.shape
    square = Image.new("L", (max(height, width), max(height, width)))
    square.paste(Image.fromarray(ink), ((square.width - width) // 2, (square.height - height) // 2))
    return np.asarray(square.resize(GRID, Image.Resampling.BOX), np.float32).ravel()
