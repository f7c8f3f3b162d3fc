"""Files of pictures: a line each, tables, annotated copies, and what becomes of those that can't be read."""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.program import call, last_line

from svhn.labels import Reading
from svhn.reading import files
from svhn.reading import reader as predict

BOX = (10.0, 5.0, 30.0, 15.0)
FOUND = Reading("27", 0.875, (0.9, 0.95), BOX)
NOTHING = Reading("", 0.75, ())


def write_pictures(folder: Path, count: int = 3) -> list[Path]:
    paths = [folder / f"{index}.png" for index in range(count)]
    for index, path in enumerate(paths):
        Image.new("RGB", (60, 40), (index, 0, 0)).save(path)
    return paths


def read(image: Image.Image) -> Reading:
    """Nothing in the first picture."""
    return FOUND if image.getpixel((0, 0)) != (0, 0, 0) else NOTHING


def rows(folder: Path) -> list[files.Row]:
    return list(files.read_files(read, write_pictures(folder), None, pytest.fail))


def test_a_line_says_the_file_the_number_and_how_sure_it_is(tmp_path: Path) -> None:
    lines = [files.format_reading(*row).removeprefix(f"{tmp_path}/") for row in rows(tmp_path)]
    assert lines == ["0.png  no number  0.750", "1.png  27  0.875", "2.png  27  0.875"]


def test_one_bad_file_is_said_and_the_others_are_read(tmp_path: Path) -> None:
    paths = write_pictures(tmp_path)
    paths[1].write_bytes(b"none")
    problems: list[str] = []
    found = list(files.read_files(read, [*paths, tmp_path / "missing.png"], None, problems.append))
    assert [path.name for path, _ in found] == ["0.png", "2.png"]
    assert problems == [
        f"{paths[1]}: the file is not a picture, or of no known kind",
        f"{tmp_path}/missing.png: the picture is missing",
    ]


def test_a_table_as_csv(tmp_path: Path) -> None:
    files.write_readings(tmp_path / "deep/table.CSV", rows(tmp_path))
    with (tmp_path / "deep/table.CSV").open(newline="", encoding="utf-8") as file:
        none, first, _ = csv.DictReader(file)
    assert first == {
        "file": f"{tmp_path}/1.png",
        "number": "27",
        "confidence": "0.875000",
        **dict(zip(("left", "top", "right", "bottom"), ("10.0", "5.0", "30.0", "15.0"), strict=True)),
        "digit_confidences": "0.9000 0.9500",
    }
    assert (none["number"], none["confidence"], none["left"], none["digit_confidences"]) == ("", "0.750000", "", "")


def test_a_table_as_json(tmp_path: Path) -> None:
    files.write_readings(tmp_path / "table.json", rows(tmp_path))
    none, first, _ = json.loads((tmp_path / "table.json").read_text())
    assert first == {
        "file": f"{tmp_path}/1.png",
        "number": "27",
        "confidence": 0.875,
        "box": list(BOX),
        "digit_confidences": [0.9, 0.95],
    }
    assert (none["number"], none["box"], none["digit_confidences"]) == ("", None, [])


def test_copies_show_the_box_and_the_number(tmp_path: Path) -> None:
    paths = write_pictures(tmp_path)
    list(files.read_files(read, paths, tmp_path / "copies", pytest.fail))
    copy, nothing = (np.asarray(Image.open(tmp_path / f"copies/{name}.png")) for name in (1, 0))
    assert copy.shape == nothing.shape == (200, 300, 3)  # five times as large
    red = (copy == files.BOX_COLOR).all(axis=2)
    for x, y in ((50, 40), (50, 75), (150, 25), (150, 75), (100, 25), (100, 75)):
        assert red[y, x]
    assert red[:24].any()  # the number, above
    assert not red[77:].any()
    assert (nothing == files.BOX_COLOR).all(axis=2).any()  # it says so


def test_pictures_of_one_name_have_copies_of_their_own(tmp_path: Path) -> None:
    paths = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        paths += write_pictures(tmp_path / name, 1)
    list(files.read_files(read, paths, tmp_path / "copies", pytest.fail))
    assert sorted(path.name for path in (tmp_path / "copies").iterdir()) == ["0 (2).png", "0.png"]


def test_no_copy_takes_the_name_of_another(tmp_path: Path) -> None:
    first, second = write_pictures(tmp_path, 2)
    paths = [first.rename(tmp_path / "door (2).png"), second.rename(tmp_path / "door.png")]
    paths.append(tmp_path / "door.jpg")
    Image.new("RGB", (60, 40)).save(paths[-1])
    list(files.read_files(read, paths, tmp_path / "copies", pytest.fail))
    assert len(list((tmp_path / "copies").iterdir())) == 3


def test_a_name_in_no_encoding_is_read_and_saved(tmp_path: Path) -> None:
    """As old archives leave them: bytes that are no UTF-8."""
    path = write_pictures(tmp_path, 2)[1].rename(tmp_path / os.fsdecode(b"T\xfcr.png"))
    damaged, problems = tmp_path / os.fsdecode(b"\xfc.png"), []
    damaged.write_bytes(b"no picture")
    found = list(files.read_files(read, [path, damaged], tmp_path / "copies", problems.append))
    assert files.format_reading(*found[0]).encode().endswith("T\ufffdr.png  27  0.875".encode())
    assert [problem.partition(": ")[0] for problem in problems] == [f"{tmp_path}/\ufffd.png"]
    for name in ("table.csv", "table.json"):
        files.write_readings(tmp_path / name, found)
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    (entry,) = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    assert row["file"] == entry["file"] == f"{tmp_path}/T\ufffdr.png"
    assert row["number"] == entry["number"] == "27"


def test_ctrl_c_before_the_first_picture_is_read_leaves_the_earlier_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictures(tmp_path)
    table = tmp_path / "table.csv"
    table.write_text("of many hours\n")

    def interrupted(*_: object) -> Reading:
        raise KeyboardInterrupt

    monkeypatch.setattr(predict.Reader, "read_one", interrupted)
    assert call(tmp_path, "--mode=predict", f"--images={tmp_path}", f"--output={table}") == 130
    assert table.read_text() == "of many hours\n"


def test_a_finder_is_the_name_of_one_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = write_pictures(tmp_path, 1)
    assert call(tmp_path, "--mode=predict", f"--images={path}", "--finder=../x") == 1
    assert last_line(capsys).startswith("error: --finder='../x': expected the name of one folder")


def test_copies_do_not_go_where_the_pictures_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = write_pictures(tmp_path, 1)
    before = path.read_bytes()
    assert call(tmp_path, "--mode=predict", f"--images={path}", f"--annotate={tmp_path}/../{tmp_path.name}") == 1
    assert re.search(r"--annotate=.*name another folder", last_line(capsys))
    assert path.read_bytes() == before


def test_no_pictures_are_said_before_anything_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, "--mode=predict", f"--images={tmp_path}") == 1
    assert f"{tmp_path}: no picture" in last_line(capsys)
    assert call(tmp_path, "--mode=predict", "--images=door.jpg", "--output=table.txt") == 1
    assert re.search(r"--output=table\.txt: expected .*\.csv or \.json", last_line(capsys))
