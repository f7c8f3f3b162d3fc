"""Pascal VOC's XML as labels of a folder: as labelImg's own library wrote it, and in the layouts of other tools."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image
from support.labeled_scene import LABELS, check_scenes, describe_folder, draw_scenes, read_entries
from support.wrangling import wrangled

from svhn.errors import UserError

BOX = "<bndbox><xmin>4</xmin><ymin>5</ymin><xmax>24.5</xmax><ymax>35</ymax></bndbox>"
SEVEN = f"<object><name>7</name>{BOX}</object>"


def write(folder: Path, *objects: str, name: str = "a.png", file: str = "Annotations/a.xml", head: str = "") -> Path:
    """A file for a.png of 60 x 40 pixels."""
    path = folder / file
    for each in (path.parent, folder / "JPEGImages"):
        each.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((60, 40), 60).convert("RGB").save(folder / "JPEGImages/a.png")
    path.write_text(f"{head}<annotation><filename>{name}</filename>{''.join(objects)}</annotation>")
    return folder


def test_what_labelimg_writes_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One of its pictures has an Exif turn, and another one no number."""
    data = tmp_path / "data"
    draw_scenes(data)
    shutil.copytree(LABELS / "labelimg", data / "labels")
    check_scenes(data)
    assert wrangled(data, tmp_path / "records", "--dataset=folder", "--check") == 0
    out = capsys.readouterr().out
    assert f"{data}/labels: Pascal VOC, 5 files with 5 numbers; boxes as edges in pixels; classes 0, 1, 2" in out
    assert f"{data}/labels: not used: 1 picture without a number, such as 'bare.png'" in out


@pytest.mark.parametrize("name", ["a.png", "a", "C:\\photos\\a.png", "/home/me/photos/a.png"])
def test_pictures_are_found_by_their_names(tmp_path: Path, name: str) -> None:
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    (entry,) = read_entries(write(tmp_path, SEVEN, name=name, head=head))
    assert (entry.label, entry.picture, entry.source[1]) == ("7", "JPEGImages/a.png", (4, 5, 24.5, 35))


def test_cvats_attributes_may_give_the_number(tmp_path: Path) -> None:
    attributes = "<attributes><attribute><name>text</name><value>208</value></attribute></attributes>"
    write(tmp_path, f"<object><name>plate</name>{BOX}{attributes}</object>", f"<object><name>door</name>{BOX}</object>")
    assert [(entry.label, entry.problem) for entry in read_entries(tmp_path)] == [("208", "")]
    assert "not used: 1 boxes of 'door'" in describe_folder(tmp_path)


def test_a_number_whose_digits_nobody_typed_is_named(tmp_path: Path) -> None:
    write(tmp_path, f"<object><name>number</name>{BOX}</object>")
    assert ["label ''" in entry.problem for entry in read_entries(tmp_path)] == [True]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("<object><name>7</name></object>", "the object has no bndbox with xmin, ymin, xmax, ymax in pixels"),
        (SEVEN.replace("24.5", "x"), "the object has no bndbox with"),
        (SEVEN.replace("24.5", "3"), "the object has no bndbox with"),
        (SEVEN.replace("24.5", "nan"), "the object has no bndbox with"),
        (SEVEN.replace("24.5", "5"), "expected pixels, at least 2 wide and high"),
    ],
)
def test_a_bad_object_is_named(tmp_path: Path, found: str, said: str) -> None:
    (entry,) = read_entries(write(tmp_path, found))
    assert entry.problem.startswith("Annotations/a.xml, object 1: ")
    assert said in entry.problem


def test_a_size_that_no_picture_has_is_passed_over(tmp_path: Path) -> None:
    size = f"<size><width>{'9' * 5000}</width><height>40</height></size>"
    assert [(entry.label, entry.problem) for entry in read_entries(write(tmp_path, size, SEVEN))] == [("7", "")]


def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    (write(tmp_path, SEVEN) / "Annotations/b.xml").write_text("<annotation><filename>b.png</filename><obj")
    bad, good = read_entries(tmp_path)
    assert (good.label, good.problem) == ("7", "")
    assert "Annotations/b.xml: the file is not XML (unclosed token: line 1, column 38): export it again" in bad.problem


def test_a_list_gives_the_splits(tmp_path: Path) -> None:
    for stem, split in (("a", "train"), ("b", "val")):
        write(tmp_path, SEVEN, file=f"Annotations/{stem}.xml")
        (tmp_path / "ImageSets/Main").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"ImageSets/Main/{split}.txt").write_text(f"{stem}\n")
    (tmp_path / "ImageSets/Main/trainval.txt").write_text("a\nb\n")
    assert [len(read_entries(tmp_path, source)) for source in ("train", "test")] == [1, 1]
    assert "the 1 numbers of val become test" in describe_folder(tmp_path)


def test_a_picture_in_two_lists_is_named(tmp_path: Path) -> None:
    write(tmp_path, SEVEN, file="Annotations/a.xml")
    (tmp_path / "ImageSets/Main").mkdir(parents=True)
    for split in ("train", "test", "val"):
        (tmp_path / f"ImageSets/Main/{split}.txt").write_text("a\n" if split != "val" else "b\n")
    (entry,) = (each for source in ("train", "test") for each in read_entries(tmp_path, source))
    assert "the lists of test and train name it" in entry.problem


def test_other_xml_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "cvat.xml").write_text('<annotations><image name="a.png"/></annotations>')
    with pytest.raises(UserError, match=r"labels\.csv is missing"):
        read_entries(tmp_path)
