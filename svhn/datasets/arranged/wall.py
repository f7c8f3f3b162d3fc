"""Walls to paste digits on, made of what a picture shows beside its digits. Pixels are float32 in 0…255."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from svhn.datasets.arranged.scene import PixelSize, clip_box, measure_height, widen_box
from svhn.datasets.synthetic.wall import to_image
from svhn.images import enclose_boxes
from svhn.spec import Box

INK_MARGIN = 0.08  # around a digit's box, as a share of its height, in which some of its ink may lie
REACH = 0.6  # of the blur that fills erased digits, as a share of their height
COARSE_HEIGHT = 8  # pixels of a digit's height at which the colors that fill the digit are computed
LEAST_WEIGHT = 0.02  # of the picture's mean color where a digit is filled
SURROUNDINGS = 0.1, 1.0  # of a number that a wall shows, as a share of its height
LEAST_STRIP = 8  # pixels of a strip that is repeated; a narrower one would become a comb
MOST_NOISE = 4.0  # standard deviation


def erase_digits(image: Image.Image, boxes: Sequence[Box]) -> Image.Image:
    """The picture with the colors around its digits in place of the digits."""
    high = measure_height(boxes)
    mask = Image.new("L", image.size, 255)
    for box in boxes:
        ImageDraw.Draw(mask).rectangle(widen_box(box, INK_MARGIN * high, INK_MARGIN * high), fill=0)
    factor = max(1, int(high / COARSE_HEIGHT))  # what fills the digits is smooth, and takes few pixels to compute
    blur = ImageFilter.GaussianBlur(REACH * high / factor)
    kept = Image.composite(image, Image.new("RGB", image.size), mask)
    near = np.asarray(kept.reduce(factor).filter(blur), np.float32)
    weight = np.asarray(mask.reduce(factor).filter(blur), np.float32)[..., None] / 255
    mean = near.mean(axis=(0, 1)) / max(weight.mean(), LEAST_WEIGHT)
    filled = to_image((near + LEAST_WEIGHT * mean) / (weight + LEAST_WEIGHT))
    return Image.composite(image, filled.resize(image.size, Image.Resampling.BILINEAR), mask)


def extend_picture(image: Image.Image, boxes: Sequence[Box], room: tuple[int, int, int, int]) -> Image.Image:
    """The picture with so many pixels more at its left, top, right and bottom: its mirror image without the digits."""
    if not any(room):
        return image.copy()
    extended = Image.fromarray(extend_wall(image, boxes, room))
    extended.paste(image, room[:2])
    return extended


def extend_wall(image: Image.Image, boxes: Sequence[Box], room: tuple[int, int, int, int]) -> np.ndarray:
    """As `extend_picture`, without the digits of the picture itself, uint8 (height, width, 3)."""
    left, top, right, bottom = room
    return np.pad(np.asarray(erase_digits(image, boxes)), ((top, bottom), (left, right), (0, 0)), "symmetric")


def make_wall(rng: np.random.Generator, image: Image.Image, boxes: Sequence[Box], size: PixelSize) -> np.ndarray:
    """A wall of a random kind, in the colors around a picture's digits, float32 (height, width, 3)."""
    number = clip_box(enclose_boxes(boxes), image.size)
    erased = erase_digits(image, boxes)
    make = WALLS[int(rng.integers(len(WALLS)))]
    pixels = np.array(make(rng, erased, number, size), np.float32)
    ground = np.asarray(erased.resize((1, 1), Image.Resampling.BOX, number), np.float32)[0, 0]
    pixels += np.float32(rng.uniform(0.7, 1.0)) * (ground - pixels.mean(axis=(0, 1)))
    return pixels + draw_grain(rng, size)


def draw_grain(rng: np.random.Generator, size: PixelSize) -> np.ndarray:
    """Noise of a surface and a camera, float32 (height, width, 1): more or less of it, in half of the draws none."""
    strength = max(0.0, rng.uniform(-MOST_NOISE, MOST_NOISE))
    return np.float32(strength) * rng.standard_normal((size[1], size[0], 1), np.float32)


def _stretch_surroundings(rng: np.random.Generator, erased: Image.Image, number: Box, size: PixelSize) -> Image.Image:
    """What surrounds the number, stretched and more or less blurred."""
    high = number[3] - number[1]
    reach = high * rng.uniform(*SURROUNDINGS)
    part = clip_box(widen_box(number, reach, reach), erased.size)
    stretched = erased.resize(size, Image.Resampling.BICUBIC, part)
    return stretched.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.3) * high))


def _repeat_strip(rng: np.random.Generator, erased: Image.Image, number: Box, size: PixelSize) -> Image.Image:
    """The strip above, below or beside the number, mirrored as often as the size asks."""
    (left, top, right, bottom), (width, height) = map(round, number), erased.size
    strips = (0, 0, width, top), (0, bottom, width, height), (0, 0, left, height), (right, 0, width, height)
    wide = [strip for strip in strips if min(strip[2] - strip[0], strip[3] - strip[1]) >= LEAST_STRIP]
    if not wide:
        return _stretch_surroundings(rng, erased, number, size)
    pixels = np.asarray(erased.crop(wide[int(rng.integers(len(wide)))]))
    down, across = (max(0, end - side) for end, side in zip(size[::-1], pixels.shape, strict=False))
    return Image.fromarray(np.pad(pixels, ((0, down), (0, across), (0, 0)), "symmetric")[: size[1], : size[0]])


def _blend_places(rng: np.random.Generator, erased: Image.Image, number: Box, size: PixelSize) -> Image.Image:
    """A smooth surface in the colors of a few places within the number."""
    cells = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    return erased.resize(cells, Image.Resampling.BOX, number).resize(size, Image.Resampling.BICUBIC)


WALLS = (_stretch_surroundings, _repeat_strip, _blend_places)
