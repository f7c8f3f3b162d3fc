"""A wall with three of the examples' numbers, which the bundled networks read."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from svhn.images import open_picture
from svhn.spec import Box

EXAMPLES = Path(__file__).parents[2] / "svhn/examples"
SIZE = (960, 720)  # width and height
PLACES = {"208": (60, 80, 300), "28": (600, 110, 220), "171": (330, 420, 200)}  # left, top and width, in reading order


def make_wall() -> Image.Image:
    """The wall."""
    wall = Image.new("RGB", SIZE, (125, 120, 110))
    for name, (left, top, width) in PLACES.items():
        picture = open_picture(EXAMPLES / f"{name}.jpg")
        wall.paste(picture.resize((width, round(width * picture.height / picture.width))), (left, top))
    return wall


def place_box(name: str, box: Box) -> Box:
    """The box on the wall that a box in an example becomes."""
    left, top, width = PLACES[name]
    factor = width / open_picture(EXAMPLES / f"{name}.jpg").width
    x0, y0, x1, y1 = (factor * side for side in box)
    return left + x0, top + y0, left + x1, top + y1
