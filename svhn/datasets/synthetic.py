"""House numbers that are drawn here, in the publishers' Format 1: for a demonstration without a download.

The same fonts give the same files, byte for byte. Lengths are spread as in SVHN's train split.
"""

from __future__ import annotations

import functools
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from svhn.config import UserError
from svhn.datasets import fonts, format1
from svhn.labels import SVHN_ZERO
from svhn.matfile import write_digit_struct
from svhn.spec import Archive, DatasetSpec

PICTURES = {"train": 4000, "test": 600}
SVHN_LENGTHS = (5137, 18130, 8691, 1434, 9)  # numbers of one to five digits in SVHN's train split
MARKER = "DRAWN.txt"
MARK = "House numbers drawn by svhn.datasets.synthetic, version 1.\n"
VISIBLE = 0.4  # of a digit's strongest ink: what counts as part of its box
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
CONTRAST = 80.0  # least difference of ink and ground in luma, of 255

PixelBox = tuple[int, int, int, int]  # left, top, right, bottom


def render(data_dir: str | Path) -> None:
    """Draw `train` and `test` into `data_dir`; one that is there already is left as it is.

    Raises:
        UserError: a folder of that name holds something else, or no font can be found.
    """
    for split in PICTURES:
        folder = Path(data_dir) / split
        if folder.exists() and not present(data_dir, split):
            raise UserError(f"{folder} was not drawn here and is left as it is: choose another --data_dir")
    for split, count in PICTURES.items():
        if not present(data_dir, split):
            render_split(Path(data_dir) / split, count, seed=list(PICTURES).index(split))


def present(data_dir: str | Path, source: str) -> bool:
    """Whether the folder was drawn here, by this version."""
    marker = Path(data_dir) / source / MARKER
    return marker.is_file() and marker.read_text(encoding="utf-8") == MARK


def render_split(folder: Path, count: int, seed: int) -> None:
    """Draw under a temporary name first: a folder of the final name is complete."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write_digit_struct(partial / format1.BOXES_FILE, draw_pictures(partial, count, seed))
    (partial / MARKER).write_text(MARK, encoding="utf-8", newline="")
    partial.replace(folder)


def draw_pictures(folder: Path, count: int, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Save the pictures; yields each one's file name and digits, as `write_digit_struct` takes them."""
    paths = fonts.readable_fonts()
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        picture, digits = draw_number(rng, random_number(rng), paths[rng.integers(len(paths))])
        name = f"{index + 1}.png"
        picture.save(folder / name, compress_level=1)
        yield name, digits


def random_number(rng: np.random.Generator) -> str:
    """Digits of a house number: none begins with 0."""
    length = 1 + rng.choice(len(SVHN_LENGTHS), p=np.array(SVHN_LENGTHS) / sum(SVHN_LENGTHS))
    return str(rng.integers(10 ** (length - 1), 10**length))


def draw_number(rng: np.random.Generator, text: str, font: str) -> tuple[Image.Image, np.ndarray]:
    """A picture of the number, and its digits as in digitStruct.mat: float64 (digits, 5), the boxes as drawn."""
    masks = digit_masks(rng, text, typeface(font, int(rng.integers(18, 46))))
    boxes = [ink_box(np.asarray(mask)) for mask in masks]
    around = union(boxes)
    ground = background(rng, masks[0].size)
    if rng.random() < 0.4:
        draw_plate(rng, ground, around)
    colour = contrasting(rng, np.asarray(ground.crop(around), np.float32).mean(axis=(0, 1)))
    ink = np.max([np.asarray(mask, np.float32) for mask in masks], axis=0)[..., None] / 255
    pixels = np.asarray(ground, np.float32) * (1 - ink) + colour * ink
    rows = [
        (int(digit) or SVHN_ZERO, left, top, right - left, bottom - top)
        for digit, (left, top, right, bottom) in zip(text, boxes, strict=True)
    ]
    return photograph(rng, pixels), np.array(rows, np.float64)


@functools.lru_cache(maxsize=256)
def typeface(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def digit_masks(rng: np.random.Generator, text: str, font: ImageFont.FreeTypeFont) -> list[Image.Image]:
    """Each digit's ink on its own picture, all of one size and tilted alike."""
    height = font.size
    spacing = height * rng.uniform(0.02, 0.12)
    starts = np.cumsum([0.0] + [font.getlength(digit) + spacing for digit in text])
    left, right, top, bottom = height * rng.uniform(0.4, 1.3, 4)
    size = (round(left + starts[-1] + right), round(top + height + bottom))
    tilt = tilting(rng, size)
    masks = []
    for digit, start in zip(text, starts, strict=False):
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).text((left + start, top + 0.85 * height), digit, fill=255, font=font, anchor="ls")
        masks.append(mask.transform(size, Image.Transform.AFFINE, tilt, Image.Resampling.BILINEAR))
    return masks


