"""The idx format: any shape, packed or not, and every way for a file to be none."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.mnist_fixtures import digits, packed_idx

from svhn.datasets.formats.faults import FormatError
from svhn.datasets.formats.idx import read_idx

Spoil = Callable[[bytes], bytes]


def failure(call: Callable[[], object]) -> str:
    with pytest.raises(FormatError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (1, 1), (3, 70000)])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("name", ["values", "values.gz"])
def test_idx_files_are_read_packed_or_not_whatever_their_name(
    tmp_path: Path, shape: tuple[int, ...], pack: Spoil, name: str
) -> None:
    values = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    (tmp_path / name).write_bytes(pack(packed_idx(values)))
    found = read_idx(tmp_path / name)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "begins with nothing, expected 00 00 08 as idx files of bytes do"),
        (b"<!DOCTYPE html>", "begins with 3c 21 44, expected 00 00 08 as idx files of bytes do"),
        (b"\0\0\x0d\x01\0\0\0\1\0\0\0\0", "begins with 00 00 0d, expected 00 00 08 as idx files of bytes do"),
        (b"\1\0\x08\x01\0\0\0\1\0", "begins with 01 00 08, expected 00 00 08 as idx files of bytes do"),
        (b"\0\0\x08", "is cut short within its header, after 3 bytes"),
        (b"\0\0\x08\x03\0\0\0\1\0\0", "is cut short within its header, after 10 bytes"),
        (packed_idx(np.ones((2, 3, 4), np.uint8))[:-1], "is cut short: 39 bytes where 2 x 3 x 4 values take 40"),
        (packed_idx(np.ones(3, np.uint8))[:8], "is cut short: 8 bytes where 3 values take 11"),
        (packed_idx(np.ones(3, np.uint8)) + b"\n", "has bytes after its values: 12 bytes where 3 values take 11"),
        (packed_idx(np.ones((0, 28, 28), np.uint8)), "holds no values: its shape is 0 x 28 x 28"),
        (b"\0\0\x08\0\5", "has 0 sides, expected 1 for labels and 3 for images"),
        (packed_idx(np.ones([1] * 32, np.uint8)), "has 32 sides, expected 1 for labels and 3 for images"),
        (b"\0\0\x08\x03" + b"\xff" * 12, f"cut short: 16 bytes where {' x '.join(['4294967295'] * 3)} values"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_no_idx_file_is_refused(tmp_path: Path, content: bytes, problem: str, pack: Spoil) -> None:
    path = tmp_path / "values.gz"
    path.write_bytes(pack(content))
    message = failure(lambda: read_idx(path))
    assert problem in message


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-9],
        lambda content: content[:5],
        lambda content: content[:12] + b"\xff\xff" + content[14:],
        lambda content: content[:-8] + b"\0\0\0\0" + content[-4:],
        lambda content: content + b"more",
    ],
    ids=["cut short", "header cut short", "deflate", "checksum", "trailing"],
)
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, spoil: Spoil) -> None:
    path = tmp_path / "values.gz"
    path.write_bytes(spoil(gzip.compress(packed_idx(digits("train")[0]))))
    message = failure(lambda: read_idx(path))
    assert message.startswith("can't be unpacked (")
