"""digitStruct.mat, written in the layout that `svhn.datasets.formats.digit_struct` describes, as MATLAB writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5p, h5r, h5s, h5t  # pyright: ignore[reportAttributeAccessIssue]

from svhn.datasets.formats.digit_struct import CHARACTER, COLUMNS, DOUBLE, REFERENCE

MATLAB_ORDER = ("height", "left", "top", "width", "label")  # order of a bbox's fields in the published files
# These bytes keep the module's old name: another text would change the checksums of files that are drawn here.
HEADER = b"MATLAB 7.3 MAT-file, written by svhn.matfile HDF5 schema 1.00 ."
HEADER_SIZE = 512  # bytes before the HDF5 file begins, which HDF5 calls the userblock
COMPACT_LIMIT = 64  # most values that are stored in their object's header, as MATLAB stores the values of a number


def write_digit_struct(path: str | Path, entries: Iterable[tuple[str, np.ndarray]]) -> None:
    """Write a digitStruct.mat in MATLAB's layout. The same entries give the same bytes.

    Args:
        path: the file; it takes its name only when it is complete.
        entries: as `read_digit_struct` yields them.

    Raises:
        ValueError: an entry's digits are not (1 or more, 5).
    """
    path = Path(path)
    temporary = path.with_name(path.name + ".tmp")
    try:
        with h5py.File(temporary, "w", userblock_size=HEADER_SIZE) as file:
            _write_entries(file.id, entries)
        with temporary.open("r+b") as file:
            file.write(HEADER.ljust(124) + b"\x00\x02IM")  # version 2.0, little-endian: the fields of every MAT-file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_entries(file: h5f.FileID, entries: Iterable[tuple[str, np.ndarray]]) -> None:
    writer = ReferenceWriter(h5g.create(file, b"#refs#"))
    names, boxes = [], []
    for name, digits in entries:
        if digits.ndim != 2 or digits.shape[1] != len(COLUMNS) or not len(digits):
            raise ValueError(f"digits of {name} have shape {digits.shape}: expected (1 or more, {len(COLUMNS)})")
        names.append(writer.write_name(name))
        boxes.append(writer.write_box(digits))
    root = _create_struct(file, b"digitStruct", ("name", "bbox"))
    writer.write_references(root, b"name", names)
    writer.write_references(root, b"bbox", boxes)


class ReferenceWriter:
    """Writes MATLAB's values into `#refs#`, which holds every value that is referred to, under numbers as names.

    Args:
        refs: the group `#refs#`.
    """

    def __init__(self, refs: h5g.GroupID) -> None:
        self.refs = refs
        self.count = 0

    def _make_key(self) -> bytes:
        self.count += 1
        return f"{self.count:x}".encode()

    def write_name(self, text: str) -> h5r.Reference:
        characters = np.frombuffer(text.encode("utf-16-le"), "<u2").reshape(-1, 1)
        key = self._make_key()
        dataset = _write_dataset(self.refs, key, characters, CHARACTER, b"char")
        _write_attribute(dataset, b"MATLAB_int_decode", np.array(2, np.int32))
        return h5r.create(self.refs, key, h5r.OBJECT)

    def write_box(self, digits: np.ndarray) -> h5r.Reference:
        """Write a bbox: a group whose fields hold the value of a single digit, or references to the values of several.

        Args:
            digits: float64 (digits, 5), columns as in `COLUMNS`.
        """
        key = self._make_key()
        group = _create_struct(self.refs, key, MATLAB_ORDER)
        for field in MATLAB_ORDER:
            column = digits[:, COLUMNS.index(field)]
            if len(column) == 1:
                self._write_value(group, field.encode(), column[0])
            else:
                self.write_references(
                    group, field.encode(), [self._write_value(self.refs, self._make_key(), value) for value in column]
                )
        return h5r.create(self.refs, key, h5r.OBJECT)

    def _write_value(self, group: h5g.GroupID, key: bytes, value: float) -> h5r.Reference:
        _write_dataset(group, key, np.array([[value]], np.float64), DOUBLE, b"double")
        return h5r.create(group, key, h5r.OBJECT)

    def write_references(self, group: h5g.GroupID, key: bytes, references: list[h5r.Reference]) -> None:
        column = np.empty((len(references), 1), h5py.ref_dtype)
        column[:, 0] = references
        _write_dataset(group, key, column, REFERENCE)


def _write_dataset(
    group: h5g.GroupID, key: bytes, values: np.ndarray, kind: h5t.TypeID, matlab_class: bytes = b""
) -> h5d.DatasetID:
    layout = h5p.create(h5p.DATASET_CREATE)
    layout.set_obj_track_times(False)  # or the bytes would depend on the time of writing
    if values.size <= COMPACT_LIMIT:
        layout.set_layout(h5d.COMPACT)
    stored = h5t.py_create(values.dtype, logical=True)
    dataset = h5d.create(group, key, stored, h5s.create_simple(values.shape), layout)
    dataset.write(h5s.ALL, h5s.ALL, values, kind)
    if matlab_class:
        _write_attribute(dataset, b"MATLAB_class", np.array(matlab_class))
    return dataset


def _create_struct(parent: h5g.GroupID | h5f.FileID, key: bytes, fields: Sequence[str]) -> h5g.GroupID:
    """A group that MATLAB reads as a struct with these fields, in this order."""
    group = h5g.create(parent, key)
    _write_attribute(group, b"MATLAB_class", np.array(b"struct"))
    names = np.empty(len(fields), h5py.vlen_dtype(np.dtype("S1")))
    names[:] = [np.array(list(field), "S1") for field in fields]
    _write_attribute(group, b"MATLAB_fields", names)
    return group


def _write_attribute(target: h5g.GroupID | h5d.DatasetID, key: bytes, value: np.ndarray) -> None:
    space = h5s.create_simple(value.shape) if value.shape else h5s.create(h5s.SCALAR)
    h5a.create(target, key, h5t.py_create(value.dtype, logical=True), space).write(value)
