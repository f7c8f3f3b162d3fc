"""Pictures cropped and encoded, in processes of their own.

They import this module and not TensorFlow, which would cost each of them seconds and 400 MB.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from svhn.spec import Box, Entry, Size

ENCODINGS: dict[str, dict[str, Any]] = {"jpeg": {"quality": 95, "subsampling": 0}, "png": {}}


class CroppedPicture(NamedTuple):
    """A picture, encoded, and the boxes of its digits, in shares of its width and height; none if nobody knows them."""

    image: bytes
    boxes: Sequence[Box]


def crop_entry(
    load: Callable[[Entry, Size, float], np.ndarray],
    locate: Callable[[Entry, float], Sequence[Box]] | None,
    size: Size,
    margin: float,
    image_format: str,
    entry: Entry,
) -> CroppedPicture | str:
    """The entry's picture, cropped; or, as text, why it can't be used."""
    try:
        image, boxes = load(entry, size, margin), locate(entry, margin) if locate else ()
    except (OSError, ValueError) as error:
        return str(error)
    buffer = io.BytesIO()
    Image.fromarray(image.squeeze()).save(buffer, image_format, **ENCODINGS[image_format])
    return CroppedPicture(buffer.getvalue(), boxes)
