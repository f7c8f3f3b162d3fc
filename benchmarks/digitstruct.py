"""Seconds to read a digitStruct.mat: by `svhn.datasets.formats.digit_struct`, and by one h5py read per value.

    python -m benchmarks.digitstruct data/train/digitStruct.mat

Both read the file three times, in turn; the best time of each counts. Their results are compared value by value.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from svhn.datasets.formats.digit_struct import COLUMNS, read_digit_struct

REPEATS = 3

Entries = list[tuple[str, np.ndarray]]


def read_value_by_value(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the same entries as `read_digit_struct`, with one h5py read per value."""
    with h5py.File(path) as file:
        yield from _read_entries(file)


def _read_entries(file: Any) -> Iterator[tuple[str, np.ndarray]]:
    names, boxes = file["digitStruct/name"], file["digitStruct/bbox"]
    for index in range(len(names)):
        name = "".join(chr(character) for character in file[names[index, 0]][:, 0])
        box = file[boxes[index, 0]]
        columns = [_read_values(file, box[column]) for column in COLUMNS]
        yield name, np.array(columns, np.float64).T


def _read_values(file: Any, field: Any) -> list[float]:
    if len(field) == 1:
        return [field[0, 0]]
    return [file[field[digit, 0]][0, 0] for digit in range(len(field))]


def _time_reading(read: Callable[[Path], Iterator[tuple[str, np.ndarray]]], path: Path) -> tuple[float, Entries]:
    start = time.perf_counter()
    entries = list(read(path))
    return time.perf_counter() - start, entries


def _are_equal(ours: Entries, theirs: Entries) -> bool:
    return len(ours) == len(theirs) and all(
        name == other and np.array_equal(digits, others)
        for (name, digits), (other, others) in zip(ours, theirs, strict=True)
    )


def main(path: Path) -> None:
    runs = [(_time_reading(read_digit_struct, path), _time_reading(read_value_by_value, path)) for _ in range(REPEATS)]
    ours, theirs = (min(seconds for seconds, _ in column) for column in zip(*runs, strict=True))
    same = all(_are_equal(our_entries, their_entries) for (_, our_entries), (_, their_entries) in runs)
    print(f"{path}: {len(runs[0][0][1]):,} entries, best of {REPEATS}")
    print(f"digit_struct             {ours:8.2f} s")
    print(f"one h5py read per value  {theirs:8.2f} s")
    print(f"ratio                    {theirs / ours:8.2f}")
    print(f"results                  {'equal' if same else 'DIFFERENT':>8}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data/train/digitStruct.mat"))
