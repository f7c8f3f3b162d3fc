"""A corrupt record is located, and costs no more than it has to."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import tensorflow as tf
from support.record_shards import write_shards

from svhn import records
from svhn.errors import UserError
from svhn.pipeline import integrity
from svhn.records import Split

HEADER = 12  # bytes before a record's data: its length and that length's CRC
FOOTER = 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "svhn").mkdir()
    return tmp_path


@pytest.fixture
def split(folder: Path) -> Split:
    return write_shards(folder)


def offset(path: Path, index: int) -> int:
    """Where a record starts."""
    content, start = path.read_bytes(), 0
    for _ in range(index):
        start += HEADER + struct.unpack_from("<Q", content, start)[0] + FOOTER
    return start


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def names(split: Split) -> list[str]:
    """The names of all records; a corrupt one raises `DataLossError`."""
    ds = tf.data.TFRecordDataset([str(path) for path in split.paths])
    return [bytes(records.parse_example(record, 5)["name"].numpy()).decode() for record in ds]


def message(path: Path, index: int) -> str:
    remedy = "run `python -m svhn.wrangle` again, or leave it out by `python -m svhn.wrangle --salvage`"
    return f"{path}: record {index} of 5 (counted from 0) is corrupt or cut short: {remedy}"


def test_intact_records_stay_where_they_are(split: Split, tmp_path: Path) -> None:
    assert integrity.salvage_split(split, tmp_path / "absent") == split
    assert "now all can: run the same command again" in integrity.describe_corruption(split)


@pytest.mark.parametrize("place", [HEADER, HEADER + 30, -1, -FOOTER, HEADER - 1], ids=str)
@pytest.mark.parametrize("index", [0, 2, 4])
def test_a_flipped_byte_costs_one_record(split: Split, tmp_path: Path, index: int, place: int) -> None:
    path = split.paths[1]
    flip(path, offset(path, index + (place < 0)) + place)
    assert integrity.describe_corruption(split) == message(path, index)
    intact = integrity.salvage_split(split, tmp_path)
    survivors = [f"b{other}" for other in range(5) if other != index]
    assert names(intact) == ["a0", "a1", "a2", "a3", "a4", *survivors]
    assert intact.shards == [5, 4]
    assert intact.paths[0] == split.paths[0]
    assert intact.paths[1].parent == tmp_path


def test_several_flipped_bytes_cost_several_records(split: Split, tmp_path: Path) -> None:
    for index in (1, 2, 4):
        flip(split.paths[0], offset(split.paths[0], index) + HEADER + 5)
    flip(split.paths[1], offset(split.paths[1], 3) + HEADER)
    assert integrity.describe_corruption(split) == message(split.paths[0], 1)
    intact = integrity.salvage_split(split, tmp_path)
    assert names(intact) == ["a0", "a3", "b0", "b1", "b2", "b4"]
    assert intact.shards == [2, 4]


@pytest.mark.parametrize("byte", [0, 1, 7])
@pytest.mark.parametrize("index", [0, 2, 4])
def test_a_flipped_byte_of_a_length_costs_the_rest_of_the_file(
    split: Split, tmp_path: Path, index: int, byte: int
) -> None:
    path = split.paths[0]
    flip(path, offset(path, index) + byte)
    assert integrity.describe_corruption(split) == message(path, index)
    intact = integrity.salvage_split(split, tmp_path)
    assert names(intact) == [f"a{other}" for other in range(index)] + ["b0", "b1", "b2", "b3", "b4"]
    assert intact.shards == [index, 5]


@pytest.mark.parametrize("kept", [0, 1, 8, HEADER, HEADER + 20, -1], ids=str)
def test_a_file_cut_short_keeps_its_whole_records(split: Split, tmp_path: Path, kept: int) -> None:
    path = split.paths[1]
    cut(path, offset(path, 3 + (kept < 0)) + kept)
    assert integrity.describe_corruption(split) == message(path, 3)
    intact = integrity.salvage_split(split, tmp_path)
    assert names(intact) == ["a0", "a1", "a2", "a3", "a4", "b0", "b1", "b2"]
    assert intact.shards == [5, 3]


def test_an_error_of_reading_is_turned_into_where_it_is(split: Split) -> None:
    flip(split.paths[1], offset(split.paths[1], 2) + HEADER)
    with pytest.raises(UserError) as error, integrity.explain_corruption(split):
        names(split)
    assert str(error.value) == message(split.paths[1], 2)


def test_a_file_cut_between_two_records_is_noticed(split: Split) -> None:
    integrity.check_sizes(split)
    cut(split.paths[1], offset(split.paths[1], 3))
    with pytest.raises(UserError, match=r"record 3 of 5 \(counted from 0\) is corrupt or cut short") as error:
        integrity.check_sizes(split)
    assert str(error.value).startswith(str(split.paths[1]))