def tilting(rng: np.random.Generator, size: tuple[int, int]) -> tuple[float, ...]:
    """Slight rotation and slant about the centre, as PIL's six coefficients: from the result to the source."""
    angle, slant = math.radians(rng.uniform(-8, 8)), rng.uniform(-0.2, 0.2)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    matrix = np.array([[1, slant], [0, 1]]) @ turn
    centre = np.array(size) / 2
    shift = centre - matrix @ centre
    return (*matrix[0], shift[0], *matrix[1], shift[1])


def ink_box(ink: np.ndarray) -> PixelBox:
    visible = ink >= VISIBLE * ink.max()
    rows, columns = visible.any(axis=1).nonzero()[0], visible.any(axis=0).nonzero()[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def union(boxes: list[PixelBox]) -> PixelBox:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def background(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """A wall: plain, rough, or of boards or bricks."""
    colour = random_colour(rng)
    wall = Image.new("RGB", size, colour)
    kind = rng.integers(4)
    if kind == 1:
        wall = rough(rng, wall)
    elif kind > 1:
        draw_joints(rng, wall, colour, bricks=kind == 3)
    return wall


def rough(rng: np.random.Generator, wall: Image.Image) -> Image.Image:
    """Light and dark patches of some pixels' extent."""
    coarse = rng.integers(0, 256, (6, 8), np.uint8)
    patches = Image.fromarray(coarse).resize(wall.size, Image.Resampling.BICUBIC)
    change = (np.asarray(patches, np.float32)[..., None] - 128) * rng.uniform(0.1, 0.3)
    return to_image(np.asarray(wall, np.float32) + change)


def draw_joints(rng: np.random.Generator, wall: Image.Image, base: tuple[int, int, int], bricks: bool) -> None:
    """Lines between boards or bricks, a little lighter or darker than those."""
    step = int(rng.integers(8, 24))
    change = rng.choice((-1, 1)) * rng.integers(15, 40)
    colour = tuple(int(np.clip(channel + change, 0, 255)) for channel in base)
    draw, (width, height) = ImageDraw.Draw(wall), wall.size
    for row, y in enumerate(range(int(rng.integers(step)), height, step)):
        draw.line((0, y, width, y), colour)
        for x in range(step * (row % 2), width, 2 * step) if bricks else ():
            draw.line((x, y, x, y + step), colour)


def draw_plate(rng: np.random.Generator, wall: Image.Image, around: PixelBox) -> None:
    """A plate that the number stands on, with a rim."""
    room = (around[3] - around[1]) * rng.uniform(0.1, 0.35)
    box = (around[0] - room, around[1] - room, around[2] + room, around[3] + room)
    colour, rim = random_colour(rng), random_colour(rng)
    radius, width = rng.uniform(0, 1.5) * room, int(rng.integers(0, 3))
    ImageDraw.Draw(wall).rounded_rectangle(box, radius, fill=colour, outline=rim, width=width)


def random_colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """Mostly muted, as walls, plates and paint are."""
    grey, tint = rng.uniform(10, 245), rng.uniform(-60, 60, 3) * rng.random()
    red, green, blue = (int(channel) for channel in np.clip(grey + tint, 0, 255))
    return red, green, blue


def contrasting(rng: np.random.Generator, ground: np.ndarray) -> np.ndarray:
    """A colour that stands out from the ground's: float32 (3,)."""
    while True:
        colour = np.array(random_colour(rng), np.float32)
        if abs((colour - ground) @ LUMA) >= CONTRAST:
            return colour


def photograph(rng: np.random.Generator, pixels: np.ndarray) -> Image.Image:
    """Light from one side, a lens out of focus, and a sensor's noise."""
    height, width = pixels.shape[:2]
    across, down = rng.uniform(-25, 25, 2)
    light = np.linspace(-across, across, width)[None, :, None] + np.linspace(-down, down, height)[:, None, None]
    blurred = to_image(pixels + light).filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.03 * height**0.8)))
    noise = rng.standard_normal(pixels.shape, np.float32) * rng.uniform(0, 10)
    return to_image(np.asarray(blurred, np.float32) + noise)


def to_image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


SYNTHETIC = DatasetSpec(
    name="synthetic",
    size=(57, 95),
    margin=0.3,
    channels=3,
    max_length=5,
    image_format="jpeg",
    sources={split: (Archive(split),) for split in PICTURES},
    valid_from=("train",),
    entries=format1.entries,
    load=format1.load,
    present=present,
    checksum=format1.checksum,
    render=render,
)
