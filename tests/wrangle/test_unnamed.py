"""What lies in a data set's folder and is not read is named: pictures without a label, and folders of other names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image
from support.fixtures import write_format1
from support.wrangling import wrangled

UNREAD = ("more.png", "sub/raw.dng", "sub/new.jxl")
HIDDEN = ("._1.png", "notes.txt", ".thumbs/1.png")


def write_labeled(data: Path, dataset: str) -> Path:
    """Six numbers of train in the layout of a data set; returns the folder of their pictures."""
    folder = write_format1(data / "train")
    if dataset == "folder":
        lines = [f"train/{index}.png,{index},{'test' if index == 6 else 'train'}" for index in range(1, 7)]
        (data / "labels.csv").write_text("\n".join(["filename,label,split", *lines, ""]))
    return folder


def add_pictures(folder: Path) -> None:
    for name in (*UNREAD, *HIDDEN):
        (folder / name).parent.mkdir(exist_ok=True)
        Image.effect_noise((30, 20), 60).convert("RGB").save(folder / name, "png")


@pytest.mark.parametrize("dataset", ["svhn", "svhn_full", "svhn_arranged", "svhn_scenes", "folder"])
def test_pictures_that_no_label_names_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dataset: str
) -> None:
    folder = write_labeled(tmp_path / "data", dataset)
    flags = tmp_path / "data", tmp_path / "records", f"--dataset={dataset}", "--splits=train", "--max_length=8"
    assert wrangled(*flags, "--check") == 0
    assert "\n0 pictures that no label names\n" in capsys.readouterr().out
    add_pictures(folder)
    assert wrangled(*flags, "--check") == 0
    out = capsys.readouterr().out
    assert f"\n{len(UNREAD)} pictures that no label names:\n" in out
    assert all(f"  {folder / name}\n" in out for name in UNREAD)
    listing = tmp_path / "records" / dataset / "check.csv"
    assert str(listing) in out
    assert listing.read_text().count("that no label names,") == len(UNREAD)


def test_making_the_records_counts_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_pictures(write_labeled(tmp_path / "data", "folder"))
    assert wrangled(tmp_path / "data", tmp_path / "records", "--dataset=folder", "--max_length=6") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "no label names" in line)
    assert line.startswith(f"not used: {len(UNREAD)} pictures")
    assert "--check" in line


def test_a_folder_of_another_spelling_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    write_format1(data / "Train")
    assert wrangled(data, tmp_path / "records", "--check") == 1
    assert f"{data / 'Train'} is not read, expected train" in capsys.readouterr().err
    shutil.copytree(data / "Train", data / "test")
    shutil.copytree(data / "Train", data / "valid")
    assert wrangled(data, tmp_path / "records", "--check", "--max_length=6") == 0
    out = capsys.readouterr().out
    assert f"{data / 'Train'} is not read, expected train\n" in out
    assert f"{data / 'valid/digitStruct.mat'}: not read" in out
    assert f"{data / 'test/digitStruct.mat'}: labels and boxes of digits, in pixels\n" in out


@pytest.mark.parametrize("dataset", ["svhn", "svhn_full", "svhn_arranged", "svhn_scenes", "folder"])
def test_a_near_name_of_a_missing_picture_is_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dataset: str
) -> None:
    folder = write_labeled(tmp_path / "data", dataset)
    (folder / "1.png").rename(folder / "1.PNG")
    assert wrangled(tmp_path / "data", tmp_path / "records", f"--dataset={dataset}", "--check") == 1
    assert f"train/1.png: the picture is missing; '{folder / '1.PNG'}' is there" in capsys.readouterr().out
