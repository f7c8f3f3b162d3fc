"""Every data set's reader, and the sound files that tools write for it: each is read, with the same numbers."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from support.fixtures import draw_boxes
from support.layouts import NUMBERS, STRUCTS, write_struct
from support.mnist_fixtures import digits, write_csv, write_idx

from svhn.datasets import DATASETS, mnist_stacked
from svhn.datasets.formats import matlab5
from svhn.datasets.formats.digit_struct import read_digit_struct
from svhn.spec import Entry

Write = Callable[[Path], object]  # writes the source train into a folder

STRUCT_SETS = ("svhn", "svhn_full", "svhn_arranged", "svhn_scenes", "synthetic")
MNIST_STACKS = ("mnist_stacked", "mnist_stacked_vertical", "mnist_stacked_varied")
STORED = (1, 10, 9, 10, 2)  # labels of Format 2; 10 is the digit 0
TABLE = "filename,label,left,top,width,height\n1.png,210,8,10,32,20\n2.png,7,,,,\n"


def write_format1(layout: str, folder: Path) -> None:
    (folder / "train").mkdir()
    for name, rows in NUMBERS:
        draw_boxes(rows.tolist()).save(folder / "train" / name)
    STRUCTS[layout](folder / "train/digitStruct.mat", NUMBERS)


def write_format2(kind: Any, shape: tuple[int, int], packed: bool, folder: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3, len(STORED)), np.uint8)
    labels = np.array(STORED, kind).reshape(shape)
    savemat(folder / "train_32x32.mat", {"X": pixels, "y": labels}, do_compression=packed)


def pack_idx(folder: Path) -> None:
    for path in list(write_idx(folder).iterdir()):
        (folder / (path.name.replace("-idx", ".idx") + ".gz")).write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def write_table(encoding: str, end: str, folder: Path) -> None:
    (folder / "labels.csv").write_bytes(TABLE.replace("\n", end).encode(encoding))


FORMAT_2: dict[str, Write] = {
    "MATLAB": partial(write_format2, np.uint8, (-1, 1), True),
    "Octave": partial(write_format2, np.float64, (-1, 1), True),
    "SciPy, a row": partial(write_format2, np.int64, (1, -1), False),
    "SciPy, a column": partial(write_format2, np.int64, (-1, 1), False),
    "another integer": partial(write_format2, np.int16, (1, -1), True),
}
IDX: dict[str, Write] = {"plain": write_idx, "packed": pack_idx}
LAYOUTS: dict[str, dict[str, Write]] = {  # of each data set
    **{key: {layout: partial(write_format1, layout) for layout in STRUCTS} for key in STRUCT_SETS},
    "svhn_cropped": FORMAT_2,
    "mnist": {**IDX, "Kaggle": write_csv},
    **dict.fromkeys(MNIST_STACKS, IDX),
    "folder": {
        "as written here": partial(write_table, "utf-8", "\n"),
        "spreadsheet": partial(write_table, "utf-8-sig", "\r\n"),
    },
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matlab5, "call_in_process", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr(mnist_stacked, "PICTURES", {"train": 5, "valid": 5, "test": 5})


def list_pictures(name: str, folder: Path) -> list[Entry]:
    """The entries of train, without those that a data set makes of a picture beside the picture's own."""
    return [entry for entry in DATASETS[name].entries(folder, "train", 0) if entry.picture in ("", entry.name)]


def read_labels(name: str, folder: Path) -> list[tuple[str, str]]:
    """Label and problem of each entry of train."""
    return [(entry.label, entry.problem) for entry in list_pictures(name, folder)]


def expect_labels(name: str, folder: Path) -> list[tuple[str, str]]:
    if name in STRUCT_SETS:
        return [("210", ""), ("", "no digit is labeled"), ("7", "")]
    if name in MNIST_STACKS:
        return read_labels(name, write_idx(folder))
    labels = {"svhn_cropped": "10902", "mnist": digits("train")[1].astype(str).tolist(), "folder": ("210", "7")}
    return [(label, "") for label in labels[name]]


@pytest.mark.parametrize(("name", "layout"), [(name, layout) for name in DATASETS for layout in LAYOUTS[name]])
def test_a_sound_file_of_any_layout_is_read(name: str, layout: str, tmp_path: Path) -> None:
    for place in ("expected", "found"):
        (tmp_path / place).mkdir()
    LAYOUTS[name][layout](tmp_path / "found")
    assert read_labels(name, tmp_path / "found") == expect_labels(name, tmp_path / "expected")


@pytest.mark.parametrize("name", STRUCT_SETS)
@pytest.mark.parametrize("layout", STRUCTS)
def test_the_boxes_are_read_too(name: str, layout: str, tmp_path: Path) -> None:
    write_format1(layout, tmp_path)
    number, *_, last = [entry for entry in list_pictures(name, tmp_path) if entry.label]
    assert number.boxes == ((8, 10, 17, 30), (20, 10, 26, 30), (30, 10, 40, 30))
    assert last.boxes == ((20, 5, 32, 35),)


def test_a_struct_of_one_picture_holds_no_references_to_it(tmp_path: Path) -> None:
    path = tmp_path / "digitStruct.mat"
    write_struct(path, NUMBERS)
    with h5py.File(path, "r+") as opened:
        file: Any = opened
        name, box = (file[file[f"digitStruct/{kind}"][0, 0]] for kind in ("name", "bbox"))
        del file["digitStruct"]
        file["digitStruct/name"], file["digitStruct/bbox"] = name, box
    ((found, rows),) = read_digit_struct(path)
    assert found == NUMBERS[0][0]
    assert np.array_equal(rows, NUMBERS[0][1])


def test_an_array_of_one_picture_has_no_last_axis(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    savemat(tmp_path / "train_32x32.mat", {"X": picture, "y": 10.0})
    (entry,) = DATASETS["svhn_cropped"].entries(tmp_path, "train", 0)
    assert entry.label == "0"
    assert (entry.source == picture).all()
