"""COCO's JSON as labels of a folder: as Label Studio's converter wrote it, and with all that other tools write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.labeled_scene import LABELS, SPEC, check_scenes, describe_folder, draw_scenes, read_entries
from support.wrangling import wrangled

from svhn.errors import UserError

DIGITS = [{"id": digit + 1, "name": str(digit)} for digit in range(10)]  # COCO's ids begin with 1


def write_coco(folder: Path, name: str = "labels.json", **lists: Any) -> Path:
    """A file of COCO with the picture a.png of 100 x 50 pixels; `lists` replace its own."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not (folder / "a.png").exists():
        Image.effect_noise((100, 50), 60).convert("RGB").save(folder / "a.png")
    usual = {"images": [make_image(7)], "annotations": [], "categories": DIGITS}
    path.write_text(json.dumps({**usual, **lists}))
    return path


def make_image(key: int, name: str = "a.png", **fields: Any) -> dict[str, Any]:
    return {"id": key, "file_name": name, "width": 100, "height": 50, **fields}


def make_box(digit: int, left: float, **fields: Any) -> dict[str, Any]:
    return {"id": int(left), "image_id": 7, "category_id": digit + 1, "bbox": [left, 5, 10, 20], **fields}


def test_what_label_studio_exports_is_read_entries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One of its pictures has an Exif turn, and another one no number."""
    draw_scenes(tmp_path / "data")
    shutil.copy(LABELS / "label_studio/digits_coco/result.json", tmp_path / "data")
    check_scenes(tmp_path / "data")
    assert wrangled(tmp_path / "data", tmp_path / "records", "--dataset=folder", "--check") == 0
    out = capsys.readouterr().out
    path = tmp_path / "data/result.json"
    assert f"{path}: COCO, 5 pictures with 5 numbers; boxes as x, y, width and height in pixels; classes 0, 1, 2" in out
    assert f"{path}: not used: 1 picture without a number, such as 'bare.png'\n" in out
    assert "1 picture that no label names:\n" in out


def test_ids_may_have_gaps_and_boxes_are_pixels_from_zero(tmp_path: Path) -> None:
    write_coco(tmp_path, annotations=[make_box(2, 0), make_box(0, 12)], categories=[*DIGITS, {"id": 40, "name": "9"}])
    (entry,) = read_entries(tmp_path)
    assert (entry.label, entry.source) == ("20", (f"{tmp_path}/a.png", (0, 5, 22, 25), (100, 50)))


@pytest.mark.parametrize(
    "fields",
    [
        {"attributes": {"text": "208"}},
        {"attributes": {"number": 208, "occluded": False}},
        {"caption": " 208 ", "label": True},
        {"category_id": 50},
        {"utf8_string": "208", "category_id": 51},
    ],
)
def test_a_text_or_the_name_of_a_class_may_be_the_number(tmp_path: Path, fields: dict[str, Any]) -> None:
    classes = [*DIGITS, {"id": 50, "name": "208"}, {"id": 51, "name": "plate"}]
    write_coco(tmp_path, annotations=[make_box(1, 4, **fields), make_box(5, 15)], categories=classes)
    assert [(entry.label, entry.source[1]) for entry in read_entries(tmp_path)] == [
        ("208", (4, 5, 14, 25)),
        ("5", (15, 5, 25, 25)),
    ]


def test_what_is_not_used_is_counted(tmp_path: Path) -> None:
    door = {"category_id": 60}
    boxes = [make_box(1, 4), make_box(1, 4, iscrowd=1), make_box(1, 4, **door), make_box(1, 9, **door)]
    path = write_coco(tmp_path, annotations=boxes, categories=[*DIGITS, {"id": 60, "name": "door"}])
    assert [entry.label for entry in read_entries(tmp_path)] == ["1"]
    assert f"{path}: not used: 2 boxes of 'door', 1 boxes of crowds" in describe_folder(tmp_path)


def test_a_number_whose_digits_nobody_typed_is_named(tmp_path: Path) -> None:
    number = {"category_id": 60, "attributes": {"text": ""}}
    boxes = [
        make_box(1, 40, **number),
        make_box(1, 4, bbox=[2, 4, 30, 24], category_id=60),
        make_box(1, 5),
        make_box(2, 17),
    ]
    write_coco(tmp_path, annotations=boxes, categories=[*DIGITS, {"id": 60, "name": "number"}])
    assert [(entry.label, "label ''" in entry.problem) for entry in read_entries(tmp_path)] == [
        ("", True),
        ("12", False),
    ]


def test_an_outline_gives_the_box_where_there_is_none(tmp_path: Path) -> None:
    outlined = make_box(3, 1, segmentation=[[1, 2, 11, 2, 6, 30]])
    del outlined["bbox"]
    write_coco(tmp_path, annotations=[outlined])
    assert read_entries(tmp_path)[0].source[1] == (1, 2, 11, 30)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"bbox": [1, 2, 3]}, "bbox [1, 2, 3], expected x, y, width and height in pixels"),
        ({"bbox": [1, 2, 10**400, 9]}, "expected x, y, width and height in pixels"),
        ({"bbox": [1, 2, float("nan"), 9]}, "expected x, y, width and height in pixels"),
        ({"bbox": [1, 2, 0, 9]}, "bbox [1, 2, 0, 9], expected"),
        ({"bbox": [1, 2, "3", 9]}, "bbox [1, 2, '3', 9], expected"),
        ({"bbox": [0.1, 0.1, 0.5, 0.5]}, "expected pixels, at least 2 wide and high"),
        ({"category_id": 99}, "category_id 99, expected one of 10 classes"),
        ({"category_id": [1]}, "category_id [1], expected one of 10 classes"),
        ({"image_id": 8}, "its image_id is not among the images"),
        ({"attributes": {"text": "12a"}}, "label '12a', expected digits"),
    ],
)
def test_a_bad_annotation_is_named_and_the_others_are_read_entries(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    images = [make_image(7), make_image(9, "b.png")]
    (tmp_path / "b.png").touch()
    write_coco(tmp_path, images=images, annotations=[make_box(1, 4, **fields), make_box(5, 30, image_id=9)])
    problems = {entry.label: entry.problem for entry in read_entries(tmp_path)}
    assert problems.pop("5") == ""
    ((_, problem),) = problems.items()
    assert problem.startswith("labels.json, annotation 4: ")
    assert said in problem


def test_sizes_of_another_picture_are_refused(tmp_path: Path) -> None:
    write_coco(tmp_path, images=[make_image(7, width=50, height=100)], annotations=[make_box(1, 4)])
    with pytest.raises(ValueError, match=r"for 50 x 100 pixels, and the picture has 100 x 50, upright as its Exif tag"):
        SPEC.load(read_entries(tmp_path)[0], (20, 20), 0.0)


def test_boxes_of_a_smaller_copy_are_scaled(tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    size = {"width": 40, "height": 20}  # of a.png, a third
    boxes = [make_box(8, left, bbox=[left, top, 5.33, 10]) for left, top in ((3.33, 3.33), (10, 4), (16.67, 3.33))]
    write_coco(tmp_path, images=[{**make_image(7), **size}], annotations=boxes)
    crop = SPEC.load(read_entries(tmp_path)[0], (30, 56), 0.0)
    assert abs(crop[15, [8, 48]].astype(int) - [[60], [180]]).max() < 4  # the gray levels of 2 and 8


def test_pictures_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "b.png").touch()
    names = ("C:\\photos\\x\\b.png", "/home/me/y/b.png", "b.png", "z/b.png", "../c.png", "/home/me/0a1b2c3d-d.png")
    (tmp_path / "d.png").touch()
    images = [make_image(key, name) for key, name in enumerate(names)]
    write_coco(tmp_path, images=images, annotations=[make_box(1, 4, image_id=key) for key in range(len(names))])
    found = {entry.picture: entry.problem for entry in read_entries(tmp_path)}
    assert (found["x/b.png"], found["y/b.png"], found["d.png"]) == ("", "", "")
    assert "'b.png' may be 'x/b.png', 'y/b.png': expected one picture of this name" in found["b.png"]
    assert "no picture 'z/b.png' lies below the folder; its name has 'x/b.png', 'y/b.png'" in found["z/b.png"]
    assert "no picture '../c.png' lies below the folder" in found["../c.png"]


def test_a_picture_that_two_people_labeled_has_its_numbers_once(tmp_path: Path) -> None:
    boxes = [make_box(1, 4), make_box(1, 4, image_id=8), make_box(2, 50), make_box(3, 51, image_id=8)]
    write_coco(tmp_path, images=[make_image(7), make_image(8)], annotations=boxes)
    assert [(entry.label, "lies on" in entry.problem) for entry in read_entries(tmp_path)] == [
        ("1", False),
        ("23", True),
    ]


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (("annotations/instances_train2017.json", "annotations/instances_val2017.json"), {"train": 1, "test": 1}),
        (("train/_annotations.coco.json", "valid/_annotations.coco.json"), {"train": 1, "test": 1}),
        (("train/t.json", "valid/v.json", "test/e.json"), {"train": 2, "test": 1}),
        (("all.json",), {"train": 1, "test": 0}),
    ],
)
def test_folders_and_names_give_the_splits(tmp_path: Path, names: tuple[str, ...], numbers: dict[str, int]) -> None:
    for name in names:
        write_coco(tmp_path, name, annotations=[make_box(1, 4)])
    assert {source: len(read_entries(tmp_path, source)) for source in ("train", "test")} == numbers
    assert SPEC.present(tmp_path, "test") == bool(numbers["test"])
    if len(names) > 1:
        joined = "train" if len(names) == 3 else "test"
        assert f"the 1 numbers of val become {joined}" in describe_folder(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"images": [], "annotations": [{"id"', "is not JSON"),
        ('{"images": [], "annotations": [], "other": 1}', "has no list of objects called categories"),
        ('{"images": [], "annotations": [1], "categories": []}', "has no list of objects called annotations"),
    ],
)
def test_a_damaged_file_is_one_error(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "labels.json").write_text(content)
    with pytest.raises(UserError, match=said):
        read_entries(tmp_path)


def test_classes_that_may_be_svhns_are_refused(tmp_path: Path) -> None:
    write_coco(tmp_path, categories=[{"id": digit, "name": str(digit)} for digit in range(1, 11)])
    with pytest.raises(UserError, match="classes 1 to 10 and no 0: rename the class 10"):
        read_entries(tmp_path)


def test_labels_of_two_kinds_are_refused(tmp_path: Path) -> None:
    path = write_coco(tmp_path, annotations=[make_box(1, 4)])
    (tmp_path / "labels.csv").write_text("filename,label\na.png,1\n")
    with pytest.raises(
        UserError, match=r"labels of 2 kinds, .*labels\.csv .* and .*labels\.json \(COCO\): move all"
    ) as error:
        read_entries(tmp_path)
    assert str(path) in str(error.value)


def test_another_json_file_is_not_taken_for_labels(tmp_path: Path) -> None:
    write_coco(tmp_path, annotations=[make_box(1, 4)])
    (tmp_path / "notes.json").write_text('{"categories": [], "info": {"contributor": "Label Studio"}}')
    assert [entry.label for entry in read_entries(tmp_path)] == ["1"]
