"""Any picture that a user has, as RGB: a file, its bytes, PIL's image or an array."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from svhn.errors import suggest_extra
from svhn.spec import Box

try:  # an extra, for what iPhones take
    from pillow_heif import register_heif_opener
except ImportError:
    HINT = f"; if it is a HEIC picture, {suggest_extra('heic')}"
else:
    register_heif_opener()
    HINT = ""


MEGAPIXELS = 100  # of the largest file that is opened: it takes 300 MB
HEIC_SUFFIXES = {".heic", ".heics", ".heif", ".heifs", ".hif"}  # not passed over in silence where they can't be read
ORIENTATION = 0x0112  # of Exif, which counts the turns from 1, none
TRANSPOSE_NAMES = (
    "FLIP_LEFT_RIGHT",
    "ROTATE_180",
    "FLIP_TOP_BOTTOM",
    "TRANSPOSE",
    "ROTATE_270",
    "TRANSVERSE",
    "ROTATE_90",
)
NOTE_ERRORS = (struct.error, SyntaxError, TypeError, ValueError)  # of notes that are cut off, or of a wrong type
TRANSPOSE_BY_ORIENTATION = {number: Image.Transpose[name] for number, name in enumerate(TRANSPOSE_NAMES, start=2)}
SUFFIXES = HEIC_SUFFIXES | {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}


def open_picture(source: Any) -> Image.Image:
    """The picture in RGB and upright: its first frame, 16 bits scaled to 8, on white where it is transparent.

    Args:
        source: a path, the bytes of a file, a PIL image, or an array (height, width) or (height, width, 1, 3 or 4) of
            uint8 or uint16.

    Raises:
        OSError: there is no such file, or it is no picture, or damaged.
        ValueError: it is too large, or an array of another kind.
    """
    if isinstance(source, np.ndarray):
        return _flatten_on_white(_array_to_image(source))
    if isinstance(source, Image.Image):
        return _flatten_on_white(_apply_orientation(source))
    with explain_image_errors(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what PIL mends by itself; of its size, PIL warns later than we refuse
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            width, height = image.size
            if width * height > 1e6 * MEGAPIXELS:
                raise ValueError(f"the picture has {width} x {height} pixels, at most {MEGAPIXELS} million can be read")
            return _flatten_on_white(_apply_orientation(image))


def _apply_orientation(image: Image.Image) -> Image.Image:
    """A copy, as the camera says. Pillow's own way writes all notes anew, and fails where one is of a wrong type."""
    image.load()  # TIFF is turned by Pillow itself, which then takes its note away
    try:
        turn = TRANSPOSE_BY_ORIENTATION.get(image.getexif().get(ORIENTATION, 1))
    except NOTE_ERRORS:
        turn = None
    return image.copy() if turn is None else image.transpose(turn)


def _array_to_image(array: np.ndarray) -> Image.Image:
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    grey = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1)
    if array.dtype != np.uint8 or not (grey or (array.ndim == 3 and array.shape[2] in (3, 4))) or not array.size:
        raise ValueError(
            f"an array {array.shape} of {array.dtype}: expected uint8 or uint16 and (height, width), "
            "or with 1, 3 or 4 channels"
        )
    return Image.fromarray(array.reshape(array.shape[:2]) if grey else array)


def _flatten_on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return convert_to_rgb(image)
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def convert_to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):  # PIL would cut 16 bits off at 255 instead of scaling them
        levels = np.asarray(image).clip(0, 2**16 - 1)
        deep = image.mode != "I" or levels.max() > 255  # 32 bits may hold 8 or 16
        return Image.fromarray((levels >> 8 if deep else levels).astype(np.uint8)).convert("RGB")
    if isinstance(image.info.get("transparency"), bytes):  # PIL warns of it unless it goes by way of RGBA
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")


@contextmanager
def explain_image_errors() -> Iterator[None]:
    """Say in words why PIL can't read a picture, whichever of its many exceptions it says it with."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError("the picture is missing") from error
    except UnidentifiedImageError as error:
        raise OSError(f"the file is not a picture, or of no known kind{HINT}") from error
    except (SyntaxError, TypeError, EOFError, RuntimeError) as error:  # the last two of HEIC's decoder
        raise OSError(f"the picture is damaged: {str(error).strip()}") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"the picture is too large: {error}") from error


def normalize_box(box: Box, crop: Box) -> Box:
    """A box, clipped to a crop, in shares of the crop's width and height."""
    left, top, right, bottom = crop
    x0, x1 = (min(max(x - left, 0.0) / (right - left), 1.0) for x in (box[0], box[2]))
    y0, y1 = (min(max(y - top, 0.0) / (bottom - top), 1.0) for y in (box[1], box[3]))
    return x0, y0, x1, y1


def expand_box(box: Box, margin: float, picture: tuple[int, int]) -> Box:
    """Raises `ValueError` where the box itself, without its margin, keeps nothing of the (width, height) picture."""
    left, top, right, bottom = _clip_box(box, picture)
    if left >= right or top >= bottom:
        corners = "{:g},{:g} to {:g},{:g}".format(*box)
        raise ValueError(f"box {corners} lies outside of the picture of {picture[0]} x {picture[1]} pixels")
    left, top, right, bottom = box
    across, down = margin * (right - left), margin * (bottom - top)
    return _clip_box((left - across, top - down, right + across, bottom + down), picture)


def _clip_box(box: Box, picture: tuple[int, int]) -> Box:
    left, top, right, bottom = box
    return max(left, 0.0), max(top, 0.0), min(right, picture[0]), min(bottom, picture[1])
