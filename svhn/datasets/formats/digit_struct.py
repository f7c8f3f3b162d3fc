"""digitStruct.mat: the digits of each picture, in MATLAB 7.3's layout of HDF5, or in a plainer layout of other tools.

MATLAB: `digitStruct/name` and `digitStruct/bbox` are (n, 1) object references. A name is (k, 1) uint16 characters. A
bbox is a group of fields. A field is (1, 1) float64 if the number has one digit, and else (k, 1) references to such
values. In a file of one picture, `name` and `bbox` are the name and the group themselves.

Other tools: a name may be a string, a field (k, 1), (1, k) or (k,) numbers of any type, or references for one digit,
too. A bbox without digits is a group of empty fields, or an empty data set, which MATLAB marks with `MATLAB_empty`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5f, h5g, h5o, h5p, h5r, h5s, h5t  # pyright: ignore[reportAttributeAccessIssue]

from svhn.datasets.formats.faults import FormatError, LayoutError, explain_faults
from svhn.datasets.formats.matlab5 import is_matlab5
from svhn.errors import UserError, shorten

COLUMNS = ("label", "left", "top", "width", "height")  # columns of an entry's array; left to height in pixels
CACHE_SIZE = 1 << 14  # bytes; nearly every object is read once, and HDF5's default of 2 MiB is a third slower

DOUBLE, CHARACTER = h5t.NATIVE_DOUBLE, h5t.STD_U16LE
REFERENCE = h5t.py_create(h5py.ref_dtype)  # the type in memory, of h5py's reference objects
ONE_VALUE = h5s.create_simple((1, 1))
NUMBERS = (h5t.FLOAT, h5t.INTEGER)
# What h5py raises for values of another type, and at any object of a damaged file.
HDF5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)
FIELDS = f"a group of {', '.join(COLUMNS)}"


def read_digit_struct(path: str | Path) -> Iterator[tuple[str, np.ndarray]]:
    """The entries of a digitStruct.mat in the file's order, read one at a time.

    Yields:
        The picture's file name, and its digits in the file's order: float64 (digits, 5), columns as in `COLUMNS`.

    Raises:
        UserError: the file is missing, damaged or not a digitStruct.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path} is missing: run `svhn download`")
    with explain_faults(path, "svhn"), _explain_hdf5_errors(), _open_hdf5(path) as file:
        names, boxes = _list_items(file, "name"), _list_items(file, "bbox")
        if len(names) != len(boxes):
            raise LayoutError(f"{len(names)} names and {len(boxes)} bboxes", "the same number")
        for number, (name_item, box_item) in enumerate(zip(names, boxes, strict=True), start=1):
            name = _read_name(file, name_item, number)
            yield name, _read_bbox(file, box_item, name)


@contextmanager
def _explain_hdf5_errors() -> Iterator[None]:
    """Turn the errors of h5py into a `FormatError`."""
    try:
        yield
    except HDF5_ERRORS as error:
        raise FormatError(f"can't be read ({shorten(error)})") from error


@contextmanager
def _open_hdf5(path: Path) -> Iterator[h5f.FileID]:
    if not h5f.is_hdf5(os.fsencode(path)):
        raise _make_kind_error(path)
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


def _make_kind_error(path: Path) -> FormatError:
    """The error for a file that is not HDF5, with the kind of file that its first bytes show."""
    with path.open("rb") as file:
        start = file.read(128)
    if is_matlab5(start):
        return LayoutError("the header of MATLAB 5", "MATLAB 7.3 (HDF5), which MATLAB's `save -v7.3` writes")
    return FormatError(f"begins with {start[:16]!r}, expected a MATLAB 7.3 file (HDF5)")


def _list_items(file: h5f.FileID, field: str) -> list[Any]:
    """A field of digitStruct for each picture: a reference or a string; in a file of one picture, the object itself."""
    place = ""
    for part in ("digitStruct", f"/{field}"):
        parent = h5o.open(file, place.encode() or b"/")
        if not isinstance(parent, h5g.GroupID) or part.strip("/").encode() not in parent:
            raise LayoutError(f"no {place}{part}", "a group digitStruct of name and bbox")
        place += part
    found = h5o.open(file, place.encode())
    kind = _get_kind(found)
    if kind == h5t.STRING:
        return np.ravel(_read_strings(found)).tolist()
    return _read_references(found).tolist() if kind == h5t.REFERENCE else [found]


def _get_kind(item: Any) -> int | None:
    """The class of a data set's values; None for a group."""
    return item.get_type().get_class() if isinstance(item, h5d.DatasetID) else None


def _read_references(dataset: h5d.DatasetID) -> np.ndarray:
    found = np.empty(dataset.shape, h5py.ref_dtype)
    dataset.read(h5s.ALL, h5s.ALL, found, REFERENCE)
    return found.ravel()


