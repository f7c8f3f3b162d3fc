"""Pictures of what a run does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from svhn.files import atomic_write

if TYPE_CHECKING:
    from svhn.evaluate import Prediction

COLUMNS = 10
CELL = (128, 110)  # width, height, in pixels
PICTURE = (120, 72)
RIGHT, WRONG = (20, 110, 40), (190, 20, 20)


def save_sheet(path: Path, predictions: Sequence[Prediction]) -> Path:
    """Save a sheet of pictures with what was read in each and how sure that was; the wrong ones are framed in red."""
    rows = -(-len(predictions) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL[0], rows * CELL[1]), "white")
    for index, prediction in enumerate(predictions):
        row, column = divmod(index, COLUMNS)
        sheet.paste(cell(prediction), (column * CELL[0], row * CELL[1]))
    with atomic_write(path) as file:
        sheet.save(file, "PNG")
    return path


def cell(prediction: Prediction) -> Image.Image:
    reading, label = prediction.reading, prediction.label
    right = reading.text == label
    image = Image.new("RGB", CELL, "white" if right else WRONG)
    draw = ImageDraw.Draw(image)
    draw.rectangle((2, 2, CELL[0] - 3, CELL[1] - 3), fill="white")
    image.paste(to_rgb(prediction.image).resize(PICTURE, Image.Resampling.BICUBIC), (4, 4))
    text = f"{reading.text or 'none'}  {100 * reading.confidence:.0f}%" + ("" if right else f"\nis {label}")
    draw.multiline_text((6, 77), text, fill=RIGHT if right else WRONG, font=ImageFont.load_default(13), spacing=1)
    return image


def to_rgb(pixels: np.ndarray) -> Image.Image:
    """A picture from uint8 (height, width, 1 or 3)."""
    return Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
