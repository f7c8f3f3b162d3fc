"""labelme's JSON as labels of a folder: as its own library wrote it, and with what people and other tools write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.labeled_scene import LABELS, check_scenes, describe_folder, draw_scenes, read_entries
from support.wrangling import wrangled

from svhn.errors import UserError

CORNERS = [[26.0, 40.0], [10.0, 10.0]]


def shape(label: Any, points: Any = CORNERS, kind: Any = "rectangle", **fields: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind, **fields}


def digit(label: str, left: float, top: float = 10, group: int | None = None) -> dict[str, Any]:
    return shape(label, [[left, top], [left + 16, top + 30]], group_id=group)


def write(folder: Path, *shapes: Any, file: str = "a.json", **fields: Any) -> Path:
    """A file for a.png of 120 x 60 pixels."""
    draw_scenes(folder)
    content = {"imagePath": "a.png", "imageWidth": 120, "imageHeight": 60, "shapes": shapes, **fields}
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(json.dumps(content))
    return folder


def list_numbers(folder: Path) -> list[tuple[str, str]]:
    return [(entry.label, entry.problem) for entry in read_entries(folder)]


def test_what_labelme_writes_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One picture has an Exif turn and a copy in its file, one a polygon, one no number, and one two numbers."""
    data = tmp_path / "data"
    draw_scenes(data)
    shutil.copytree(LABELS / "labelme", data, dirs_exist_ok=True)
    check_scenes(data)
    assert wrangled(data, tmp_path / "records", "--dataset=folder", "--check") == 0
    out = capsys.readouterr().out
    said = "labelme, 5 files with 5 numbers; shapes in pixels; classes 0, 1, 2, 3, 5, 8 as digits"
    assert f"{data}: {said}, joined by their places; a group_id joins digits" in out
    assert f"{data}: not used: 1 picture without a number, such as 'bare.png'" in out


def test_a_group_joins_what_places_leave_in_doubt(tmp_path: Path) -> None:
    near = [digit("2", 10), digit("0", 55)]
    assert [number for number, _ in list_numbers(write(tmp_path, *near))] == ["2", "0"]
    assert list_numbers(write(tmp_path, digit("0", 55, group=0), digit("2", 10, group=0))) == [("20", "")]
    assert list_numbers(write(tmp_path, digit("2", 10, group=1), digit("0", 27, group=2))) == [("2", ""), ("0", "")]


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ([digit("2", 10, 0, 1), digit("0", 12, 31, 1)], "stands above or below"),
        ([digit("2", 10, 10, 1), digit("0", 11, 10, 1)], "lies on"),
        ([digit("2", 10, 10, 1), digit("0", 28, 10)], "may or may not belong to"),
        ([digit("20", 10, 10, 1), digit("8", 28, 10, 1)], "its group holds another number"),
        ([digit("20", 10, 10, 1), digit("8", 12, 10, 1)], "the digits in its box spell '8', expected '20'"),
    ],
)
def test_a_group_in_doubt_is_named(tmp_path: Path, shapes: list[Any], said: str) -> None:
    problems = [problem for _, problem in list_numbers(write(tmp_path, *shapes))]
    assert problems
    assert all(said in problem for problem in problems)


@pytest.mark.parametrize(
    ("label", "description", "expected"),
    [("number", "208", "208"), ("house", "208", "208"), ("208", "208", "208"), ("2", "2", "2"), (208, None, "208")],
)
def test_a_class_or_a_description_gives_the_number(
    tmp_path: Path, label: Any, description: str | None, expected: str
) -> None:
    write(tmp_path, shape(label, description=description))
    assert [(entry.label, entry.problem, entry.source[1]) for entry in read_entries(tmp_path)] == [
        (expected, "", (10, 10, 26, 40))
    ]


