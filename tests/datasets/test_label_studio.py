"""Label Studio's JSON and JSON-MIN as labels of a folder: as the tool exported them, and with several annotators."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.labeled_scene import (
    LABELS,
    SCENES,
    check_scenes,
    describe_folder,
    draw_scenes,
    list_rectangles,
    list_transcriptions,
    make_result,
    read_entries,
    surround,
)
from support.wrangling import wrangled

from svhn.datasets.formats.label_studio import clean_address
from svhn.errors import UserError

SCENE = SCENES[0]  # a.png, with the number 208


def write(folder: Path, *annotations: Any, address: str = "/data/upload/1/0a1b2c3d-a.png", **fields: Any) -> Path:
    """A task for a.png. An annotation is its results, or a dict."""
    draw_scenes(folder)
    works = [each if isinstance(each, dict) else {"result": each} for each in annotations]
    task = {"id": 9, "data": {"image": address}, "annotations": works, **fields}
    (folder / "export.json").write_text(json.dumps([task]))
    return folder


def relabel(digit: str, index: int = 2) -> list[dict[str, Any]]:
    """The results for a.png with another digit."""
    results = list_rectangles(SCENE)
    results[index]["value"]["rectanglelabels"] = [digit]
    return results


def list_problems(folder: Path) -> list[tuple[str, str]]:
    return [(entry.label, entry.problem.removeprefix("export.json, task 9, region ")) for entry in read_entries(folder)]


@pytest.mark.parametrize("name", ["digits_json", "digits_json_min", "ocr_json", "ocr_json_min"])
def test_what_label_studio_exports_is_read(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both templates, with predictions, skipped annotations, an Exif turn, and a picture without a number."""
    data = tmp_path / "data"
    draw_scenes(data)
    shutil.copy(LABELS / f"label_studio/{name}.json", data)
    check_scenes(data)
    assert wrangled(data, tmp_path / "records", "--dataset=folder", "--check") == 0
    out = capsys.readouterr().out
    assert f"{data}/{name}.json: Label Studio, " in out
    assert " tasks with 5 numbers; boxes in percent of the picture; single digits joined by their places" in out
    assert "1 picture that no label names:\n" in out
    assert ("5 skipped annotations" in out) == (name == "ocr_json")
    assert ("4 predictions" in out) == (name in ("ocr_json", "digits_json"))


def test_a_size_that_no_picture_has_is_passed_over(tmp_path: Path) -> None:
    result = {**make_result(SCENE, (10, 10, 66, 42), "r", "textarea", ["208"]), "original_width": 10**400}
    assert list_problems(write(tmp_path, [result])) == [("208", "")]


def test_a_turned_rectangle_becomes_the_box_around_it(tmp_path: Path) -> None:
    box, angle = (40.0, 10.0, 80.0, 30.0), math.radians(30)
    turned = make_result(SCENE, box, "r", "rectanglelabels", ["208"], turn=30)
    (entry,) = read_entries(write(tmp_path, [turned]))
    across = [0.0, 40 * math.cos(angle), -20 * math.sin(angle), 40 * math.cos(angle) - 20 * math.sin(angle)]
    down = [0.0, 40 * math.sin(angle), 20 * math.cos(angle), 40 * math.sin(angle) + 20 * math.cos(angle)]
    expected = 40 + min(across), 10 + min(down), 40 + max(across), 10 + max(down)
    assert (entry.label, entry.source[1]) == ("208", pytest.approx(expected))
    assert "1 turns of rectangles, which become the upright boxes around them" in describe_folder(tmp_path)


def test_polygons_and_missing_sizes_are_read(tmp_path: Path) -> None:
    polygon = {"id": "p", "type": "polygonlabels", "value": {"points": [[10, 20], [50, 20], [30, 80]]}}
    polygon["value"]["polygonlabels"] = ["208"]
    (entry,) = read_entries(write(tmp_path, [polygon]))
    assert (entry.label, entry.source[1]) == ("208", pytest.approx((12, 12, 60, 48)))


def test_a_text_about_the_whole_picture_is_its_number(tmp_path: Path) -> None:
    answer = {"id": "t", "type": "textarea", "from_name": "number", "value": {"text": ["208"]}}
    quality = {"id": "q", "type": "choices", "value": {"choices": ["sharp"]}}
    (entry,) = read_entries(write(tmp_path, [answer, quality]))
    assert (entry.label, entry.source[1], entry.problem) == ("208", (0, 0, 120, 60), "")
    assert "1 answers about the whole picture that are no number" in describe_folder(tmp_path)


@pytest.mark.parametrize(
    ("works", "numbers"),
    [
        ([{"result": relabel("3"), "was_cancelled": True}, {"result": relabel("8")}], ["208"]),
        ([{"result": relabel("3")}, {"result": relabel("8"), "ground_truth": True}], ["208"]),
        (
            [
                {"result": relabel("8"), "ground_truth": True, "updated_at": "2026-02"},
                {"result": relabel("3"), "ground_truth": True, "updated_at": "2026-01"},
            ],
            ["208"],
        ),
        ([{"result": relabel("8")}, {"result": list_rectangles(SCENE)}], ["208"]),
        ([{"result": relabel("3"), "skipped": True}], []),
        ([], []),
    ],
)
def test_one_annotation_of_several_counts(tmp_path: Path, works: list[dict[str, Any]], numbers: list[str]) -> None:
    write(tmp_path, *works)
    assert list_problems(tmp_path) == [(number, "") for number in numbers]
    assert ("1 picture without a number, such as 'a.png'" in describe_folder(tmp_path)) == (not numbers)


