"""Walls with house numbers, drawn: stone and wood, plates, paint, and objects nearby. Pixels are float32 in 0…255."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from svhn.datasets.synthetic.digits import PixelBox, enclose_boxes, find_ink_box

Color = np.ndarray  # float32 (3,), RGB

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
CLUTTER_PROBABILITY, PLATE_PROBABILITY = 0.3, 0.5  # of walls with objects beside the number, and with a plate
MIN_CONTRAST = (35.0, 90.0)  # range of the smallest difference between paint and wall in luma, of 255
WALL_COLORS = (
    (222, 213, 196),
    (190, 184, 172),
    (236, 234, 228),
    (150, 140, 128),
    (158, 92, 70),
    (112, 82, 58),
    (84, 84, 86),
)
PAINT_COLORS = (
    (24, 22, 22),
    (24, 22, 22),
    (48, 44, 42),
    (238, 236, 230),
    (150, 148, 142),
    (178, 146, 84),
    (120, 36, 30),
)
PLATES = (  # a plate's ground, its ink, and its relative frequency
    ((34, 44, 122), (232, 234, 240), 6),  # enamel, as in France, Spain and Italy
    ((236, 236, 232), (38, 46, 116), 3),
    ((234, 232, 226), (28, 26, 28), 4),
    ((30, 30, 34), (230, 228, 220), 3),
    ((32, 30, 28), (196, 160, 92), 1),
    ((28, 78, 58), (228, 230, 222), 1),
    ((92, 62, 42), (226, 210, 174), 1),
    ((168, 152, 110), (44, 36, 28), 1),
    ((132, 34, 32), (232, 226, 220), 1),
)


def draw_scene(rng: np.random.Generator, masks: list[Image.Image]) -> Image.Image:
    """A wall with the number on it.

    Args:
        rng: draws the wall, its plate and the paint.
        masks: each digit's ink on a mask of its own, all of one size.
    """
    ink = np.max([np.asarray(mask, np.float32) for mask in masks], axis=0) / 255
    around = enclose_boxes([find_ink_box(np.asarray(mask)) for mask in masks])
    pixels = _draw_wall(rng, masks[0].size)
    if rng.random() < CLUTTER_PROBABILITY:
        pixels = add_clutter(rng, pixels, around)
    if rng.random() < PLATE_PROBABILITY:
        pixels, color = add_plate(rng, pixels, around)
    else:
        left, top, right, bottom = around
        ground = pixels[top:bottom, left:right].mean(axis=(0, 1))
        color = pick_contrasting_color(rng, ground, least=rng.uniform(*MIN_CONTRAST))
    return to_image(paint_number(rng, pixels, ink, color))


def _vary_color(rng: np.random.Generator, color: tuple[int, int, int], spread: float = 14.0) -> Color:
    """The color made lighter or darker, with a slight tint."""
    return np.clip(np.add(color, rng.normal(0, spread) + rng.normal(0, 0.6 * spread, 3)), 0, 255).astype(np.float32)


def _pick_color(rng: np.random.Generator, colors: tuple[tuple[int, int, int], ...]) -> Color:
    if rng.random() < 0.15:
        return rng.uniform(5, 250, 3).astype(np.float32)
    return _vary_color(rng, colors[rng.integers(len(colors))])


def _make_smooth_noise(rng: np.random.Generator, size: tuple[int, int], cells: tuple[int, int]) -> np.ndarray:
    """Smooth random values in -1…1, float32 (height, width, 1), from a grid of `cells` (down, across)."""
    coarse = Image.fromarray(rng.integers(0, 256, cells, np.uint8))
    return (np.asarray(coarse.resize(size, Image.Resampling.BILINEAR), np.float32)[..., None] - 127.5) / 127.5


def _draw_wall(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A wall of a random kind, float32 (height, width, 3), for a size (width, height)."""
    color = _pick_color(rng, WALL_COLORS)
    pixels = np.broadcast_to(color, (size[1], size[0], 3)) + 12 * _make_smooth_noise(rng, size, (3, 4))
    return WALL_KINDS[rng.choice(len(WALL_KINDS), p=KIND_PROBABILITIES)](rng, pixels)


