"""A corrupt record is located: its file, its place and the command that leaves it out."""

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


def assert_located(message: str, path: Path, index: int) -> None:
    """The message starts with the file and the record's place, and has the command to run."""
    assert message.startswith(f"{path}: record {index} of 5 ")
    assert f"`svhn wrangle --dataset=svhn --records_dir={path.parents[1]} --salvage`" in message


def test_intact_records_are_not_blamed(split: Split) -> None:
    assert "run the same command again" in integrity.describe_corruption(split)


@pytest.mark.parametrize("place", [HEADER, HEADER + 30, -1, -FOOTER, HEADER - 1, 0, 7], ids=str)
@pytest.mark.parametrize("index", [0, 2, 4])
def test_a_flipped_byte_is_located(split: Split, index: int, place: int) -> None:
    path = split.paths[1]
    flip(path, offset(path, index + (place < 0)) + place)
    assert_located(integrity.describe_corruption(split), path, index)


def test_the_first_of_several_is_located(split: Split) -> None:
    for path, index in ((split.paths[1], 0), (split.paths[0], 4), (split.paths[0], 1)):
        flip(path, offset(path, index) + HEADER + 5)
    assert_located(integrity.describe_corruption(split), split.paths[0], 1)


@pytest.mark.parametrize("kept", [0, 1, 8, HEADER, HEADER + 20, -1], ids=str)
def test_where_a_file_is_cut_short_is_located(split: Split, kept: int) -> None:
    path = split.paths[1]
    cut(path, offset(path, 3 + (kept < 0)) + kept)
    assert_located(integrity.describe_corruption(split), path, 3)


def test_an_error_of_reading_is_turned_into_where_it_is(split: Split) -> None:
    flip(split.paths[1], offset(split.paths[1], 2) + HEADER)
    with pytest.raises(UserError) as error, integrity.explain_corruption(split):
        names(split)
    assert_located(str(error.value), split.paths[1], 2)


def test_a_file_cut_between_two_records_is_noticed(split: Split) -> None:
    integrity.check_sizes(split)
    cut(split.paths[1], offset(split.paths[1], 3))
    with pytest.raises(UserError) as error:
        integrity.check_sizes(split)
    assert_located(str(error.value), split.paths[1], 3)


def make_foreign_record(**features: tf.train.Feature) -> bytes:
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


PICTURE = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"no picture"]))
LABEL = tf.train.Feature(int64_list=tf.train.Int64List(value=[3]))


def decode_pictures(split: Split) -> None:
    for record in tf.data.TFRecordDataset([str(path) for path in split.paths]):
        tf.io.decode_image(records.parse_example(record, 5)["image"])


@pytest.mark.parametrize(
    "foreign",
    [
        b"some text",
        make_foreign_record(image_raw=PICTURE, label=LABEL),
        make_foreign_record(image=LABEL, name=PICTURE),
        make_foreign_record(image=PICTURE, name=PICTURE, digits=LABEL),
    ],
    ids=["no example", "other features", "other types", "no picture"],
)
def test_a_record_of_another_program_is_named(split: Split, foreign: bytes) -> None:
    picture = tf.io.encode_png(tf.zeros((2, 2, 3), tf.uint8)).numpy()
    own = records.serialize_example(picture, "7", "a")
    for path in split.paths:
        records.write_shard(path, [own, own, foreign if path == split.paths[1] else own])
    with pytest.raises(UserError) as error, integrity.explain_corruption(split):
        decode_pictures(split)
    assert str(error.value).startswith(f"{split.paths[1]}: record 2 ")
    assert f"`svhn wrangle --dataset=svhn --records_dir={split.paths[1].parents[1]}`" in str(error.value)
    assert "\n" not in str(error.value)


def test_another_invalid_argument_is_not_blamed_on_records(split: Split) -> None:
    picture = tf.io.encode_png(tf.zeros((2, 2, 3), tf.uint8)).numpy()
    for path in split.paths:
        records.write_shard(path, [records.serialize_example(picture, "7", "a")])
    with pytest.raises(tf.errors.InvalidArgumentError), integrity.explain_corruption(split):
        tf.reshape(tf.zeros(3), (2, 2))
