"""PPOCRLabel's Label.txt as labels of a folder: as its own methods wrote it, and in what other layouts there are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.labeled_scene import LABELS, check_scenes, describe_folder, draw_scenes, read_entries
from support.wrangling import wrangled

from svhn.errors import UserError

CORNERS = [[10, 10], [66, 12], [64, 42], [8, 40]]


def box(text: Any = "208", points: Any = CORNERS, **fields: Any) -> dict[str, Any]:
    return {"transcription": text, "points": points, "difficult": False, **fields}


def write(folder: Path, *lines: str, file: str = "Label.txt") -> Path:
    draw_scenes(folder)
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def line(*boxes: Any, picture: str = "photos/a.png") -> str:
    return f"{picture}\t{json.dumps(boxes, ensure_ascii=False)}"


def list_numbers(folder: Path) -> list[tuple[str, str]]:
    return [(entry.label, entry.problem) for entry in read_entries(folder)]


def test_what_ppocrlabel_writes_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two folders that were opened in the tool, a picture with an Exif turn, one without boxes, and other texts."""
    data = tmp_path / "data"
    draw_scenes(data)
    shutil.copytree(LABELS / "ppocr", data, dirs_exist_ok=True)
    (data / "rec_gt.txt").write_text("crop_img/a_crop_0.jpg\t208\n")
    (data / "Cache.cach").write_text(line(box("999")))
    check_scenes(data)
    assert wrangled(data, tmp_path / "records", "--dataset=folder", "--check") == 0
    out = capsys.readouterr().out
    said = "3 pictures with 4 numbers; corners in pixels; transcriptions as whole numbers"
    assert f"{data}/Label.txt: PPOCRLabel, {said}" in out
    assert f"{data}/more/Label.txt: PPOCRLabel, 1 pictures with 1 numbers" in out
    for unused in ("1 texts without a digit", "1 boxes with the illegible '###'", "1 Cache.cach", "1 rec_gt.txt"):
        assert unused in out
    assert f"1 picture that no label names:\n  {data}/bare.png" in out


def test_corners_become_the_upright_box_around_them(tmp_path: Path) -> None:
    (entry,) = read_entries(write(tmp_path, line(box())))
    assert (entry.label, entry.source[1], entry.problem) == ("208", (8, 10, 66, 42), "")


@pytest.mark.parametrize("picture", ["a.png", "other/a.png", "C:\\photos\\a.png", "/home/me/photos/a.png"])
def test_a_picture_lies_beside_its_file(tmp_path: Path, picture: str) -> None:
    """Whatever the folder was called when it was labeled, and although another folder has a picture of this name."""
    for folder in ("north", "south"):
        write(tmp_path / folder, line(box(), picture=picture))
    assert [(entry.picture, entry.problem) for entry in read_entries(tmp_path)] == [
        ("north/a.png", ""),
        ("south/a.png", ""),
    ]


def test_a_picture_that_is_not_there_is_named(tmp_path: Path) -> None:
    ((_, problem),) = list_numbers(write(tmp_path, line(box(), picture="/photos/gone.png")))
    assert "no picture '/photos/gone.png' lies below the folder" in problem


def test_pictures_without_a_number_are_counted(tmp_path: Path) -> None:
    write(tmp_path, line(box()), line(box("Rue 東"), picture="bare.png"), "two.png\t", line(picture="lying.jpg"))
    assert list_numbers(tmp_path) == [("208", "")]
    assert "3 pictures without a number, such as 'bare.png'" in describe_folder(tmp_path)


def test_difficult_texts_are_read_and_illegible_ones_are_not(tmp_path: Path) -> None:
    write(tmp_path, line(box(difficult=True), box("*"), box("###", None)))
    assert list_numbers(tmp_path) == [("208", "")]
    for said in ("1 marks as difficult", "1 boxes with the illegible '*'", "1 boxes with the illegible '###'"):
        assert said in describe_folder(tmp_path)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (box("TEMPORARY"), "label 'TEMPORARY', expected digits"),
        (box(""), "label '', expected digits"),
        (box(None), "label '', expected digits"),
        (box("12a"), "label '12a', expected digits"),
        (box("２０８"), "label '２０８', expected digits"),
        (box(points=None), "points None, expected two numbers for each corner, in pixels"),
        (box(points=[[1, 2], ["3", 4]]), "expected two numbers for each corner"),
        (box(points=[[1, 2], [3, float("inf")]]), "expected two numbers for each corner"),
        (box(points=[[1, 2], [3, 10**400]]), "expected two numbers for each corner"),
        (box(points=[[10, 10], [10, 40]]), "expected a width and a height above 0"),
    ],
)
def test_a_bad_box_is_named(tmp_path: Path, found: dict[str, Any], said: str) -> None:
    ((_, problem),) = list_numbers(write(tmp_path, "", line(found)))
    assert problem.startswith("Label.txt, line 2, box 1: ")
    assert said in problem


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (line(box())[:-9], "the line holds no JSON"),
        (f"photos/a.png {json.dumps([box()])}", "the line has no tab: expected a picture"),
        ('photos/a.png\t{"transcription": "208"}', "the line holds {'transcription': '208'}: expected a picture"),
        ("photos/a.png\t[208]", "the line holds [208]: expected a picture"),
        (f"photos/a.png\t[{'9' * 5000}]", "the line holds no JSON"),
        (f"photos/a.png\t{'[' * 200_000}", "the line holds no JSON"),
    ],
)
def test_a_damaged_line_is_named_and_the_others_are_read(tmp_path: Path, bad: str, said: str) -> None:
    write(tmp_path, line(box("5\u2028", [[30, 8], [46, 8], [46, 32]]), picture="more/b.png"), bad)
    assert ("5", "") in list_numbers(tmp_path)
    ((_, problem),) = [each for each in list_numbers(tmp_path) if each != ("5", "")]
    assert problem.startswith("Label.txt, line 2: ")
    assert said in problem


def test_lists_give_the_splits(tmp_path: Path) -> None:
    """PPOCRLabel's own program for splits writes such files, with the paths of its machine."""
    for split in ("train", "val"):
        draw_scenes(tmp_path / split)
        write(tmp_path, line(box(), picture=f"/home/me/det/{split}/a.png"), file=f"{split}.txt")
    found = [(source, entry.picture) for source in ("train", "test") for entry in read_entries(tmp_path, source)]
    assert found == [("train", "train/a.png"), ("test", "val/a.png")]


@pytest.mark.parametrize("content", ["", "photos/a.png\t208\n", "classes\n"])
def test_other_texts_are_passed_over(tmp_path: Path, content: str) -> None:
    write(tmp_path / ".cache", line(box()))
    (tmp_path / "Label.txt").write_text(content)
    with pytest.raises(UserError, match=r"labels\.csv is missing"):
        read_entries(tmp_path)


def test_two_kinds_of_labels_are_refused(tmp_path: Path) -> None:
    shutil.copytree(LABELS / "labelme", write(tmp_path, line(box())), dirs_exist_ok=True)
    with pytest.raises(UserError, match=r"has labels of 2 kinds, .*\(labelme\) and .*Label\.txt \(PPOCRLabel\)"):
        read_entries(tmp_path)
