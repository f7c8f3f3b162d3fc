"""Sound pictures of odd kinds, each with the pixels that every part of the package has to see."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 16, 24
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
GRAY = (8 * ROWS + 5 * COLUMNS + 5).astype(np.uint8)  # from 5 to 240
COLORS = np.stack([GRAY, 255 - GRAY, np.roll(GRAY, 5, 0)], axis=-1)
CLEAR = COLUMNS >= WIDTH // 2  # what is transparent, where something is
UPSIDE_DOWN = 3  # the Exif orientation
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><tiff:Orientation>3</tiff:Orientation></x:xmpmeta><?xpacket end="w"?>'
ADOBE_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # how a box of JPEG 2000 with XMP begins


class OddPicture(NamedTuple):
    """A file's content, the pixels that it shows, by how much they may differ, and whether an export takes it."""

    content: bytes
    pixels: np.ndarray
    tolerance: int = 0
    exported: bool = False


def save(pixels: np.ndarray | Image.Image, kind: str, **options: Any) -> bytes:
    file, image = io.BytesIO(), pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(file, kind, **options)
    return file.getvalue()


def pack_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pack_png(rows: np.ndarray, bits: int, color_type: int, *before: bytes, after: bytes = b"") -> bytes:
    """A PNG of rows of bytes, uint8 (height, bytes); `before` and `after` are chunks around the pixels."""
    header = pack_chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, color_type, 0, 0, 0))
    pixels = pack_chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + pixels + after + pack_chunk(b"IEND", b"")


def pack_tiff(rows: bytes, bits: int) -> bytes:
    """A gray TIFF without compression, whose levels have so many bits."""
    start = 8 + 2 + 8 * 12 + 4
    values = {256: WIDTH, 257: HEIGHT, 258: bits, 259: 1, 262: 1, 273: start, 278: HEIGHT, 279: len(rows)}
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())
    return b"II*\0" + struct.pack("<IH", 8, len(values)) + tags + b"\0\0\0\0" + rows


def turned_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = UPSIDE_DOWN
    return exif


def on_white(pixels: np.ndarray) -> np.ndarray:
    return np.where(CLEAR[..., None], np.uint8(255), pixels)


def as_rgb(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None], 3, axis=-1)


def list_jpegs() -> Iterator[tuple[str, OddPicture]]:
    whole = save(COLORS, "jpeg", quality=100, subsampling=0)
    turned = save(COLORS[::-1, ::-1], "jpeg", quality=100, subsampling=0, exif=turned_exif())
    cmyk = save(Image.fromarray(COLORS).convert("CMYK"), "jpeg", quality=100, subsampling=0)
    yield "jpeg", OddPicture(whole, COLORS, 3, exported=True)
    yield "jpeg, gray", OddPicture(save(GRAY, "jpeg", quality=100), as_rgb(GRAY), 3, exported=True)
    yield "jpeg, upside down", OddPicture(turned, COLORS, 3)
    yield "jpeg, CMYK", OddPicture(cmyk, COLORS, 6, exported=True)
    yield "jpeg without its end marker", OddPicture(whole[:-2], COLORS, 3)
    yield "jpeg with half an end marker", OddPicture(whole[:-1], COLORS, 3)


