"""Photos of twelve megapixels, composed of a part of one picture, enlarged, and a small picture with a number."""

from __future__ import annotations

import numpy as np
from PIL import Image

from svhn.spec import Box

PHOTO_SIZE = (4000, 3000)  # width and height in pixels
NUMBER_WIDTH = 0.03  # width of a number as a share of the photo's width


def compose_photo(
    picture: Image.Image, box: Box, background: Image.Image, rng: np.random.Generator
) -> tuple[Image.Image, Box]:
    """The background, enlarged to a photo, with a picture pasted in at a random place.

    Args:
        picture: a picture with a number.
        box: the number's box in it, in pixels.
        background: a picture without a number.
        rng: draws the place.

    Returns:
        The photo, and the number's box in it, in pixels.
    """
    photo = background.resize(PHOTO_SIZE)
    factor = NUMBER_WIDTH * photo.width / (box[2] - box[0])
    small = picture.resize((round(factor * picture.width), round(factor * picture.height)))
    left, top = int(rng.integers(photo.width - small.width)), int(rng.integers(photo.height - small.height))
    photo.paste(small, (left, top))
    return photo, (left + factor * box[0], top + factor * box[1], left + factor * box[2], top + factor * box[3])
