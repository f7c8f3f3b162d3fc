"""Damaged shards, written again without their corrupt records. The damaged files stay beside the new ones."""

from __future__ import annotations

import dataclasses
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from svhn.errors import UserError
from svhn.records import Split, count_intact_records, make_features, open_split, read_info, write_info
from svhn.runtime.files import atomic_write, attach_filename, flush_to_disk, list_damaged_names
from svhn.spec import Info


def salvage_records(records_dir: Path, dataset: str) -> Iterator[str]:
    """Leave a data set's corrupt records out of its shards and its `info.json`.

    `info.json` is written after a split's files. If the process is killed before, the next call finds whole files
    that hold fewer records than `info.json` lists, and only counts them.

    Yields:
        A line for each split that was damaged, or one line if none was.

    Raises:
        UserError: there are no records, a file is missing, or a split has no intact record. All other splits are
            salvaged first.
    """
    info = read_info(records_dir, dataset)
    splits = {name: open_split(records_dir, info, name) for name in info.splits if info.has_split(name)}
    damaged = {name: split for name, split in splits.items() if _is_damaged(split)}
    hopeless = []
    for name, split in damaged.items():
        if _salvage_split(split):
            before, info = info, _recount_split(info, name, split)
            write_info(records_dir, info)
            yield _describe_loss(before, info, name)
        else:
            hopeless.append(name)
    if hopeless:
        remedy = f"write it again with `svhn wrangle --dataset={dataset} --records_dir={records_dir}`"
        raise UserError(f"{records_dir / dataset}: no record of {' and '.join(hopeless)} is intact: {remedy}")
    if not damaged:
        total = sum(split.examples for split in splits.values())
        yield f"{records_dir / dataset}: all {total} records are intact, so nothing was changed."


def _is_damaged(split: Split) -> bool:
    shards = zip(*split, strict=True)
    return any(
        path.stat().st_size != size or count_intact_records(path) != (examples, True) for path, examples, size in shards
    )


def _salvage_split(split: Split) -> bool:
    """Replace the shards with a corrupt record. Returns False, and changes nothing, if no record is intact."""
    damaged = [path for path in split.paths if not count_intact_records(path)[1]]
    copies = {path: path.with_name(path.name + ".partial") for path in damaged}
    try:
        for path, copy in copies.items():
            _copy_intact_records(path, copy)
        salvageable = any(count_intact_records(copies.get(path, path))[0] for path in split.paths)
        if salvageable:
            for path, copy in copies.items():
                _keep_damaged_file(path)
                copy.replace(path)
        return salvageable
    finally:
        for copy in copies.values():
            copy.unlink(missing_ok=True)


def _keep_damaged_file(path: Path) -> None:
    """Copy a damaged shard to `NAME.damaged`, or to `NAME.damaged-1` and so on if another file has that name."""
    content = path.read_bytes()
    for kept in list_damaged_names(path):
        if not kept.exists():
            with atomic_write(kept) as file:
                file.write(content)
            return
        if kept.read_bytes() == content:  # the process was killed after it had made the copy
            return


def _copy_intact_records(path: Path, target: Path) -> None:
    """Copy the intact records of `path` to `target`.

    A record whose length field is damaged takes the rest of its file with it: nothing marks where the next one starts.
    """
    content = path.read_bytes()
    while True:
        with attach_filename(target), target.open("wb") as file:
            file.write(content)
            flush_to_disk(file)
        intact, whole = count_intact_records(target)
        if whole:
            return
        content = _remove_record(content, intact)


def _remove_record(content: bytes, index: int) -> bytes:
    """A TFRecord file's content less one record: uint64 length, uint32 CRC, data, uint32 CRC, one after another."""
    start = end = 0
    for _ in range(index + 1):
        start = end
        header = content[start : start + 8]
        end = start + 16 + struct.unpack("<Q", header)[0] if len(header) == 8 else len(content) + 1
    return content[:start] + content[end:] if end <= len(content) else content[:start]


def _recount_split(info: Info, name: str, split: Split) -> Info:
    """`info` with what the files of a split hold now."""
    shards = [count_intact_records(path)[0] for path in split.paths]
    sizes = [path.stat().st_size for path in split.paths]
    lost = info.lost.get(name, 0) + split.examples - sum(shards)
    return dataclasses.replace(
        info,
        splits={**info.splits, name: shards},
        sizes={**info.sizes, name: sizes},
        lengths={**info.lengths, name: _count_lengths(split.paths)},
        lost={**info.lost, name: lost},
    )


def _count_lengths(paths: list[Path]) -> dict[str, int]:
    """Records by length of the number."""
    serialized = tf.data.TFRecordDataset([str(path) for path in paths])
    examples = (tf.io.parse_single_example(record, make_features()) for record in serialized)
    lengths = Counter(str(len(example["digits"])) for example in examples)
    return dict(sorted(lengths.items()))


def _describe_loss(before: Info, after: Info, name: str) -> str:
    examples, left = sum(before.splits[name]), sum(after.splits[name])
    return (
        f"{name}: left out {examples - left} corrupt of {examples} records. Damaged files are kept as {name}-*.damaged."
    )
