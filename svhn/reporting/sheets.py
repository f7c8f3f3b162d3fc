"""Sheets of pictures: examples with their readings, and the feature maps of a network's layers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from svhn.runtime.files import atomic_write

if TYPE_CHECKING:
    from svhn.labels import Prediction


COLUMNS = 10
CELL_SIZE = (128, 110)  # width and height, in pixels
PICTURE_SIZE = (120, 72)  # width and height of the picture in a cell, in pixels
PAD_COLOR = (235, 235, 235)  # of the bars beside a picture of another aspect ratio
RIGHT_COLOR, WRONG_COLOR = (20, 110, 40), (190, 20, 20)

MAX_MAPS = 32  # maps that are shown of a layer
MAP_COLUMNS = 8
MAP_SIDE = 64  # pixels up to which smaller maps are enlarged, by a whole factor so that their pixels stay square
SHEET_WIDTH = 1000  # pixels of the widest sheet
GAP = 2  # pixels between maps


def write_sheet(path: Path, predictions: Sequence[Prediction]) -> Path:
    """Save a sheet of pictures, each with its reading and confidence, as a PNG file; returns its path.

    Errors are framed in red.
    """
    rows = -(-len(predictions) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL_SIZE[0], rows * CELL_SIZE[1]), "white")
    for index, prediction in enumerate(predictions):
        row, column = divmod(index, COLUMNS)
        sheet.paste(draw_cell(prediction), (column * CELL_SIZE[0], row * CELL_SIZE[1]))
    with atomic_write(path) as file:
        file.write(encode_png(sheet))
    return path


def draw_cell(prediction: Prediction) -> Image.Image:
    """One picture of a sheet with its reading below and, if the reading is wrong, the label."""
    reading, label = prediction.reading, prediction.label
    right = reading.shown == label
    image = Image.new("RGB", CELL_SIZE, "white" if right else WRONG_COLOR)
    draw = ImageDraw.Draw(image)
    draw.rectangle((2, 2, CELL_SIZE[0] - 3, CELL_SIZE[1] - 3), fill="white")
    image.paste(letterbox_image(to_rgb_image(prediction.image)), (4, 4))
    text = f"{reading.shown or 'none'}  {100 * reading.confidence:.0f}%" + ("" if right else f"\nis {label or 'none'}")
    draw.multiline_text(
        (6, 77), text, fill=RIGHT_COLOR if right else WRONG_COLOR, font=ImageFont.load_default(13), spacing=1
    )
    return image


def letterbox_image(image: Image.Image) -> Image.Image:
    """The picture resized to `PICTURE_SIZE`, with gray bars where its aspect ratio differs."""
    return ImageOps.pad(image, PICTURE_SIZE, Image.Resampling.BICUBIC, color=PAD_COLOR)


def to_rgb_image(pixels: np.ndarray) -> Image.Image:
    """An RGB image from pixels, uint8 (height, width, 1 or 3)."""
    return Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def encode_png(image: Image.Image) -> bytes:
    """The content of a PNG file."""
    encoded = io.BytesIO()
    image.save(encoded, "PNG")
    return encoded.getvalue()


def draw_map_sheet(maps: np.ndarray) -> Image.Image:
    """The first `MAX_MAPS` feature maps of a layer side by side, each scaled from black at its minimum to white.

    Args:
        maps: the layer's output for one picture, float32 (height, width, filters).
    """
    factor = max(1, MAP_SIDE // max(maps.shape[:2]))
    tiles = [_enlarge_pixels(_scale_to_gray(plane), factor) for plane in np.moveaxis(maps[..., :MAX_MAPS], -1, 0)]
    height, width = (side + GAP for side in tiles[0].shape)
    columns = max(1, min(MAP_COLUMNS, SHEET_WIDTH // width, len(tiles)))
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * height - GAP, columns * width - GAP), 255, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * height, index % columns * width
        sheet[top : top + height - GAP, left : left + width - GAP] = tile
    return Image.fromarray(sheet)


def _scale_to_gray(plane: np.ndarray) -> np.ndarray:
    """uint8 (height, width) from values of any range, the minimum 0 and the maximum 255; a constant map is black."""
    span = np.ptp(plane) or 1.0
    return np.round(255 * ((plane - plane.min()) / span)).astype(np.uint8)


def _enlarge_pixels(pixels: np.ndarray, factor: int) -> np.ndarray:
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)