def _read_strings(dataset: h5d.DatasetID) -> Any:
    return h5py.Dataset(dataset).asstr("utf-8")[()]


def _resolve(file: h5f.FileID, item: Any, what: str) -> Any:
    """The object that an item refers to, or the item itself if it is no reference."""
    if not isinstance(item, h5r.Reference):
        return item
    if not item:
        raise LayoutError(f"an empty reference as {what}", "a reference to a value")
    return h5r.dereference(item, file)


def _read_name(file: h5f.FileID, item: Any, number: int) -> str:
    if isinstance(item, str):
        return item
    dataset = _resolve(file, item, f"name {number}")
    kind: Any = dataset.get_type() if isinstance(dataset, h5d.DatasetID) else None
    if isinstance(kind, h5t.TypeStringID):
        return "".join(np.ravel(_read_strings(dataset)))
    if not isinstance(kind, h5t.TypeIntegerID):
        raise LayoutError(f"a name {number} that is no text", "characters or a string")
    if kind.get_size() > CHARACTER.get_size():
        return h5py.Dataset(dataset)[()].astype("<u4").tobytes().decode("utf-32-le")
    characters = np.empty(dataset.shape, "<u2")
    dataset.read(h5s.ALL, h5s.ALL, characters, CHARACTER)
    return characters.tobytes().decode("utf-16-le")


def _read_bbox(file: h5f.FileID, item: Any, name: str) -> np.ndarray:
    """One entry's digits: float64 (digits, 5)."""
    group = _resolve(file, item, f"the bbox of {name}")
    if not isinstance(group, h5g.GroupID):
        if isinstance(group, h5d.DatasetID) and _is_empty(group):
            return np.empty((0, len(COLUMNS)))
        raise LayoutError(f"no fields in the bbox of {name}", FIELDS)
    columns = [_read_field(file, group, column, f"the bbox of {name}") for column in COLUMNS]
    if len({len(column) for column in columns}) > 1:
        sizes = ", ".join(f"{field} {len(column)}" for field, column in zip(COLUMNS, columns, strict=True))
        raise LayoutError(f"fields of unequal length in the bbox of {name} ({sizes})", "a value for each digit")
    return np.array(columns).T


def _is_empty(dataset: h5d.DatasetID) -> bool:
    """Whether a data set holds no value. The values of an empty MATLAB array are its sides: `MATLAB_empty` tells."""
    return not dataset.get_space().get_simple_extent_npoints() or bool(
        h5py.Dataset(dataset).attrs.get("MATLAB_empty", False)
    )


def _read_field(file: h5f.FileID, group: h5g.GroupID, field: str, place: str) -> list[float]:
    """One field's value for each digit."""
    try:
        dataset = h5d.open(group, field.encode())
    except KeyError:
        if field.encode() in group:
            raise
        raise LayoutError(f"no {field} in {place}", FIELDS) from None
    try:
        return _read_matlab_field(file, dataset)
    except HDF5_ERRORS:
        return _read_other_field(file, dataset, field, place)


def _read_matlab_field(file: h5f.FileID, dataset: h5d.DatasetID) -> list[float]:
    if dataset.get_space().get_simple_extent_npoints() == 1:
        return [_read_number(dataset)]
    return [_read_number(h5r.dereference(digit, file)) for digit in _read_references(dataset)]


def _read_number(dataset: h5d.DatasetID) -> float:
    """A data set's only number. `ONE_VALUE` makes HDF5 refuse a data set of another size."""
    value = np.empty((1, 1))
    dataset.read(ONE_VALUE, h5s.ALL, value, DOUBLE)
    return value[0, 0]


def _read_other_field(file: h5f.FileID, dataset: h5d.DatasetID, field: str, place: str) -> list[float]:
    """A field that is not as MATLAB writes it. Raises the error of h5py again if the field is damaged."""
    if _get_kind(dataset) != h5t.REFERENCE:
        return [] if _is_empty(dataset) else _read_numbers(dataset, field, place)
    digits = [_resolve(file, digit, f"{field} in {place}") for digit in _read_references(dataset)]
    for digit in digits:
        if _get_kind(digit) not in NUMBERS or digit.get_space().get_simple_extent_npoints() != 1:
            raise LayoutError(f"{field} of another kind in {place}", "a number for each digit")
    return list(map(_read_number, digits))


def _read_numbers(dataset: h5d.DatasetID, field: str, place: str) -> list[float]:
    """The numbers of a row, a column or an array of one side."""
    found = h5py.Dataset(dataset)
    if _get_kind(dataset) not in NUMBERS or max(found.shape, default=1) != found.size:
        raise LayoutError(f"{field} {found.dtype} {found.shape} in {place}", "a row or a column of numbers")
    return np.ravel(found[()]).astype(np.float64).tolist()
