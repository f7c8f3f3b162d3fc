"""Pictures of any kind as RGB, and the boxes that are cut out of them.

All that opens a picture opens it here: wrangling, reading, the web page and the lines that the documents give for other
runtimes. So all get the same pixels.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from svhn.images.boxes import (
    clip_box,
    compute_area,
    compute_cover,
    compute_overlap,
    enclose_boxes,
    expand_box,
    is_within,
    normalize_box,
    sort_boxes,
    suppress_overlaps,
)
from svhn.images.damage import has_late_notes
from svhn.images.decoding import explain_image_errors, identify_picture, load_pixels, reduce_large
from svhn.images.levels import convert_array, flatten_picture
from svhn.images.sources import (
    copy_array,
    import_fsspec,
    is_array,
    is_one_picture,
    is_remote,
    open_content,
    read_content,
)
from svhn.images.turns import find_turn, turn_size
from svhn.spec import Box, Size

__all__ = [
    "Picture",
    "clip_box",
    "compute_area",
    "compute_cover",
    "compute_overlap",
    "crop_picture",
    "enclose_boxes",
    "expand_box",
    "hold_content",
    "import_fsspec",
    "is_one_picture",
    "is_remote",
    "is_within",
    "list_suffixes",
    "measure_picture",
    "normalize_box",
    "open_picture",
    "open_reduced",
    "resize_crop",
    "sort_boxes",
    "suppress_overlaps",
]

# In `list_suffixes` even without pillow-heif, so that such a file is reported as unreadable and not skipped in silence.
HEIC_SUFFIXES = {".heic", ".heics", ".heif", ".heifs", ".hif"}
MPO_SUFFIX = ".mpo"  # Pillow opens these files as JPEGs, and registers no opener of their own (Pillow 12.3)
STUBS = {"BUFR", "GRIB", "HDF5", "MPEG"}  # kinds that Pillow recognizes and can't decode


class Picture(NamedTuple):
    """A picture that was opened.

    Args:
        image: the picture upright in RGB.
        size: width and height of the picture as its file holds it, but upright, in pixels.
        reduction: factor by which `image` is smaller than `size` in width and height: 2, 4 or 8 for a JPEG of more than
            `decoding.MEGAPIXELS`, 1 for any other picture.
    """

    image: Image.Image
    size: tuple[int, int]
    reduction: int = 1


@functools.cache
def list_suffixes() -> frozenset[str]:
    """The endings of pictures' names, in lower case and each with its dot."""
    kinds = Image.registered_extensions()  # imports each of Pillow's formats, which takes time
    can_open = (suffix for suffix, kind in kinds.items() if kind in Image.OPEN and kind not in STUBS)
    return frozenset({MPO_SUFFIX, *HEIC_SUFFIXES, *can_open})


def open_picture(source: Any) -> Image.Image:
    """The picture's first frame in RGB, upright, with its levels scaled to 8 bits and transparent areas on white.

    Args:
        source: a path, an address such as `gs://bucket/door.jpg`, the content of a file (bytes, bytearray or
            memoryview), an open file, a PIL image, or an array (height, width) or (height, width, 1, 3 or 4) of uint8
            or uint16.

    Raises:
        OSError: the file is missing, damaged or not a picture.
        ValueError: the picture is too large, what its levels mean is not certain, or `source` is of another type, or an
            array of another shape.
    """
    return open_reduced(source).image


def open_reduced(source: Any) -> Picture:
    """The picture as `open_picture` opens it, with its full size.

    A JPEG of more than `decoding.MEGAPIXELS` is decoded at 1/2, 1/4 or 1/8 of its full width and height.

    Args:
        source: as `open_picture` takes it.

    Raises:
        OSError, ValueError: as `open_picture`.
    """
    if isinstance(source, Image.Image):
        with explain_image_errors():
            image = _flatten_upright(load_pixels(source))
        return Picture(image.copy() if image is source else image, image.size)
    if is_array(source):
        image = flatten_picture(convert_array(copy_array(source)))
        return Picture(image, image.size)
    with explain_image_errors(), open_content(source) as file, identify_picture(file) as stored:
        size, reduction = stored.size, reduce_large(stored)
        loaded = load_pixels(stored, file, reduction > 1)
        image = _flatten_upright(loaded)
        return Picture(image, image.size if reduction == 1 else turn_size(size, find_turn(loaded)), reduction)


def _flatten_upright(image: Image.Image) -> Image.Image:
    turn = find_turn(image)
    return flatten_picture(image if turn is None else image.transpose(turn))


def measure_picture(source: Any) -> tuple[int, int]:
    """Width and height of the picture that `open_reduced` opens, in pixels of its file. Raises its errors.

    The pixels of a JPEG and of most PNG files are not decoded.
    """
    with explain_image_errors(), open_content(source) as file, identify_picture(file) as stored:
        if stored.format in ("JPEG", "MPO") or (stored.format == "PNG" and not has_late_notes(file)):
            return turn_size(stored.size, find_turn(stored))
    return open_reduced(source).size


def hold_content(source: Any) -> Any:
    """What `open_picture` takes later in place of `source`, whose content the caller may change or close until then.

    Raises:
        OSError, ValueError: as `open_picture`.
    """
    if isinstance(source, Image.Image):
        return open_picture(source)
    if is_array(source):
        return copy_array(source)
    if isinstance(source, bytearray | memoryview) or hasattr(source, "read"):
        with explain_image_errors():
            return read_content(source)
    return source


def crop_picture(picture: Picture, size: Size, box: Box | None = None) -> np.ndarray:
    """As `resize_crop`, for a box in pixels of the picture's file."""
    if box:
        left, top, right, bottom = (side / picture.reduction for side in box)
        box = left, top, right, bottom
    return resize_crop(picture.image, size, box)


def resize_crop(image: Image.Image, size: Size, box: Box | None = None) -> np.ndarray:
    """A box of the picture, or all of it, resized with Lanczos' filter from its pixels to uint8 (height, width, …)."""
    height, width = size
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box=box))
