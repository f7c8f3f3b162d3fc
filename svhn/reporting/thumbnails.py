"""Small copies of photos that are being read: of each number that was found with its box, and of the whole picture."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from svhn.images import expand_box
from svhn.labels import Number, Reading
from svhn.spec import Box

WIDTH, HEIGHT = 240, 160  # pixels, at most
MARGIN = 0.8  # share of the box's width and height that is shown on each side of it
BOX_COLOR = (255, 140, 0)


class Thumbnails:
    """The copies of the pictures that were read and not yet taken, by path. Threads may add to them."""

    def __init__(self) -> None:
        self._kept: dict[str, list[np.ndarray]] = {}

    def keep(self, path: str, image: Image.Image, reading: Reading) -> None:
        """Make a picture's copies. Box and picture are of the same size, as a reader's `finish` is given them."""
        self._kept[path] = [*(draw_number(image, number) for number in reading.numbers), _shrink_image(image)]

    def take(self, path: str) -> list[np.ndarray]:
        """One copy per number of the reading, then the whole picture, each uint8 (height, width, 3); none if unread."""
        return self._kept.pop(path, [])


def draw_number(image: Image.Image, number: Number) -> np.ndarray:
    """The surroundings of a number, with its box drawn in."""
    if not number.box or not number.corners:
        return _shrink_image(image)
    left, top, right, bottom = expand_box(number.box, MARGIN, image.size)
    view = _shrink_image(image, (left, top, right, bottom))
    across, down = view.shape[1] / (right - left), view.shape[0] / (bottom - top)
    drawn = Image.fromarray(view)
    corners = [((x - left) * across, (y - top) * down) for x, y in number.corners]
    ImageDraw.Draw(drawn).polygon(corners, outline=BOX_COLOR, width=2)
    return np.asarray(drawn)


def _shrink_image(image: Image.Image, box: Box | None = None) -> np.ndarray:
    """A box of the picture, or all of it, as large as the limits allow: uint8 (height, width, 3)."""
    left, top, right, bottom = box or (0.0, 0.0, *image.size)
    factor = min(WIDTH / (right - left), HEIGHT / (bottom - top))
    size = max(1, round(factor * (right - left))), max(1, round(factor * (bottom - top)))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=2.0))
