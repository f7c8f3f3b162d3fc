"""Corrupt records: which file and record it is, and how the others are saved."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from svhn.errors import UserError
from svhn.records import Split


def check_sizes(split: Split) -> None:
    """Raises `UserError` for a file that was cut short, also where it was cut between two records."""
    if any(path.stat().st_size != size for path, size in zip(split.paths, split.sizes, strict=True)):
        raise UserError(describe_corruption(split))


def salvage_split(split: Split, scratch: Path) -> Split:
    """The split without its corrupt records: damaged shards are copied to the folder `scratch`, less those."""
    shards = [_salvage_shard(*shard, scratch) for shard in zip(*split, strict=True)]
    return Split(*(list(column) for column in zip(*shards, strict=True)))


def _salvage_shard(path: Path, examples: int, size: int, scratch: Path) -> tuple[Path, int, int]:
    if _count_intact_records(path) == (examples, True):
        return path, examples, size
    copy = scratch / path.name
    kept = _copy_intact_records(path, copy)
    return copy, kept, copy.stat().st_size


@contextmanager
def explain_corruption(split: Split) -> Iterator[None]:
    """Turn TensorFlow's error at a corrupt record into a `UserError` that says where it is."""
    try:
        yield
    except tf.errors.DataLossError as error:
        raise UserError(describe_corruption(split)) from error


def describe_corruption(split: Split) -> str:
    """Which file and record is corrupt, and what to do."""
    for path, examples, _ in zip(*split, strict=True):
        count, intact = _count_intact_records(path)
        if not intact or count != examples:
            return (
                f"{path}: record {count} of {examples} (counted from 0) is corrupt or cut short: "
                "run `python -m svhn.wrangle` again, or leave it out by `python -m svhn.wrangle --salvage`"
            )
    return "a record could not be read, but now all can: run the same command again"


def _copy_intact_records(path: Path, target: Path) -> int:
    """Copy the records of `path` that are intact to `target`; returns how many they are.

    A record whose length field is damaged takes the rest of its file with it: nothing says where the next one starts.
    """
    content = path.read_bytes()
    while True:
        target.write_bytes(content)
        count, intact = _count_intact_records(target)
        if intact:
            return count
        content = _remove_record(content, count)


def _remove_record(content: bytes, index: int) -> bytes:
    """A TFRecord file's content less one record: uint64 length, uint32 CRC, data, uint32 CRC, one after another."""
    start = end = 0
    for _ in range(index + 1):
        start = end
        header = content[start : start + 8]
        end = start + 16 + struct.unpack("<Q", header)[0] if len(header) == 8 else len(content) + 1
    return content[:start] + content[end:] if end <= len(content) else content[:start]


def _count_intact_records(path: str | Path) -> tuple[int, bool]:
    """Records before the first corrupt one, and whether the file ends without one."""
    count = 0
    try:
        for _ in tf.data.TFRecordDataset(str(path)):
            count += 1
    except tf.errors.DataLossError:
        return count, False
    return count, True
