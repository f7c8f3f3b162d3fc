"""How a camera's notes ask a picture to be turned."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

from PIL import Image

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
TRANSPOSE_BY_ORIENTATION = {number: Image.Transpose[name] for number, name in enumerate(TRANSPOSE_NAMES, start=2)}
SIDEWAYS = {Image.Transpose[name] for name in ("TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90")}
EXIF_ERRORS = (struct.error, SyntaxError, TypeError, ValueError)  # raised for tags that are cut off or of a wrong type
GIF_NOTES, GIF_NOTES_END = b"!\xff\x0bXMP DataXMP", b"<?xpacket end"
# The boxes of JPEG 2000 files in which exiftool and Adobe's programs keep notes, by Pillow's names for the notes.
JP2_NOTES = {b"JpgTiffExif->JP2": "exif", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "xmp"}


def add_notes(image: Image.Image, file: IO[bytes]) -> None:
    """Add the notes of a GIF or JPEG 2000 file to its picture's, since Pillow passes over them."""
    if image.format not in ("GIF", "JPEG2000"):
        return
    place = file.tell()
    file.seek(0)
    image.info.update(_find_gif_notes(file.read()) if image.format == "GIF" else dict(_read_jp2_notes(file)))
    file.seek(place)


def _find_gif_notes(content: bytes) -> dict[str, bytes]:
    _, found, rest = content.partition(GIF_NOTES)
    return {"xmp": rest.partition(GIF_NOTES_END)[0]} if found else {}


def _read_jp2_notes(file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """The name and content of each box with notes. A box begins with its length and its kind."""
    start = 0
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if length == 1:  # the length stands behind, in 8 bytes
            length = int.from_bytes(file.read(8), "big")
        if length < 8:  # 0: the last box
            return
        if kind == b"uuid" and (name := JP2_NOTES.get(file.read(16))):
            yield name, file.read(max(0, start + length - file.tell()))
        start += length
        file.seek(start)


def find_turn(image: Image.Image) -> Image.Transpose | None:
    """How a picture is turned upright; None if it is upright.

    Pillow's own `exif_transpose` writes all tags anew, and fails if one of them has a wrong type.
    """
    try:
        exif = Image.Image.getexif(image)  # a PNG's own method decodes the pixels first
        return TRANSPOSE_BY_ORIENTATION.get(exif.get(ORIENTATION, 1))
    except EXIF_ERRORS:
        return None


def turn_size(size: tuple[int, int], turn: Image.Transpose | None) -> tuple[int, int]:
    """Width and height after a turn."""
    return (size[1], size[0]) if turn in SIDEWAYS else size
