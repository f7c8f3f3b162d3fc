"""Pictures cropped and encoded, in processes of their own.

They import this module and not TensorFlow, which would cost each of them seconds and 400 MB.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from svhn.spec import Entry, Size

ENCODINGS: dict[str, dict[str, Any]] = {"jpeg": {"quality": 95, "subsampling": 0}, "png": {}}


def cropped(
    load: Callable[[Entry, Size, float], np.ndarray], size: Size, margin: float, image_format: str, entry: Entry
) -> bytes | str:
    """The entry's picture, cropped and encoded; or, as text, why it can't be used."""
    try:
        image = load(entry, size, margin)
    except (OSError, ValueError) as error:
        return str(error)
    buffer = io.BytesIO()
    Image.fromarray(image.squeeze()).save(buffer, image_format, **ENCODINGS[image_format])
    return buffer.getvalue()
