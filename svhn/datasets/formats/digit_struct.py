"""digitStruct.mat, read and written: the digits of each picture, in MATLAB 7.3's layout of HDF5.

`digitStruct/name` and `digitStruct/bbox` are (n, 1) object references. A name is (k, 1) uint16 characters. A bbox is a
group of fields. A field is (1, 1) float64 if the number has one digit, and else (k, 1) references to such values.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5p, h5r, h5s, h5t  # pyright: ignore[reportAttributeAccessIssue]

from svhn.errors import UserError

COLUMNS = ("label", "left", "top", "width", "height")  # columns of an entry's array; left to height in pixels
MATLAB_ORDER = ("height", "left", "top", "width", "label")  # order of a bbox's fields in the published files
# These bytes keep the module's old name: another text would change the checksums of files that are drawn here.
HEADER = b"MATLAB 7.3 MAT-file, written by svhn.matfile HDF5 schema 1.00 ."
HEADER_SIZE = 512  # bytes before the HDF5 file begins, which HDF5 calls the userblock
COMPACT_LIMIT = 64  # most values that are stored in their object's header, as MATLAB stores the values of a number
CACHE_SIZE = 1 << 14  # bytes; nearly every object is read once, and HDF5's default of 2 MiB is a third slower

DOUBLE, CHARACTER = h5t.NATIVE_DOUBLE, h5t.STD_U16LE
REFERENCE = h5t.py_create(h5py.ref_dtype)  # the type in memory, of h5py's reference objects
ONE_VALUE = h5s.create_simple((1, 1))


class LayoutError(Exception):
    """The file is intact HDF5, but not a digitStruct."""


def read_digit_struct(path: str | Path) -> Iterator[tuple[str, np.ndarray]]:
    """The entries of a digitStruct.mat in the file's order, read one at a time.

    Yields:
        The picture's file name, and its digits in the file's order: float64 (digits, 5), columns as in `COLUMNS`.

    Raises:
        UserError: the file is missing, damaged or not a digitStruct.
    """
    path = Path(path)
    with _explain_errors(path), _open_hdf5(path) as file:
        names, boxes = _list_references(file, b"name"), _list_references(file, b"bbox")
        if len(names) != len(boxes):
            raise LayoutError(f"has {len(names)} names and {len(boxes)} bboxes: expected the same number")
        for name_at, box_at in zip(names, boxes, strict=True):
            name = _read_name(file, name_at)
            yield name, _read_bbox(file, box_at, name)


@contextmanager
def _explain_errors(path: Path) -> Iterator[None]:
    """Turn the errors of h5py into a `UserError`. A damaged file may fail at any of its objects, with any of them."""
    try:
        yield
    except LayoutError as error:
        raise UserError(f"{path} {error}: put a digitStruct.mat in the layout of SVHN's Format 1 there") from error
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        remedy = f"remove {path.parent} and run `python -m svhn.download`"
        raise UserError(f"{path} is damaged or cut short ({error}): {remedy}") from error


@contextmanager
def _open_hdf5(path: Path) -> Iterator[h5f.FileID]:
    if not path.is_file():
        raise UserError(f"{path} is missing: run `python -m svhn.download`")
    if not h5f.is_hdf5(os.fsencode(path)):
        raise UserError(f"{path} is not a MATLAB 7.3 file (HDF5): put the published file there")
    access = h5p.create(h5p.FILE_ACCESS)
    cache = access.get_mdc_config()
    cache.set_initial_size = True
    cache.initial_size = cache.min_size = cache.max_size = CACHE_SIZE
    access.set_mdc_config(cache)
    file = h5f.open(os.fsencode(path), h5f.ACC_RDONLY, access)
    try:
        yield file
    finally:
        file.close()


def _list_references(file: h5f.FileID, field: bytes) -> np.ndarray:
    """All references of digitStruct to names, or to bboxes, at once."""
    if b"digitStruct" not in h5g.open(file, b"/") or field not in h5g.open(file, b"digitStruct"):
        raise LayoutError(f"has no digitStruct/{field.decode()}")
    return _read_references(h5d.open(file, b"digitStruct/" + field))


def _read_references(dataset: h5d.DatasetID) -> np.ndarray:
    found = np.empty(dataset.shape, h5py.ref_dtype)
    dataset.read(h5s.ALL, h5s.ALL, found, REFERENCE)
    return found.ravel()


def _read_name(file: h5f.FileID, reference: h5r.Reference) -> str:
    dataset = h5r.dereference(reference, file)
    characters = np.empty(dataset.shape, "<u2")
    dataset.read(h5s.ALL, h5s.ALL, characters, CHARACTER)
    return characters.tobytes().decode("utf-16-le")


def _read_bbox(file: h5f.FileID, reference: h5r.Reference, name: str) -> np.ndarray:
    """One entry's digits: float64 (digits, 5)."""
    group = h5r.dereference(reference, file)
    if not isinstance(group, h5g.GroupID):
        raise LayoutError(f"has no fields in the bbox of {name}: expected {', '.join(COLUMNS)}")
    columns = [_read_field(file, group, column, name) for column in COLUMNS]
    if len({len(column) for column in columns}) > 1:
        sizes = ", ".join(f"{field} {len(column)}" for field, column in zip(COLUMNS, columns, strict=True))
        raise LayoutError(f"has fields of unequal length in the bbox of {name}: {sizes}")
    return np.array(columns).T


def _read_field(file: h5f.FileID, group: h5g.GroupID, field: str, name: str) -> list[float]:
    """One field's value for each digit. `ONE_VALUE` makes HDF5 refuse a value of another size."""
    try:
        dataset = h5d.open(group, field.encode())
    except KeyError:
        if field.encode() in group:
            raise
        raise LayoutError(f"lacks {field} in the bbox of {name}") from None
    value = np.empty((1, 1))
    if dataset.get_space().get_simple_extent_npoints() == 1:
        dataset.read(ONE_VALUE, h5s.ALL, value, DOUBLE)
        return [value[0, 0]]
    values = []
    for digit in _read_references(dataset):
        h5r.dereference(digit, file).read(ONE_VALUE, h5s.ALL, value, DOUBLE)
        values.append(value[0, 0])
    return values


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