def list_pngs() -> Iterator[tuple[str, OddPicture]]:
    alpha = np.where(CLEAR, 0, 255).astype(np.uint8)
    black = np.where(CLEAR[..., None], 0, COLORS)  # the color of transparent pixels, as most programs leave it
    deep = (GRAY * 256.0 + 9).astype(">u2")
    key = np.where(CLEAR, 7, deep).astype(">u2")
    wide = np.where(CLEAR[..., None], 0x1122, COLORS * 256.0 + 9).astype(">u2")
    nibbles = np.where(CLEAR, 7, np.where(GRAY >> 4 == 7, 8, GRAY >> 4))
    packed = (nibbles[:, ::2] << 4 | nibbles[:, 1::2]).astype(np.uint8)
    quarters = np.where(CLEAR, 1, 2 + (GRAY >> 7))
    tight = (quarters.reshape(HEIGHT, -1, 4) << [6, 4, 2, 0]).sum(-1).astype(np.uint8)
    turned, orientation = COLORS[::-1, ::-1], turned_exif().tobytes().removeprefix(b"Exif\0\0")
    late = pack_png(turned.reshape(HEIGHT, -1), 8, 2, after=pack_chunk(b"eXIf", orientation))
    kinds = {
        "transparent": (save(np.dstack([black, alpha]), "png"), on_white(COLORS)),
        "transparent gray": (save(Image.fromarray(np.dstack([GRAY, alpha]), "LA"), "png"), on_white(as_rgb(GRAY))),
        "one transparent gray of 4 bits": (
            pack_png(packed, 4, 0, pack_chunk(b"tRNS", b"\0\7")),
            on_white(as_rgb(17 * nibbles)),
        ),
        "one transparent gray of 2 bits": (
            pack_png(tight, 2, 0, pack_chunk(b"tRNS", b"\0\1")),
            on_white(as_rgb(85 * quarters)),
        ),
        "16-bit gray": (pack_png(deep.view(np.uint8), 16, 0), as_rgb(GRAY)),
        "one transparent gray of 16 bits": (
            pack_png(key.view(np.uint8), 16, 0, pack_chunk(b"tRNS", b"\0\7")),
            on_white(as_rgb(GRAY)),
        ),
        "one transparent color of 16 bits": (
            pack_png(wide.reshape(HEIGHT, -1).view(np.uint8), 16, 2, pack_chunk(b"tRNS", 3 * b"\x11\x22")),
            on_white(COLORS),
        ),
    }
    yield from ((f"png, {name}", OddPicture(*each, exported=True)) for name, each in kinds.items())
    yield "png, upside down", OddPicture(save(turned, "png", exif=turned_exif()), COLORS)
    yield "png, upside down by a note behind the pixels", OddPicture(late, COLORS)


def list_others() -> Iterator[tuple[str, OddPicture]]:
    turned, rgba = COLORS[::-1, ::-1], np.dstack([COLORS, np.where(CLEAR, 0, 255).astype(np.uint8)])
    levels = GRAY.astype(np.uint16) << 4  # of 12 bits
    first, second = levels[:, ::2], levels[:, 1::2]
    pairs = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], -1)
    yield "tiff, floats", OddPicture(save((GRAY / 255).astype(np.float32), "tiff"), as_rgb(GRAY))
    yield "tiff, whole floats", OddPicture(save(GRAY.astype(np.float32), "tiff"), as_rgb(GRAY))
    yield "tiff, 12 bits", OddPicture(pack_tiff(pairs.astype(np.uint8).tobytes(), 12), as_rgb(GRAY))
    yield "tiff, 16 bits", OddPicture(save(GRAY.astype(np.uint16) << 8, "tiff"), as_rgb(GRAY))
    yield "tiff, CMYK", OddPicture(save(Image.fromarray(COLORS).convert("CMYK"), "tiff"), COLORS)
    yield "tiff, upside down", OddPicture(save(turned, "tiff", exif=turned_exif()), COLORS)
    yield "pgm, 10 bits", OddPicture(b"P5 24 16 1020\n" + (GRAY * 4.0).astype(">u2").tobytes(), as_rgb(GRAY), 1)
    yield "webp, transparent", OddPicture(save(rgba, "webp", lossless=True), on_white(COLORS))
    yield "gif, upside down", OddPicture(add_gif_notes(save(GRAY[::-1, ::-1], "gif")), as_rgb(GRAY))
    stored, exif = save(turned, "jpeg2000", irreversible=False), turned_exif().tobytes().removeprefix(b"Exif\0\0")
    yield "jpeg 2000, upside down by Exif", OddPicture(stored + pack_box(b"JpgTiffExif->JP2" + exif), COLORS)
    yield "jpeg 2000, upside down by XMP", OddPicture(stored + pack_box(ADOBE_BOX + XMP), COLORS)


def pack_box(content: bytes) -> bytes:
    """A box of a JPEG 2000 file in which other programs than its readers keep something."""
    return struct.pack(">I4s", 8 + len(content), b"uuid") + content


def add_gif_notes(content: bytes) -> bytes:
    """The notes lie where exiftool writes them, with the trailer that lets other programs skip them."""
    trailer = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    place = 13 + 3 * (2 << (content[10] & 7))  # behind the header and the table of colors
    return content[:place] + b"!\xff\x0bXMP DataXMP" + XMP + trailer + content[place:]


ODD_PICTURES: dict[str, OddPicture] = dict([*list_jpegs(), *list_pngs(), *list_others()])