@pytest.mark.parametrize("other", [relabel("3"), []])
def test_annotations_that_disagree_are_named(tmp_path: Path, other: list[dict[str, Any]]) -> None:
    write(tmp_path, {"result": other, "updated_at": "2026-02"}, {"result": relabel("8"), "updated_at": "2026-01"})
    ((label, problem),) = list_problems(tmp_path)
    first = "203" if other else "208"
    assert label == first
    assert f"2 annotations disagree: '208; {'203' if other else 'nothing'}': mark one as ground truth" in problem


def test_what_is_not_used_is_counted(tmp_path: Path) -> None:
    brush = {"id": "b", "type": "brushlabels", "value": {"rle": [1, 2], "brushlabels": ["2"]}}
    door = make_result(SCENE, (0, 0, 90, 50), "d", "rectanglelabels", ["door"])
    plain = make_result(SCENE, (0, 0, 90, 50), "e", "rectangle", None)
    relation = {"type": "relation", "from_id": "a", "to_id": "b"}
    write(tmp_path, [*list_rectangles(SCENE), brush, door, plain, relation], predictions=[1])
    assert list_problems(tmp_path) == [("208", "")]
    assert "skipped" not in describe_folder(tmp_path)
    for said in (
        "1 regions of 'door' without a number",
        "1 regions of no class without a number",
        "1 regions that are no rectangle and no polygon",
        "1 predictions",
    ):
        assert said in describe_folder(tmp_path)


def test_a_number_whose_digits_nobody_typed_is_named(tmp_path: Path) -> None:
    write(tmp_path, [make_result(SCENE, (0, 0, 90, 50), "n", "rectanglelabels", ["number"])])
    assert list_problems(tmp_path) == [("", "n: label '', expected digits")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"value": {"x": "1", "y": 2, "width": 3, "height": 4, "text": ["208"]}},
            "expected a width and a height above 0",
        ),
        (
            {"value": {"x": 1, "y": 2, "width": 0, "height": 4, "text": ["208"]}},
            "expected a width and a height above 0",
        ),
        ({"value": {"x": 1, "y": 2, "width": 30, "height": 40, "text": ["2O8"]}}, "label '2O8', expected digits"),
        (
            {"value": {"x": 1, "y": 2, "width": 30, "height": 40, "text": ["20", "8"]}},
            "texts ['20', '8'], expected one",
        ),
        ({"image_rotation": 90}, "image_rotation 90, expected 0: turn the picture back in Label Studio"),
    ],
)
def test_a_bad_region_is_named(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    result = make_result(SCENE, (10, 10, 66, 42), "r", "textarea", ["208"])
    ((_, problem),) = list_problems(write(tmp_path, [{**result, **changes}]))
    assert problem.startswith("r: ")
    assert said in problem


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/data/upload/3/0a1b2c3d-door%20one.jpg", "/data/upload/3/0a1b2c3d-door one.jpg"),
        ("/data/local-files/?d=photos/north/1.jpg", "/photos/north/1.jpg"),
        ("https://example.org/a/1.jpg?token=x%2Fy", "/a/1.jpg"),
        ("http://localhost:8080/data/local-files/?d=photos%2F1.jpg", "/photos/1.jpg"),
        ("s3://bucket/photos/1.jpg", "/photos/1.jpg"),
        ("http://[photos/1.jpg", "http://[photos/1.jpg"),
        ("photos/1.jpg", "photos/1.jpg"),
        ("C:\\photos\\1.jpg", "C:\\photos\\1.jpg"),
    ],
)
def test_an_address_gives_the_path_of_a_picture(address: str, path: str) -> None:
    assert clean_address(address) == path


@pytest.mark.parametrize("address", ["/data/local-files/?d=x/more/b.png", "s3://bucket/b.png", "more/b.png", "b.png"])
def test_pictures_are_found_below_the_folder(tmp_path: Path, address: str) -> None:
    (entry,) = read_entries(write(tmp_path, list_rectangles(SCENES[2]), address=address))
    assert (entry.picture, entry.label, entry.problem) == ("more/b.png", "5", "")


def test_a_picture_that_is_not_there_is_named(tmp_path: Path) -> None:
    (entry,) = read_entries(write(tmp_path, list_rectangles(SCENE), address="/data/upload/1/gone.png"))
    assert "no picture '/data/upload/1/gone.png' lies below the folder" in entry.problem


def test_a_field_of_the_data_may_give_the_split(tmp_path: Path) -> None:
    write(tmp_path, list_rectangles(SCENE), data={"note": "x", "image": "a.png", "split": "test"})
    assert ([entry.label for entry in read_entries(tmp_path, "test")], read_entries(tmp_path)) == (["208"], [])


def test_texts_of_json_min_need_a_region_each(tmp_path: Path) -> None:
    draw_scenes(tmp_path)
    record = json.loads((LABELS / "label_studio/ocr_json_min.json").read_text())[0]
    record["bbox"].append({**record["bbox"][0], "x": 60})
    (tmp_path / "min.json").write_text(json.dumps([record]))
    problems = [entry.problem for entry in read_entries(tmp_path)]
    assert problems
    assert all(
        "1 texts for 2 regions, and JSON-MIN does not tell which belong together: export as JSON" in p for p in problems
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"id": 1, "annotations": [', "is not JSON"),
        ('["annotations"]', "is no list of tasks"),
    ],
)
def test_a_damaged_file_is_one_error(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "export.json").write_text(content)
    with pytest.raises(UserError, match=said):
        read_entries(tmp_path)


def test_tasks_alone_are_no_labels(tmp_path: Path) -> None:
    write(tmp_path, list_transcriptions(SCENE))
    (tmp_path / "tasks.json").write_text(json.dumps([{"data": {"image": "a.png"}, "predictions": []}]))
    assert [(entry.label, entry.source[1]) for entry in read_entries(tmp_path)] == [
        ("208", pytest.approx(surround(SCENE.numbers["208"])))
    ]
