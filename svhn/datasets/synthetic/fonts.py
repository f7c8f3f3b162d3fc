"""The fonts of this machine whose digits everybody can read."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from svhn.errors import UserError, suggest_extra

DIGITS = "0123456789"
FONT_SIZE = 40  # pixels, at which fonts are compared
GRID = (12, 12)  # pixels to which glyphs are scaled before they are compared
REFERENCES = (
    "DejaVuSans",
    "DejaVuSans-BoldOblique",
    "DejaVuSerif",
    "DejaVuSerif-BoldItalic",
)  # of matplotlib
MIN_CORRELATION = 0.45  # smallest correlation with the same digit of a reference
LEEWAY = 0.1  # by how much another digit may correlate more: a bold 3 and a bold 8 are much alike
MIN_HEIGHT_RATIO = 0.85  # smallest height of a digit over the tallest one; excludes old-style figures
MAX_FONTS = 48  # limits the time that a machine with thousands of fonts takes


@functools.cache
def find_readable_fonts() -> tuple[str, ...]:
    """Paths of up to `MAX_FONTS` readable fonts, drawn from those of matplotlib and of this machine.

    Raises:
        UserError: matplotlib is not installed.
    """
    try:
        from matplotlib import font_manager, get_data_path
    except ImportError as error:
        raise UserError(f"drawing needs Matplotlib's fonts: {suggest_extra('synthetic')}") from error
    folder = Path(get_data_path(), "fonts", "ttf")
    bundled = sorted(str(path) for path in folder.glob("*.ttf"))
    found = sorted(font_manager.findSystemFonts())
    references = [draw_glyphs(str(folder / f"{name}.ttf")) for name in REFERENCES]
    names: dict[str, str] = {Path(path).name: path for path in found + bundled}  # the same font may be in both
    order = np.random.default_rng(0).permutation(sorted(names))
    readable = (names[name] for name in order.tolist() if is_readable(names[name], references))
    return tuple(path for path, _ in zip(readable, range(MAX_FONTS), strict=False))


def is_readable(path: str, references: list[list[np.ndarray]]) -> bool:
    """Whether all digits are about equally high, and each resembles the same digit of a reference most."""
    try:
        drawn = draw_glyphs(path)
    except (OSError, ValueError):  # not a font that PIL can draw with, or a font without digits
        return False
    heights = [glyph.shape[0] for glyph in drawn]
    if min(heights) < MIN_HEIGHT_RATIO * max(heights):
        return False
    likeness = np.max([_correlate_glyphs(drawn, reference) for reference in references], axis=0)
    same = likeness.diagonal()
    return bool((same >= likeness.max(axis=1) - LEEWAY).all() and same.min() >= MIN_CORRELATION)


def draw_glyphs(path: str) -> list[np.ndarray]:
    """Each digit's ink, cropped: uint8 (height, width). Raises `ValueError` if a digit has no ink."""
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
    """The correlation of each drawn glyph (row) with each glyph of the reference (column): float64 (10, 10)."""
    both = np.corrcoef([_scale_ink(ink) for ink in (*drawn, *reference)])
    return both[: len(drawn), len(drawn) :]


def _scale_ink(ink: np.ndarray) -> np.ndarray:
    """The ink in the middle of a square, so that a 1 stays narrow, scaled to `GRID`: float32 (pixels,)."""
    height, width = ink.shape
    square = Image.new("L", (max(height, width), max(height, width)))
    square.paste(Image.fromarray(ink), ((square.width - width) // 2, (square.height - height) // 2))
    return np.asarray(square.resize(GRID, Image.Resampling.BOX), np.float32).ravel()
