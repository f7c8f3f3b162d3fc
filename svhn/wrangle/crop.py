"""Crops and encodes pictures in worker processes.

This module must not import TensorFlow, which would cost each worker seconds and 400 MB.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import PIL
from PIL import Image

from svhn.errors import PassingError
from svhn.runtime.near_names import suggest_near_path
from svhn.spec import Box, Entry, Size

ENCODINGS: dict[str, dict[str, Any]] = {"jpeg": {"quality": 95, "subsampling": 0}, "png": {}}
ENCODERS = {"jpeg": ("libjpeg_turbo", "jpg"), "png": ("zlib",)}  # Pillow's names of the libraries, the first one known


class CroppedPicture(NamedTuple):
    """An encoded picture, and the boxes of its digits in shares of its width and height; empty if they are unknown."""

    image: bytes
    boxes: Sequence[Box]


Crop = Callable[[Entry], CroppedPicture | str]  # the picture, or the reason why an entry can't be used


def crop_entry(
    load: Callable[[Entry, Size, float], np.ndarray],
    locate: Callable[[Entry, float], Sequence[Box]] | None,
    path: Callable[[Entry], str] | None,
    size: Size,
    margin: float,
    image_format: str,
    entry: Entry,
) -> CroppedPicture | str:
    """The entry's picture, cropped and encoded; or the reason, as text, why it can't be used.

    The first six arguments are fields of `DatasetSpec` and `Options`, and the same for all entries. A picture of one
    color can't show a number.

    Raises:
        PassingError: the picture can't be read now.
    """
    try:
        image, boxes = load(entry, size, margin), locate(entry, margin) if locate else ()
    except FileNotFoundError as error:
        return f"{error}{suggest_near_path(path(entry)) if path else ''}"
    except PassingError as error:
        raise PassingError(f"{entry.name} can't be read now ({error})") from error
    except (OSError, ValueError) as error:
        return str(error)
    if entry.label and (image == image[0, 0]).all():
        return f"all pixels have the value {','.join(map(str, image[0, 0]))}: expected a picture of {entry.label}"
    buffer = io.BytesIO()
    Image.fromarray(image.squeeze()).save(buffer, image_format, **ENCODINGS[image_format])
    known = len(boxes) == len(entry.label)  # else a corrected number has other digits than those that were boxed
    return CroppedPicture(buffer.getvalue(), boxes if known else ())


def describe_encoder(image_format: str) -> str:
    """Pillow and the library that encodes pictures, with their versions: others may encode the same pixels otherwise.

    Args:
        image_format: a key of `ENCODINGS`.
    """
    from PIL import features

    found = ((name, features.version(name)) for name in ENCODERS[image_format])
    name, version = next(pair for pair in found if pair[1])
    return f"Pillow {PIL.__version__}, {name} {version}"
