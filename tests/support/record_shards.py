"""A split of ten tiny records, to be damaged."""

from __future__ import annotations

from pathlib import Path

from svhn import records
from svhn.records import Split

LABELS = ("210", "7", "35", "0", "90817")


def write_shards(folder: Path) -> Split:
    """Two shards of five records each, named a0 to a4 and b0 to b4, as `train` of svhn beneath the folder."""
    paths = records.get_shard_paths(folder, "svhn", "train", 2)
    for path, shard in zip(paths, "ab", strict=True):
        serialized = [
            records.serialize_example(bytes(50), label, f"{shard}{index}") for index, label in enumerate(LABELS)
        ]
        assert records.write_shard(path, serialized) == len(LABELS)
    return Split(paths, [5, 5], [path.stat().st_size for path in paths])