def _add_stucco(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    grain = int(rng.integers(2, 7))
    rough = _make_smooth_noise(rng, (width, height), (height // grain, width // grain)) + _make_smooth_noise(
        rng, (width, height), (8, 10)
    )
    return pixels + rng.uniform(6, 30) * rough


def _add_wood_grain(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Wavy grain in one direction."""
    height, width = pixels.shape[:2]
    cells = (height // 2, 4) if rng.random() < 0.6 else (4, width // 2)
    return pixels + rng.uniform(8, 30) * _make_smooth_noise(rng, (width, height), cells)


def _add_bricks(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Rows of bricks, each with a brightness of its own, and joints between them."""
    height, width = pixels.shape[:2]
    step = int(rng.integers(12, 34))
    row = (np.arange(height) + rng.integers(step)) // step
    across = np.arange(width)[None, :] + row[:, None] * step + int(rng.integers(step))
    column = across // (2 * step)
    tone = rng.normal(0, 12, (row[-1] + 1, column.max() + 1)).astype(np.float32)[row[:, None], column]
    edge = (np.diff(row, prepend=row[0]) > 0)[:, None] | (across % (2 * step) == 0)
    joint = np.where(edge, rng.uniform(-50, 60), 0.0).astype(np.float32)
    return pixels + (tone + joint)[..., None]


def _add_boards(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Clapboards. Each board has the shadow of the board above it at its top."""
    step = int(rng.integers(10, 40))
    place = ((np.arange(pixels.shape[0]) + rng.integers(step)) % step / step).astype(np.float32)
    shade = rng.uniform(5, 20) * place - np.where(place < 0.12, rng.uniform(15, 60), 0.0)
    return pixels + shade.astype(np.float32)[:, None, None]


def keep_plain(_rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    return pixels


WALL_KINDS = (keep_plain, _add_stucco, _add_wood_grain, _add_bricks, _add_boards)
KIND_PROBABILITIES = (0.35, 0.3, 0.12, 0.13, 0.1)


def add_plate(rng: np.random.Generator, pixels: np.ndarray, around: PixelBox) -> tuple[np.ndarray, Color]:
    """The wall with a plate behind the number, some with a rim or screws; and the color of the plate's ink."""
    shares = np.array([share for _, _, share in PLATES], float)
    ground, ink, _ = PLATES[rng.choice(len(PLATES), p=shares / shares.sum())]
    color, paint = _vary_color(rng, ground), _vary_color(rng, ink)
    high = around[3] - around[1]
    across, down = high * rng.uniform(0.12, 0.6), high * rng.uniform(0.12, 0.45)
    box = (around[0] - across, around[1] - down, around[2] + across, around[3] + down)
    radius, rim = rng.choice((0.0, 0.5, 1.0)) * down, int(rng.integers(0, 4))
    picture = to_image(pixels)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle(
        box, radius, fill=_to_rgb_tuple(color), outline=_to_rgb_tuple(_vary_color(rng, ground, 40)), width=1
    )
    if rim:
        inner = (box[0] + rim, box[1] + rim, box[2] - rim, box[3] - rim)
        draw.rounded_rectangle(inner, radius, outline=_to_rgb_tuple(paint), width=int(rng.integers(1, 3)))
    for x in (box[0] + 4, box[2] - 4) if rng.random() < 0.2 else ():
        y = (box[1] + box[3]) / 2
        draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=_to_rgb_tuple(_vary_color(rng, (110, 110, 110), 30)))
    return np.asarray(picture, np.float32), paint


def add_clutter(rng: np.random.Generator, pixels: np.ndarray, around: PixelBox) -> np.ndarray:
    """The wall with bars, such as door frames or pipes, beside, above or below the number, which they never cover."""
    picture, (height, width) = to_image(pixels), pixels.shape[:2]
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.integers(1, 4)):
        thick, near_by = rng.uniform(2, 24), 3 + rng.exponential(12)
        left, top, right, bottom = around
        bars = (
            (left - near_by - thick, -1, left - near_by, height),
            (right + near_by, -1, right + near_by + thick, height),
            (-1, top - near_by - thick, width, top - near_by),
            (-1, bottom + near_by, width, bottom + near_by + thick),
        )
        draw.rectangle(bars[rng.integers(4)], fill=_to_rgb_tuple(_pick_color(rng, WALL_COLORS + PAINT_COLORS)))
    return np.asarray(picture, np.float32)


def pick_contrasting_color(rng: np.random.Generator, ground: Color, least: float) -> Color:
    """A paint that differs from the ground by at least `least` in luma, of 255."""
    while True:
        color = _pick_color(rng, PAINT_COLORS)
        if abs((color - ground) @ LUMA) >= least:
            return color


def paint_number(rng: np.random.Generator, pixels: np.ndarray, ink: np.ndarray, color: Color) -> np.ndarray:
    """The wall with the number in its color, some with a cast shadow, an outline, shading or raised edges.

    Args:
        rng: draws the effects.
        pixels: the wall, float32 (height, width, 3).
        ink: the number's ink, float32 (height, width) in 0…1.
        color: of the number.
    """
    if rng.random() < 0.35:
        dx, dy = rng.integers(-4, 5, 2)
        shadow = _to_mask(np.roll(ink, (dy, dx), (0, 1))).filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2.5)))
        pixels = pixels * (1 - rng.uniform(0.2, 0.7) * np.asarray(shadow, np.float32)[..., None] / 255)
    if rng.random() < 0.12:
        outline = np.asarray(_to_mask(ink).filter(ImageFilter.MaxFilter(3)), np.float32)[..., None] / 255
        pixels = pixels * (1 - outline) + _vary_color(rng, (128, 128, 128), 60) * outline
    shade = np.linspace(-1, 1, len(ink), dtype=np.float32)[:, None, None] * rng.normal(0, 25)
    pixels = pixels * (1 - ink[..., None]) + (color + shade) * ink[..., None]
    if rng.random() < 0.3:
        relief = ink - np.roll(ink, rng.integers(-2, 3, 2), (0, 1))
        pixels = pixels + rng.uniform(20, 80) * relief[..., None]
    return pixels


def _to_rgb_tuple(color: Color) -> tuple[int, int, int]:
    red, green, blue = (int(channel) for channel in color)
    return red, green, blue


def to_image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _to_mask(ink: np.ndarray) -> Image.Image:
    return Image.fromarray((255 * ink).astype(np.uint8))
