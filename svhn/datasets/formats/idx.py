"""MNIST's idx format: an array of unsigned bytes, plain or packed with gzip.

The file holds two zero bytes, the type (8: unsigned byte), the rank, the length of each side as big-endian uint32, and
the values row by row. The page of the MNIST database describes it (LeCun, Cortes and Burges).
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from svhn.datasets.formats.faults import FormatError

MAGIC = b"\0\0\x08"
GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: Path) -> np.ndarray:
    """The values, uint8, in the shape that the file's header gives. Packed files are found by content, not by name.

    Raises:
        FormatError: the file is not an idx array of bytes, is damaged or cut short, or is longer than its shape.
    """
    content = _read_content(path)
    if content[: len(MAGIC)] != MAGIC:
        found = content[: len(MAGIC)].hex(" ") or "nothing"
        raise FormatError(f"begins with {found}, expected 00 00 08 as idx files of bytes do")
    shape = _read_shape(content)
    start, size = 4 + 4 * len(shape), math.prod(shape)
    if len(content) != start + size:
        found = f"{len(content)} bytes where {' x '.join(map(str, shape)) or 1} values take {start + size}"
        fault = "is cut short" if len(content) < start + size else "has bytes after its values"
        raise FormatError(f"{fault}: {found}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _read_content(path: Path) -> bytes:
    content = path.read_bytes()
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(f"can't be unpacked ({error})") from error


def _read_shape(content: bytes) -> tuple[int, ...]:
    rank = content[3] if len(content) > 3 else 1
    if len(content) < 4 + 4 * rank:
        raise FormatError(f"is cut short within its header, after {len(content)} bytes")
    if not 1 <= rank <= 3:
        raise FormatError(f"has {rank} sides, expected 1 for labels and 3 for images")
    shape = struct.unpack_from(f">{rank}I", content, 4)
    if 0 in shape:
        raise FormatError(f"holds no values: its shape is {' x '.join(map(str, shape))}")
    return shape
