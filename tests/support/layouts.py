"""digitStruct.mat in the layouts of the tools that people write it with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from svhn.datasets.formats.digit_struct import COLUMNS

Numbers = Sequence[tuple[str, np.ndarray]]  # as `read_digit_struct` yields them
Store = Callable[[Any, list[float]], object]  # `(file, values)` to what is stored as a field of a bbox
Write = Callable[[Path, Numbers], object]

NUMBERS: Numbers = [
    ("1.png", np.array([[2, 8, 10, 9, 20], [1, 20, 10, 6, 20], [10, 30, 10, 10, 20]], np.float64)),
    ("no digits.png", np.empty((0, 5))),
    ("2.png", np.array([[7, 20, 5, 12, 30]], np.float64)),
]
MATLAB_EMPTY = {"MATLAB_class": np.bytes_("struct"), "MATLAB_empty": np.uint8(1)}  # of a data set of its sides


def store_references(file: Any, values: Iterable[object]) -> np.ndarray:
    """A column of references to values, as MATLAB stores cells and arrays of structs."""
    refs, found = file.require_group("#refs#"), []
    for value in values:
        found.append(refs.create_dataset(f"value{len(refs)}", data=value).ref)
    return np.array(found, h5py.ref_dtype).reshape(-1, 1)


def store_digits(file: Any, values: list[float]) -> np.ndarray:
    """References, also for one digit; nothing for none."""
    return store_references(file, ([[value]] for value in values)) if values else np.zeros(0)


def store_as_matlab(file: Any, values: list[float]) -> np.ndarray:
    return np.array([values]) if len(values) == 1 else store_digits(file, values)


def write_struct(
    path: Path,
    numbers: Numbers,
    store: Store = store_as_matlab,
    name: Callable[[str], object] = str,
    fields: bool = False,
) -> None:
    """A digitStruct.mat.

    Args:
        path: the file.
        numbers: what it holds.
        store: makes what is stored as a field of a bbox.
        name: makes what is stored as a name.
        fields: whether a number without digits is a bbox of empty fields, and not an empty data set.
    """
    with h5py.File(path, "w") as opened:
        file: Any = opened
        boxes = []
        for index, (_, digits) in enumerate(numbers):
            if not len(digits) and not fields:
                box = file.create_dataset(f"#refs#/bbox{index}", data=np.zeros(2, np.uint64))
                box.attrs.update(MATLAB_EMPTY)
            else:
                box = file.create_group(f"#refs#/bbox{index}")
                box.update(zip(COLUMNS, (store(file, column) for column in digits.T.tolist()), strict=True))
            boxes.append(box.ref)
        file["digitStruct/bbox"] = np.array(boxes, h5py.ref_dtype).reshape(-1, 1)
        file["digitStruct/name"] = store_references(file, (name(text) for text, _ in numbers))


def write_names_as_one_array(path: Path, numbers: Numbers) -> None:
    write_struct(path, numbers)
    with h5py.File(path, "r+") as file:
        del file["digitStruct/name"]
        file["digitStruct/name"] = [name for name, _ in numbers]


def write_characters(text: str, kind: type[np.integer] = np.uint16) -> np.ndarray:
    return np.array([[ord(character)] for character in text], kind)


STRUCTS: dict[str, Write] = {
    "MATLAB": partial(write_struct, name=write_characters),
    "references": partial(write_struct, store=store_digits, fields=True),
    "columns": partial(write_struct, store=lambda _, values: np.reshape(values, (-1, 1)), fields=True),
    "rows": partial(write_struct, store=lambda _, values: np.reshape(values, (1, -1)), fields=True),
    "one side": partial(write_struct, store=lambda _, values: np.array(values), fields=True),
    "whole numbers": partial(write_struct, store=lambda _, values: np.array(values, np.int64)),
    "small floats": partial(write_struct, store=lambda _, values: np.array(values, np.float32)),
    "names of bytes": partial(write_struct, name=np.bytes_),
    "names of letters": partial(write_struct, name=lambda text: np.array([*text], "S1")),
    "names in a row": partial(write_struct, name=lambda text: write_characters(text).T),
    "names of wide characters": partial(write_struct, name=partial(write_characters, kind=np.uint32)),
    "names in one array": write_names_as_one_array,
}
