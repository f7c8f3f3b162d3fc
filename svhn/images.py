"""Pictures of any kind as RGB, and the boxes that are cut out of them."""

from __future__ import annotations

import functools
import io
import os
import re
import stat
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from svhn.errors import UserError, find_error_type, find_remote_error_type, suggest_extra
from svhn.spec import Box, Size
from svhn.threads import SharedContext

try:  # an optional package, for the pictures that iPhones take
    from pillow_heif import register_heif_opener
except ImportError:
    HINT = f"; if it is a HEIC picture, {suggest_extra('heic')}"
else:
    register_heif_opener()
    HINT = ""


MEGAPIXELS = 100  # size of the largest picture that is opened: in memory it takes 300 MB
# In `list_suffixes` even without pillow-heif, so that such a file is reported as unreadable and not skipped in silence.
HEIC_SUFFIXES = {".heic", ".heics", ".heif", ".heifs", ".hif"}
ORIENTATION = 0x0112  # the Exif tag; its value 1 stands for upright, 2 to 8 for TRANSPOSE_NAMES in order
TRANSPOSE_NAMES = (
    "FLIP_LEFT_RIGHT",
    "ROTATE_180",
    "FLIP_TOP_BOTTOM",
    "TRANSPOSE",
    "ROTATE_270",
    "TRANSVERSE",
    "ROTATE_90",
)
EXIF_ERRORS = (struct.error, SyntaxError, TypeError, ValueError)  # raised for tags that are cut off or of a wrong type
TRANSPOSE_BY_ORIENTATION = {number: Image.Transpose[name] for number, name in enumerate(TRANSPOSE_NAMES, start=2)}
STUBS = {"BUFR", "GRIB", "HDF5", "MPEG"}  # kinds that Pillow recognizes and can't decode
SPECIAL_FILES = {"p": "a named pipe", "s": "a socket", "c": "a device", "b": "a device", "d": "a folder"}
ADDRESS = re.compile("[a-zA-Z][a-zA-Z0-9+.-]+://")  # how addresses begin, and no path on Windows, such as C://a


# Pillow warns about flaws that it repairs, and about sizes that are refused here.
QUIET = SharedContext(lambda: warnings.catch_warnings(action="ignore"))


@functools.cache
def list_suffixes() -> frozenset[str]:
    """The endings of pictures' names, in lower case and each with its dot."""
    kinds = Image.registered_extensions()  # imports each of Pillow's formats, which takes time
    can_open = (suffix for suffix, kind in kinds.items() if kind in Image.OPEN and kind not in STUBS)
    return frozenset(HEIC_SUFFIXES.union(can_open))


def open_picture(source: Any) -> Image.Image:
    """The picture's first frame in RGB, upright, with 16 bits scaled to 8 and transparent areas on white.

    Args:
        source: a path, an address such as `gs://bucket/door.jpg`, the content of a file (bytes, bytearray or
            memoryview), an open file, a PIL image, or an array (height, width) or (height, width, 1, 3 or 4) of uint8
            or uint16.

    Raises:
        OSError: the file is missing, damaged or not a picture.
        ValueError: the picture is too large, or `source` is of another type, or an array of another shape.
    """
    if isinstance(source, Image.Image):
        with explain_image_errors():
            return _flatten_on_white(_apply_orientation(source))
    if hasattr(source, "__array__"):  # also tensors
        return _flatten_on_white(_array_to_image(np.asarray(source)))
    with explain_image_errors(), QUIET:
        _refuse_special_file(source)
        with Image.open(_make_file(source)) as image:
            width, height = image.size
            if width * height > 1e6 * MEGAPIXELS:
                raise ValueError(f"the picture has {width} x {height} pixels, expected at most {MEGAPIXELS} million")
            return _flatten_on_white(_apply_orientation(image))


def hold_content(source: Any) -> Any:
    """What `open_picture` takes later in place of `source`, whose content the caller may change or close until then.

    Raises:
        OSError, ValueError: as `open_picture`.
    """
    if isinstance(source, Image.Image):
        return open_picture(source)
    if hasattr(source, "__array__"):
        return np.array(source)
    if isinstance(source, bytearray | memoryview) or hasattr(source, "read"):
        with explain_image_errors():
            return _make_file(source).getvalue()
    return source


def is_remote(source: Any) -> bool:
    """Whether a picture is named by an address, and not by a path."""
    return isinstance(source, str) and ADDRESS.match(source) is not None


def _make_file(source: Any) -> Any:
    """What `Image.open` takes. Raises `ValueError` for a type that holds no file."""
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(bytes(source))
    if hasattr(source, "read"):
        content = source.read()
        if not isinstance(content, bytes):
            raise ValueError(
                f"an open file of {type(content).__name__}: expected one that is opened for bytes, as 'rb'"
            )
        return io.BytesIO(content)  # Pillow needs files that can be read from the start again
    if is_remote(source):
        return _fetch_file(source)
    if isinstance(source, str | os.PathLike):
        return source
    raise ValueError(
        f"a picture of type {type(source).__name__}: expected a path, the content of a file, an open file, a PIL image "
        "or an array"
    )