def test_what_is_not_used_is_counted(tmp_path: Path) -> None:
    write(
        tmp_path,
        shape("208", description="blurred", flags={"hard": True, "far": False}),
        shape("door", kind="circle", flags={"hard": True}),
        flags={"night": True},
    )
    assert list_numbers(tmp_path) == [("208", "")]
    for said in ("2 flags 'hard'", "1 flags 'night'", "1 shapes of 'door'", "1 descriptions that are no number"):
        assert said in describe_folder(tmp_path)
    assert "far" not in describe_folder(tmp_path)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (shape("number"), "label '', expected digits"),
        (shape("number", description="2O8"), "label '2O8', expected digits"),
        (shape("2", description="208"), "label '2' and description '208', expected one number"),
        (shape("7", kind="circle"), "shape_type 'circle', expected rectangle, oriented_rectangle or polygon"),
        (shape("7", kind=["polygon"]), "shape_type ['polygon'], expected"),
        (shape("7", []), "points [], expected two numbers for each corner, in pixels"),
        (shape("7", None), "points None, expected"),
        (shape("7", [[1, 2], [3]]), "points [[1, 2], [3]], expected"),
        (shape("7", [[1, 2], [3, "4"]]), "expected two numbers for each corner"),
        (shape("7", [[1, 2], [3, float("nan")]]), "expected two numbers for each corner"),
        (shape("7", [[1, 2], [3, 10**400]]), "expected two numbers for each corner"),
        (shape("7", [[5, 5]]), "expected a width and a height above 0"),
    ],
)
def test_a_bad_shape_is_named(tmp_path: Path, found: dict[str, Any], said: str) -> None:
    ((_, problem),) = list_numbers(write(tmp_path, found))
    assert problem.startswith("a.json, shape 1: ")
    assert said in problem


@pytest.mark.parametrize("path", ["a.png", "..\\photos\\a.png", "/home/me/photos/a.png"])
def test_pictures_are_found_by_their_names(tmp_path: Path, path: str) -> None:
    (entry,) = read_entries(write(tmp_path, shape("208"), file="json/a.json", imagePath=path))
    assert (entry.picture, entry.problem) == ("a.png", "")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"imagePath": "gone.png", "imageData": "AAAA"}, "its copy in imageData is not read: add the file"),
        ({"imagePath": "/photos/gone.png", "imageData": None}, "no picture '/photos/gone.png' lies below the folder"),
        ({"imagePath": 7}, "filename '', expected a path below the folder"),
    ],
)
def test_a_picture_that_is_not_there_is_named(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    ((label, problem),) = list_numbers(write(tmp_path, shape("208"), **fields))
    assert label == "208"
    assert said in problem


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"version": "6.3.1", "shapes": [{"label": "2", "shape_type": "rect', "the file is not JSON"),
        ('{"imagePath": "b.png", "shapes": {"label": "2"}}', "expected labelme's list of objects"),
        ('{"imagePath": "b.png", "shapes": ["2"]}', "expected labelme's list of objects"),
        (f'{{"imagePath": "b.png", "shapes": [], "imageWidth": {"9" * 5000}}}', "the file is not JSON"),
        (f'{{"imagePath": "b.png", "shapes": {"[" * 200_000}', "the file is not JSON"),
    ],
)
def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path: Path, content: str, said: str) -> None:
    (write(tmp_path, shape("208")) / "b.json").write_text(content)
    assert ("208", "") in list_numbers(tmp_path)
    ((_, problem),) = [each for each in list_numbers(tmp_path) if each != ("208", "")]
    assert problem.startswith("b.json: ")
    assert said in problem


def test_a_size_that_no_picture_has_is_passed_over(tmp_path: Path) -> None:
    assert list_numbers(write(tmp_path, shape("208"), imageWidth=10**400, imageHeight="60")) == [("208", "")]


def test_folders_give_the_split(tmp_path: Path) -> None:
    write(tmp_path, shape("208"), file="test/a.json")
    assert ([entry.label for entry in read_entries(tmp_path, "test")], read_entries(tmp_path)) == (["208"], [])


def test_other_json_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, shape("208"))
    shutil.copytree(tmp_path, tmp_path / ".ipynb_checkpoints")
    (tmp_path / "notes.json").write_text('{"shapes": ["round"]}')
    assert list_numbers(tmp_path) == [("208", "")]


@pytest.mark.parametrize("other", ["label_studio/digits_json.json", "label_studio/digits_coco/result.json"])
def test_two_kinds_of_labels_are_refused(tmp_path: Path, other: str) -> None:
    shutil.copy(LABELS / other, write(tmp_path, shape("208")))
    with pytest.raises(UserError, match=r"has labels of 2 kinds, .* and .*a\.json \(labelme\)"):
        read_entries(tmp_path)
