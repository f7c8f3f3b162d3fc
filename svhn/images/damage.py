"""Damage that Pillow doesn't report: pixels of a PNG with another checksum. And what it reports but need not."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Iterator
from typing import IO

from PIL import Image

PNG_START = 8  # bytes before the first chunk
PNG_NOTES = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")  # chunks that can hold a camera's turn
PIECE = 2**20  # bytes that are read at once
JPEG_END = b"\xff\xd9"
# Bits in place of a JPEG's missing ones, of which each ends the last block otherwise if it is not whole.
TAILS = tuple(
    64 * bits for bits in (b"\x00", b"\xff\x00", b"\x55", b"\xaa", b"\x93", b"\x6c", b"\x39\xc6", b"\xe1\x1e")
)
WHOLE_FRAMES = (0xC0, 0xC1)  # markers of a frame of whose blocks each is stored in one piece
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
RESTART_INTERVAL, SCAN = 0xDD, 0xDA


def check_png(file: IO[bytes]) -> None:
    """Compare the pixels of a PNG with their checksums, which Pillow skips. This takes 2 % of the time to decode them.

    Raises:
        OSError: a checksum differs, or pixels are missing.
    """
    found = False
    for kind, length in _walk_chunks(file):
        if kind == b"IDAT":
            found = True
            computed, stored = _compute_checksum(file, kind, length), file.read(4)
            if len(stored) == 4 and computed != int.from_bytes(stored, "big"):
                raise OSError("the picture is damaged: its pixels differ from their checksum")
        elif found:
            return


def has_late_notes(file: IO[bytes]) -> bool:
    """Whether a PNG has notes behind its pixels, which Pillow reads only with the pixels."""
    kinds = [kind for kind, _ in _walk_chunks(file)]
    return b"IDAT" in kinds and any(kind in PNG_NOTES for kind in kinds[kinds.index(b"IDAT") :])


def _walk_chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """The kind and length of each chunk of a PNG; meanwhile, the file is at the start of its content."""
    file.seek(PNG_START)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        end = file.tell() + length + 4
        yield kind, length
        file.seek(end)


def _compute_checksum(file: IO[bytes], kind: bytes, length: int) -> int:
    checksum = zlib.crc32(kind)
    while length:
        piece = file.read(min(length, PIECE))
        if not piece:
            raise OSError("image file is truncated: its pixels end too early")
        checksum, length = zlib.crc32(piece, checksum), length - len(piece)
    return checksum


def complete_jpeg(file: IO[bytes]) -> Image.Image | None:
    """The picture of a JPEG whose end marker alone is missing; None if more is missing.

    If the last block is whole, the pixels are the same whatever follows it. So several bits are tried.
    """
    file.seek(0)
    content = file.read()
    if not _has_one_scan(content):
        return None
    content, digests, image = content.removesuffix(JPEG_END[:1]), set[bytes](), None
    for tail in TAILS:
        image = Image.open(io.BytesIO(content + tail + JPEG_END))
        digests.add(hashlib.sha256(image.tobytes()).digest())
        if len(digests) > 1:
            return None
    return image


def _has_one_scan(content: bytes) -> bool:
    """Whether all blocks of a JPEG follow one another, so that a whole last block stands for all."""
    place, components = 2, b""
    while content[place : place + 1] == b"\xff":
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4], "big")
        body = content[place + 4 : place + 2 + length]
        if marker in WHOLE_FRAMES:
            components = body[5:6]
        elif marker in FRAMES or (marker == RESTART_INTERVAL and body != b"\0\0"):
            return False
        elif marker == SCAN:
            return bool(components) and body[:1] == components
        place += 2 + length
    return False
