"""digitStruct.mat: equal to the plain way of reading it, written as MATLAB writes it, and clear about what is wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from svhn.datasets.formats.digit_struct import COLUMNS, read_digit_struct
from svhn.datasets.formats.digit_struct_writer import write_digit_struct
from svhn.errors import UserError

OTHER, UNREADABLE = "is in another layout: it has", "can't be read ("
BY_MATLAB = Path(__file__).parents[3] / "shared/data/svhn/digitstruct_by_matlab"
ENTRIES = [
    ("1.png", np.array([[2, 8, 10, 9, 20], [1, 20, 11, 6, 20.5], [10, 30, -2, 10, 20]], np.float64)),
    ("22.png", np.array([[7, 20, 5, 12, 30]], np.float64)),
    ("über ①.png", np.arange(30, dtype=np.float64).reshape(6, 5)),
]


def hdf5(path: Path, mode: str = "r") -> Any:
    return h5py.File(path, mode)  # typed Any, as what lies at a key may be a group or a data set


def read_plainly(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """As the layout is described, one value after the other."""
    with hdf5(path) as file:
        for name, box in zip(file["digitStruct/name"][:, 0], file["digitStruct/bbox"][:, 0], strict=True):
            fields = [file[box][column][:, 0] for column in COLUMNS]
            columns = [field if len(field) == 1 else [file[value][0, 0] for value in field] for field in fields]
            yield "".join(map(chr, file[name][:, 0])), np.array(columns, np.float64).T


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_digit_struct(tmp_path / "digitStruct.mat", ENTRIES)
    return tmp_path / "digitStruct.mat"


def same(entries: Iterator[tuple[str, np.ndarray]], expected: list[tuple[str, np.ndarray]]) -> bool:
    pairs = zip(entries, expected, strict=True)
    return all(a == b and x.dtype == y.dtype and np.array_equal(x, y) for (a, x), (b, y) in pairs)


def test_reads_what_it_wrote(path: Path) -> None:
    assert same(read_digit_struct(path), ENTRIES)
    assert same(read_plainly(path), ENTRIES)


@pytest.mark.parametrize(("name", "count", "digits"), [("train.mat", 39, 83), ("extra.mat", 40, 106)])
def test_reads_matlabs_files_as_the_plain_way_does(name: str, count: int, digits: int, tmp_path: Path) -> None:
    if not BY_MATLAB.is_dir():
        pytest.skip("../shared/data, with files written by MATLAB, is not there")
    expected = list(read_plainly(BY_MATLAB / name))
    assert (len(expected), sum(len(rows) for _, rows in expected)) == (count, digits)
    assert same(read_digit_struct(BY_MATLAB / name), expected)
    write_digit_struct(tmp_path / name, read_digit_struct(BY_MATLAB / name))
    assert same(read_digit_struct(tmp_path / name), expected)


def test_writes_matlabs_layout(path: Path) -> None:
    header = path.read_bytes()[:128]
    assert header.startswith(b"MATLAB 7.3 MAT-file")
    assert header[124:] == b"\x00\x02IM"
    with hdf5(path) as file:
        assert file.userblock_size == 512
        assert set(file) == {"#refs#", "digitStruct"}
        assert struct_fields(file["digitStruct"]) == ["name", "bbox"]
        name, one, many = (file[file[f"digitStruct/{key}"][i, 0]] for key, i in (("name", 0), ("bbox", 1), ("bbox", 0)))
        assert (name.shape, name.dtype, name.attrs["MATLAB_class"]) == ((5, 1), np.uint16, b"char")
        assert name.attrs["MATLAB_int_decode"] == 2
        assert struct_fields(one) == struct_fields(many) == ["height", "left", "top", "width", "label"]
        assert (one["left"].shape, one["left"].dtype, one["left"].attrs["MATLAB_class"]) == ((1, 1), float, b"double")
        assert (many["left"].shape, many["left"].dtype) == ((3, 1), h5py.ref_dtype)
        assert file[many["left"][2, 0]].name.startswith("/#refs#/")


def struct_fields(group: Any) -> list[str]:
    assert group.attrs["MATLAB_class"] == b"struct"
    return [b"".join(name).decode() for name in group.attrs["MATLAB_fields"]]


def test_the_same_entries_give_the_same_bytes(path: Path, tmp_path: Path) -> None:
    time.sleep(1.01)  # HDF5's times, if they were written, are whole seconds
    write_digit_struct(tmp_path / "again.mat", ENTRIES)
    assert path.read_bytes() == (tmp_path / "again.mat").read_bytes()


def test_a_failed_write_leaves_what_was_there(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"digits of 2\.png have shape \(0, 5\): expected \(1 or more, 5\)"):
        write_digit_struct(path, [*ENTRIES, ("2.png", np.empty((0, 5)))])
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["digitStruct.mat"]


def assert_refused(path: Path, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        list(read_digit_struct(path))
    assert len(str(caught.value)) - len(str(path)) < 400
    path.unlink(missing_ok=True)  # and nothing holds it open


def test_missing(tmp_path: Path) -> None:
    path = tmp_path / "digitStruct.mat"
    assert_refused(path, f"{path} is missing: run `svhn download`")


@pytest.mark.parametrize("content", [b"", b"1.png 210", b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + bytes(900)])
def test_not_hdf5(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "digitStruct.mat"
    path.write_bytes(content)
    found = f"begins with {content[:16]!r}" if len(content) < 128 else f"{OTHER} the header of MATLAB 5"
    assert_refused(path, f"{path} {found}, expected")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.99])
def test_cut_short(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert_refused(path, f"{path} {UNREADABLE}")


def damage(path: Path, find: Callable[[Any], Any]) -> None:
    """Overwrite the header of the object that `find` picks from the file."""
    with hdf5(path) as file:
        start = h5py.h5o.get_info(find(file).id).addr + file.userblock_size  # pyright: ignore[reportAttributeAccessIssue]
    content = bytearray(path.read_bytes())
    content[start : start + 16] = b"\xff" * 16
    path.write_bytes(content)


def test_damaged_in_the_middle_of_reading(path: Path) -> None:
    damage(path, lambda file: file[file[file["digitStruct/bbox"][2, 0]]["top"][5, 0]])
    entries = read_digit_struct(path)
    assert [next(entries)[0], next(entries)[0]] == ["1.png", "22.png"]
    with pytest.raises(UserError, match=r"can't be read .* folder with `svhn download --dataset=svhn"):
        next(entries)


def test_a_damaged_field_is_not_reported_as_missing(path: Path) -> None:
    damage(path, lambda file: file[file["digitStruct/bbox"][1, 0]]["left"])
    assert_refused(path, UNREADABLE)


@pytest.mark.parametrize("field", ["name", "bbox"])
def test_lacks_names_or_boxes(path: Path, field: str) -> None:
    with hdf5(path, "r+") as file:
        del file["digitStruct"][field]
    assert_refused(path, f"{path} {OTHER} no digitStruct/{field}, expected")


def test_another_hdf5_file(tmp_path: Path) -> None:
    with hdf5(tmp_path / "x.mat", "w") as file:
        file["X"] = np.zeros(3)
    assert_refused(tmp_path / "x.mat", f"{OTHER} no digitStruct")


def test_more_names_than_boxes(path: Path) -> None:
    with hdf5(path, "r+") as file:
        fewer = file["digitStruct/bbox"][:2]
        del file["digitStruct/bbox"]
        file["digitStruct"].create_dataset("bbox", data=fewer, dtype=h5py.ref_dtype)
    assert_refused(path, f"{OTHER} 3 names and 2 bboxes, expected")


@pytest.mark.parametrize("field", COLUMNS)
@pytest.mark.parametrize(("entry", "name"), [(0, "1.png"), (1, "22.png")])
def test_a_box_lacks_a_field(path: Path, field: str, entry: int, name: str) -> None:
    with hdf5(path, "r+") as file:
        del file[file["digitStruct/bbox"][entry, 0]][field]
    assert_refused(path, f"{path} {OTHER} no {field} in the bbox of {name}, expected")


def test_fields_of_unequal_length(path: Path) -> None:
    with hdf5(path, "r+") as file:
        box = file[file["digitStruct/bbox"][0, 0]]
        fewer = box["width"][:2]
        del box["width"]
        box.create_dataset("width", data=fewer, dtype=h5py.ref_dtype)
    sizes = "label 3, left 3, top 3, width 2, height 3"
    assert_refused(path, f"{OTHER} fields of unequal length in the bbox of 1.png ({sizes})")


@pytest.mark.parametrize("field", ["name", "bbox"])
def test_a_reference_to_nothing(path: Path, field: str) -> None:
    with hdf5(path, "r+") as file:
        file["digitStruct"][field][1, 0] = h5py.Reference()
    assert_refused(path, f"{OTHER} an empty reference as {'name 2' if field == 'name' else 'the bbox of 22.png'}")


def test_a_name_that_is_a_group(path: Path) -> None:
    with hdf5(path, "r+") as file:
        file["digitStruct/name"][1, 0] = file["digitStruct/bbox"][1, 0]
    assert_refused(path, f"{OTHER} a name 2 that is no text")


def test_a_box_that_is_no_group(path: Path) -> None:
    with hdf5(path, "r+") as file:
        file["digitStruct/bbox"][1, 0] = file["digitStruct/name"][1, 0]
    assert_refused(
        path, f"{OTHER} no fields in the bbox of 22.png, expected a group of label, left, top, width, height"
    )


@pytest.mark.parametrize("values", [np.zeros((2, 2)), np.zeros((1, 1), "S1"), np.zeros((2, 1), bool)])
def test_values_that_are_no_numbers_or_references(path: Path, values: np.ndarray) -> None:
    with hdf5(path, "r+") as file:
        box = file[file["digitStruct/bbox"][1, 0]]
        del box["left"]
        box["left"] = values
    assert_refused(path, f"{OTHER} left ")


def test_a_value_larger_than_one_number(path: Path) -> None:
    with hdf5(path, "r+") as file:
        file["#refs#/large"] = np.zeros((400, 1))
        file[file["digitStruct/bbox"][0, 0]]["left"][1, 0] = file["#refs#/large"].ref
    assert_refused(path, f"{OTHER} left of another kind in the bbox of 1.png, expected a number for each digit")
