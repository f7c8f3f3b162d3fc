"""From an open file to the pixels in it: finds the file's kind, decodes it, and puts errors into plain words."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from PIL import Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from svhn.errors import PassingError, UserError, find_error_type, shorten, suggest_extra
from svhn.images.damage import check_png, complete_jpeg
from svhn.images.levels import scale_transparency
from svhn.images.turns import add_notes
from svhn.threads import SharedContext

try:  # an optional package, for the pictures that iPhones take
    from pillow_heif import register_heif_opener
except ImportError:
    HINT = f"; if it is a HEIC picture, {suggest_extra('heic')}"
else:
    register_heif_opener()
    HINT = ""

MEGAPIXELS = 100  # size of the largest picture that is opened as it is: in memory it takes 400 MB
REDUCED_MEGAPIXELS = 30  # size to which larger JPEGs are reduced, so that they can be turned in less than 400 MB
REDUCTIONS = (2, 4, 8)  # factors by which a JPEG can be decoded smaller
FAMILIAR_KINDS = ("JPEG", "PNG", "TIFF", "JPEG2000", "GIF", "WEBP", "BMP")  # whose files are known by their beginning
JPEG_START = b"\xff\xd8\xff"
NOTES_GUARD = "MAX_TEXT"  # in the messages of Pillow's guard against PNG notes that unpack to more than a megabyte
NOTES_REFUSED = (
    "the picture's notes or its color profile unpack to more than 1 MB, which is refused: save the picture without "
    "them, for example by `exiftool -all= FILE`"
)

# Pillow warns about flaws that it repairs, and about sizes that are refused here.
QUIET = SharedContext(lambda: warnings.catch_warnings(action="ignore"))


@contextmanager
def identify_picture(file: IO[bytes]) -> Iterator[Image.Image]:
    """The picture in an open file, with its notes but without its pixels.

    Raises:
        OSError: the file is of no known kind.
        ValueError: the picture is too large.
    """
    with explain_image_errors(), QUIET:
        try:
            image = Image.open(file)
        except Image.DecompressionBombError:
            image = _open_large_jpeg(file)
        except UnidentifiedImageError:
            _explain_unidentified(file)
            raise
        with image:
            add_notes(image, file)
            yield image


def _open_large_jpeg(file: IO[bytes]) -> Image.Image:
    """A JPEG above Pillow's own limit. Raises `Image.DecompressionBombError` again for pictures of other kinds."""
    file.seek(0)
    start = file.read(len(JPEG_START))
    file.seek(0)
    return JpegImageFile(file) if start == JPEG_START else Image.open(file)


def _explain_unidentified(file: IO[bytes]) -> None:
    """Raises `OSError` with what is wrong with a file that begins as one of a familiar kind."""
    file.seek(0)
    start = file.read(16)
    for kind in FAMILIAR_KINDS:
        factory, accepts = Image.OPEN.get(kind, (None, None))
        if factory and accepts and accepts(start) is True:
            try:
                file.seek(0)
                factory(file, "")
            except Exception as error:  # decoders raise many types
                raise OSError(f"the file begins as a {kind} picture, but can't be decoded: {shorten(error)}") from error


def reduce_large(image: Image.Image) -> int:
    """Have a JPEG of more than `MEGAPIXELS` decoded smaller. Returns the factor, or 1 for a picture as it is.

    Raises:
        ValueError: a picture is too large that can't be decoded smaller in little memory.
    """
    width, height = image.size
    if width * height <= 1e6 * MEGAPIXELS:
        return 1
    factor = next((each for each in REDUCTIONS if width * height <= 1e6 * REDUCED_MEGAPIXELS * each**2), None)
    if factor is None or not isinstance(image, JpegImageFile) or image.info.get("progressive"):
        most = REDUCED_MEGAPIXELS * REDUCTIONS[-1] ** 2
        raise ValueError(
            f"the picture has {width} x {height} pixels, expected at most {MEGAPIXELS} million, or {most:,} million of "
            "a JPEG that is not progressive"
        )
    image.draft(None, (width // factor, height // factor))
    return factor


def load_pixels(image: Image.Image, file: IO[bytes] | None = None, reduced: bool = False) -> Image.Image:
    """The same picture with its pixels.

    Args:
        image: a picture, of which Pillow turns a TIFF here by itself, and then removes its tag.
        file: the file that it was opened from, if its damage is to be found or mended.
        reduced: whether it is decoded smaller; a JPEG is then not mended, since that decodes it at full size.

    Raises:
        OSError: the picture is damaged.
    """
    scale_transparency(image)
    if file and image.format == "PNG":
        check_png(file)
    try:
        image.load()
    except ValueError as error:  # of a decoder that reads past the end
        if NOTES_GUARD in str(error):
            raise
        raise OSError(f"the picture is damaged: {shorten(error)}") from error
    except OSError:
        completed = complete_jpeg(file) if file and image.format == "JPEG" and not reduced else None
        if completed is None:
            raise
        return completed
    return image


@contextmanager
def explain_image_errors() -> Iterator[None]:
    """Turn the many exceptions of Pillow into `OSError` or `ValueError` with the reason in plain words."""
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError as error:
        raise FileNotFoundError("the picture is missing") from error
    except UnidentifiedImageError as error:
        raise OSError(f"the file is not a picture, or of no known kind{HINT}") from error
    except Image.DecompressionBombError as error:
        reason = str(error).partition(",")[0]
        raise ValueError(f"the picture is too large: {reason}: expected at most {MEGAPIXELS} million") from error
    except OSError as error:  # the system's have a number, and a name that the caller has
        raise find_error_type(error)(error.strerror or str(error)) from error
    except UnicodeError as error:
        raise ValueError(f"a path that the system can't take: {error}") from error
    except ValueError as error:
        if NOTES_GUARD in str(error):
            raise ValueError(NOTES_REFUSED) from error
        raise
    except MemoryError as error:
        raise PassingError("the picture takes more memory than there is") from error
    except Exception as error:  # decoders raise many types: SyntaxError, IndexError, EOFError, struct.error and others
        raise OSError(f"the picture is damaged: {shorten(error)}") from error