def _fetch_file(address: str) -> io.BytesIO:
    """The content of a file on another machine.

    Raises:
        OSError: the file can't be fetched; `PassingError` for a reason that may pass.
    """
    try:
        import fsspec
    except ImportError as error:
        raise UserError(f"{address}: addresses are read with fsspec: {suggest_extra('remote')}") from error
    try:
        with fsspec.open(address, "rb") as file:
            return io.BytesIO(file.read())  # pyright: ignore[reportAttributeAccessIssue]
    except FileNotFoundError as error:
        raise FileNotFoundError("the picture is missing") from error
    except Exception as error:  # each file system raises errors of its own
        reason = str(error) or type(error).__name__
        raise find_remote_error_type(error)(f"the picture can't be fetched: {reason}") from error


def _refuse_special_file(source: Any) -> None:
    """Raise `OSError` for a path of anything but a regular file: to open a pipe may take forever."""
    if isinstance(source, str | os.PathLike) and not is_remote(source):
        mode = os.stat(source).st_mode  # noqa: PTH116 - the path may be a string
        if not stat.S_ISREG(mode):
            raise OSError(f"expected a file, got {SPECIAL_FILES.get(stat.filemode(mode)[0], 'something else')}")


def _apply_orientation(image: Image.Image) -> Image.Image:
    """A copy that is turned as its Exif tag asks.

    Pillow's own `exif_transpose` writes all tags anew, and fails if one of them has a wrong type.
    """
    try:
        image.load()  # Pillow turns a TIFF here by itself, and then removes its tag
    except ValueError as error:  # of a decoder that reads past the end
        raise OSError(f"the picture is damaged: {error}") from error
    try:
        turn = TRANSPOSE_BY_ORIENTATION.get(image.getexif().get(ORIENTATION, 1))
    except EXIF_ERRORS:
        turn = None
    return image.copy() if turn is None else image.transpose(turn)


def _array_to_image(array: np.ndarray) -> Image.Image:
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    grayscale = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1)
    if array.dtype != np.uint8 or not (grayscale or (array.ndim == 3 and array.shape[2] in (3, 4))) or not array.size:
        raise ValueError(
            f"an array {array.shape} of {array.dtype}: expected uint8 or uint16 and (height, width), "
            "or with 1, 3 or 4 channels"
        )
    return Image.fromarray(array.reshape(array.shape[:2]) if grayscale else array)


def _flatten_on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return convert_to_rgb(image)
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def convert_to_rgb(image: Image.Image) -> Image.Image:
    """The picture in RGB. Levels of 16 bits are scaled to 8; transparency is ignored."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):  # PIL would clip 16 bits at 255 and not scale them
        levels = np.asarray(image).clip(0, 2**16 - 1)
        deep = image.mode != "I" or levels.max() > 255  # 32 bits may hold 8 or 16
        return Image.fromarray((levels >> 8 if deep else levels).astype(np.uint8)).convert("RGB")
    if isinstance(image.info.get("transparency"), bytes):  # PIL warns about it, unless by way of RGBA
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")


@contextmanager
def explain_image_errors() -> Iterator[None]:
    """Turn the many exceptions of PIL into `OSError` or `ValueError` with the reason in plain words."""
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError as error:
        raise FileNotFoundError("the picture is missing") from error
    except UnidentifiedImageError as error:
        raise OSError(f"the file is not a picture, or of no known kind{HINT}") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"the picture is too large: {error}") from error
    except OSError as error:  # the system's have a number, and a name that the caller knows
        raise find_error_type(error)(error.strerror or str(error)) from error
    except UnicodeError as error:
        raise ValueError(f"a path that the system can't take: {error}") from error
    except ValueError:
        raise
    except Exception as error:  # decoders raise many types: SyntaxError, IndexError, EOFError, struct.error and others
        raise OSError(f"the picture is damaged: {str(error).strip() or type(error).__name__}") from error


def resize_crop(image: Image.Image, size: Size, box: Box | None = None) -> np.ndarray:
    """A box of the picture, or all of it, resized with Lanczos' filter from its pixels to uint8 (height, width, …)."""
    height, width = size
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box=box))


def normalize_box(box: Box, crop: Box) -> Box:
    """A box in pixels, clipped to a crop, as shares of the crop's width and height."""
    left, top, right, bottom = crop
    x0, x1 = (min(max(x - left, 0.0) / (right - left), 1.0) for x in (box[0], box[2]))
    y0, y1 = (min(max(y - top, 0.0) / (bottom - top), 1.0) for y in (box[1], box[3]))
    return x0, y0, x1, y1


def expand_box(box: Box, margin: float, picture: tuple[int, int]) -> Box:
    """A box with a margin, clipped to the picture.

    Args:
        box: left, top, right and bottom, in pixels.
        margin: share of the box's width and height that is added on each side.
        picture: width and height, in pixels.

    Raises:
        ValueError: the box without its margin lies outside of the picture.
    """
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
