"""Pre-labels: what the tools' own libraries and `--dataset=folder` find in them, and what is refused or left out."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO
from support.program import call, last_line
from support.stub_reader import EMPTY, FOUND, LONG, REFUSED, SEVERAL, THREE, TURNED, StubReader, write_picture

from svhn.cli import flag_table, reading_commands
from svhn.cli.flags import main
from svhn.datasets.folder import FOLDER
from svhn.labels import Number, Reading, list_corners
from svhn.reading import prelabels
from svhn.reading.prelabel_formats import FORMATS, LabeledPicture, Origin
from svhn.runtime import shell

ORIGIN = Origin("svhn, released", "/data/local-files/?d=")

CHECK = ("wrangle", "--dataset=folder", "--check")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pictures with numbers, two without one, and a file that is no picture; read without networks."""
    monkeypatch.setattr(reading_commands, "_load_reader", lambda _: StubReader())
    folder = tmp_path / "photos"
    for name, red in (("1 é#.png", 2), ("refused.png", REFUSED), ("three.png", THREE), ("a/none.png", EMPTY)):
        write_picture(folder / name, red)
    (folder / "a/bad.png").write_text("none")
    return folder


def read(photos: Path, kind: str, output: Path, *flags: str) -> int:
    return call(photos.parent, "read", str(photos), f"--as={kind}", f"--output={output}", *flags)


def make(kind: str, *numbers: Number, size: tuple[int, int] = (60, 40)) -> dict[str, str]:
    """The files of one picture, `a.png`."""
    return FORMATS[kind].make_files([LabeledPicture("a.png", size, numbers, 0.5)], "out.json", ORIGIN)


def measure_places(number: Number, size: tuple[int, int]) -> dict[str, Any]:
    """What the tasks of Label Studio hold as the number's place."""
    (task,) = json.loads(make("label-studio", number, size=size)["out.json"])
    value = task["predictions"][0]["result"][0]["value"]
    assert value.pop("rectanglelabels") == ["number"]
    return value


def test_the_flag_lists_the_formats() -> None:
    assert flag_table.CHOICES["as"] == (flag_table.TABLE, *FORMATS)


def test_tasks_of_label_studio_come_the_least_sure_first(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = photos / "tasks.json"
    assert read(photos, "label-studio", target) == 1
    ended = capsys.readouterr().err
    assert f"{target} holds 4 numbers of 4 pictures" in ended
    assert "1 of 5 files could not be read or labeled" in ended
    assert "a/bad.png" in ended
    tasks = json.loads(target.read_text(encoding="utf-8"))
    names = ["refused.png", "three.png", "1%20%C3%A9%23.png", "a/none.png"]
    assert [task["data"]["image"] for task in tasks] == [f"/data/local-files/?d={name}" for name in names]
    (refused,), (three,), (one,), (none,) = (task["predictions"] for task in tasks)
    assert [each["score"] for each in (refused, three, one, none)] == [0.05, 0.6, 0.875, 0.987654]
    assert refused["result"] == none["result"] == []
    assert [each["id"] for each in three["result"]] == [f"number-{index}" for index in (1, 1, 2, 2, 3, 3)]
    box, text = one["result"]
    assert (box["type"], box["value"]["rectanglelabels"], box["score"]) == ("rectanglelabels", ["number"], 0.875)
    assert (text["type"], text["value"]["text"], text["id"]) == ("textarea", ["27"], box["id"])
    assert (box["original_width"], box["original_height"], box["image_rotation"]) == (60, 40, 0)
    assert (photos / "tasks.label_config.xml").read_text().startswith("<View>")


def test_addresses_of_pictures_start_as_the_user_asks(photos: Path) -> None:
    assert read(photos, "label-studio", photos / "t.json", "--picture_address=http://host/p/") == 1
    tasks = json.loads((photos / "t.json").read_text())
    assert tasks[0]["data"]["image"] == "http://host/p/refused.png"


def test_an_address_stays_as_it_is_for_label_studio_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    address = "https://host/door 1.png"
    target = prelabels.plan_prelabels("label-studio", str(tmp_path / "t.json"), [address])
    files = FORMATS["label-studio"].make_files([LabeledPicture(target.names[address], (9, 9), (), 1)], "t", ORIGIN)
    assert json.loads(files["t"])[0]["data"]["image"] == address
    assert call(tmp_path, "read", address, "--as=coco", f"--output={tmp_path}/t.json") == 1
    assert "copy" in last_line(capsys)


def test_a_box_of_label_studio_is_in_percent_and_turned_about_its_corner() -> None:
    upright = {"x": 16.6667, "y": 12.5, "width": 33.3333, "height": 25.1, "rotation": 0.0}
    assert measure_places(FOUND, (60, 40)) == upright
    turned = {"x": 66.6667, "y": 50.0, "width": 16.6667, "height": 12.5, "rotation": 36.9}
    assert measure_places(TURNED, (60, 40)) == turned
    upside_down = FOUND._replace(corners=((30, 15), (10, 15), (10, 5), (30, 5)))
    assert measure_places(upside_down, (60, 40)) == {
        **{"x": 50.0, "y": 37.5, "width": 33.3333, "height": 25.0, "rotation": 180.0}
    }


def test_a_box_of_label_studio_stays_within_a_hundred_percent() -> None:
    outside = FOUND._replace(corners=list_corners((-6.0, -4.0, 66.0, 20.0)))
    assert measure_places(outside, (60, 40)) == {"x": 0, "y": 0, "width": 100, "height": 50, "rotation": 0}
    long = FOUND._replace(corners=((20.0, 2.0), (20.0, 98.0), (5.0, 98.0), (5.0, 2.0)))  # read from top to bottom
    assert measure_places(long, (40, 100)) == {"x": 12.5, "y": 2, "width": 37.5, "height": 96, "rotation": 0}


def test_a_number_that_is_too_long_has_a_box_for_a_person_to_fill() -> None:
    picture = LabeledPicture("a.png", (60, 40), (LONG,), 0.0)
    source = Origin("svhn", "")
    ((task,), (row,)) = (
        json.loads(FORMATS["label-studio"].make_files([picture], "a.json", source)["a.json"]),
        FORMATS["csv"].make_files([picture], "a.csv", source)["a.csv"].splitlines()[1:],
    )
    assert [result["type"] for result in task["predictions"][0]["result"]] == ["rectanglelabels"]
    assert row.startswith("a.png,,10.0,5.0,")


def test_coco_holds_what_its_own_library_finds(photos: Path) -> None:
    assert read(photos, "coco", photos / "coco.json") == 1
    coco: Any = COCO(str(photos / "coco.json"))
    images = coco.loadImgs(coco.getImgIds())
    assert [image["file_name"] for image in images] == ["refused.png", "three.png", "1 é#.png", "a/none.png"]
    assert {(image["width"], image["height"]) for image in images} == {(60, 40)}
    (number,) = coco.loadAnns(coco.getAnnIds(imgIds=[3]))
    assert (number["bbox"], number["score"]) == ([10.0, 5.0, 20.0, 10.0], 0.875)
    assert (number["attributes"], number["segmentation"]) == ({"text": "27"}, [])
    three = coco.loadAnns(coco.getAnnIds(imgIds=[2]))
    assert [each["attributes"]["text"] for each in three] == ["27", "8", "061"]
    assert (three[1]["bbox"], three[1]["area"]) == ([37.0, 20.0, 11.0, 10.0], 110)
    assert coco.loadCats(coco.getCatIds())[0]["name"] == "number"
    results = coco.loadRes(json.loads((photos / "coco.json").read_text())["annotations"])
    assert len(results.getAnnIds()) == 4


def test_a_number_without_a_place_has_the_whole_picture() -> None:
    (row,) = list(csv.DictReader(make("csv", FOUND._replace(corners=None))["out.json"].splitlines()))
    assert [row[side] for side in ("left", "top", "width", "height")] == ["0.0", "0.0", "60.0", "40.0"]


def test_yolo_is_a_folder_beside_the_pictures(photos: Path) -> None:
    data = photos.parent / "data"
    shutil.copytree(photos, data / "images")
    assert read(data / "images", "yolo", data) == 1
    labels = {str(path.relative_to(data)): path.read_text() for path in (data / "labels").rglob("*.*")}
    assert labels.keys() == {f"labels/{name}.txt" for name in ("1 é#", "refused", "three", "a/none")}
    assert labels["labels/1 é#.txt"] == "0 0.333333 0.250500 0.333333 0.251000\n"
    assert labels["labels/refused.txt"] == labels["labels/a/none.txt"] == ""
    assert len(labels["labels/three.txt"].splitlines()) == 3
    assert (data / "classes.txt").read_text() == "number\n"
    assert (data / "data.yaml").read_text() == "train: images\nval: images\nnames:\n  0: number\n"
    assert sorted(path.name for path in data.iterdir()) == ["classes.txt", "data.yaml", "images", "labels"]


def test_the_csv_is_wrangled_as_it_is(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read(photos, "csv", photos / "labels.csv") == 1
    entries = list(FOLDER.entries(photos, "train", 0))
    assert [(entry.picture, entry.label, entry.problem) for entry in entries] == [
        ("1 é#.png", "27", ""),
        ("three.png", "27", ""),
        ("three.png", "8", ""),
        ("three.png", "061", ""),
    ]
    assert entries[0].source[1] == pytest.approx((10, 5, 30, 15), abs=0.1)
    with (photos / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["confidence"] for row in rows] == ["0.875000", "0.960000", "0.600000", "0.875000"]
    capsys.readouterr()
    shell.run_main(main, ["svhn", *CHECK, f"--data_dir={photos}", f"--records_dir={photos.parent}"])
    printed = capsys.readouterr().out
    assert "labels.csv: 4 rows with filename, label, left, top, width, height; boxes in pixels" in printed
    assert "labels.csv: not used: 'confidence'" in printed


@pytest.mark.parametrize(
    ("reading", "sureness"),
    [
        (Reading(SEVERAL, size=(60, 40)), 0.6),
        (Reading((FOUND, LONG), size=(60, 40)), 0.0),
        (Reading(size=(60, 40)), 0.0),
    ],
)
def test_a_picture_is_as_sure_as_its_least_sure_number(reading: Reading, sureness: float) -> None:
    assert prelabels.estimate_sureness(reading) == sureness


@pytest.mark.parametrize(
    ("kind", "output", "parts"),
    [
        ("coco", "", ["--output", "a file", "--as=coco"]),
        ("coco", "photos/", ["--output=", ".json"]),
        ("label-studio", "photos/tasks.csv", [".json"]),
        ("csv", "photos/labels.json", [".csv"]),
        ("csv", "labels/labels.csv", ["1 é#.png", "does not lie in", "--output"]),
        ("yolo", "photos", ["photos/images", "link"]),
        ("yolo", "photos/three.png", ["the name of a folder"]),
        ("guess", "photos/t.json", ["--as=guess", "label-studio"]),
    ],
)
def test_a_wrong_output_is_refused_before_anything_is_read(
    kind: str,
    output: str,
    parts: list[str],
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(StubReader, "stream", pytest.fail)
    monkeypatch.chdir(photos.parent)
    assert call(Path(), "read", "photos", f"--as={kind}", f"--output={output}") == 1
    line = last_line(capsys)
    assert [part for part in parts if part not in line] == []


@pytest.mark.parametrize("flags", [["--part_size=3"], ["--picture_address=http://host/"]])
def test_flags_of_other_outputs_are_refused(flags: list[str], photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read(photos, "coco", photos / "t.json", *flags) == 2
    assert flags[0].partition("=")[0] in last_line(capsys)


def test_pixels_are_no_pictures_to_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test.csv").touch()
    assert call(tmp_path, "read", f"{tmp_path}/test.csv", "--as=coco", "--output=t.json") == 2
    assert "leave --as out" in last_line(capsys)


@pytest.mark.parametrize(
    ("kind", "output", "existing"),
    [
        ("csv", "labels.csv", "labels.csv"),
        ("label-studio", "tasks.json", "tasks.label_config.xml"),
        ("yolo", "", "data.yaml"),
        ("yolo", "", "labels/old.txt"),
    ],
)
def test_what_a_person_may_have_corrected_is_not_replaced(
    kind: str, output: str, existing: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / existing).parent.mkdir(exist_ok=True)
    (photos / existing).write_text("corrected")
    assert read(photos, kind, photos / output) == 1
    assert f"{photos / existing.partition('/')[0]} is there already" in last_line(capsys)
    assert (photos / existing).read_text() == "corrected"


def test_two_pictures_that_would_be_one_are_named(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_picture(photos / "images/1.png")
    write_picture(photos / "images/1.jpg")
    assert read(photos / "images", "yolo", photos) == 1
    line = last_line(capsys)
    assert f"{photos}/images/1.jpg and {photos}/images/1.png would both be labels/1.txt" in line
    link = photos / "a/../three.png"
    assert call(photos.parent, "read", f"{photos}/three.png", f"{link}", "--as=csv", f"--output={photos}/l.csv") == 1
    assert "would both be three.png" in last_line(capsys)


def test_a_second_process_is_refused(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = prelabels.plan_prelabels("csv", str(photos / "labels.csv"), [])
    with prelabels.open_prelabels(target, ORIGIN, print):
        assert read(photos, "csv", photos / "labels.csv") == 1
        assert f"{photos / 'labels.csv'} is in use" in last_line(capsys)
    assert not list(photos.glob("labels.csv*"))


def test_a_name_that_no_tool_could_find_is_left_out_and_named(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (os.fsdecode(b"T\xfcr.png"), "two\nlines.png"):
        write_picture(photos / name)
    assert read(photos, "csv", photos / "labels.csv") == 1
    ended = capsys.readouterr().err
    assert "3 of 7 files could not be read or labeled" in ended
    assert "two\ufffdlines.png: its name has" in ended
    assert "rename it" in ended
    assert len(list(FOLDER.entries(photos, "train", 0))) == 4


def test_pictures_that_can_not_be_read_make_no_file(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read(photos / "a/bad.png", "coco", photos / "a/coco.json") == 1
    assert "holds" not in capsys.readouterr().err
    assert sorted(path.name for path in (photos / "a").iterdir()) == ["bad.png", "none.png"]


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def fill_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(("fault", "code"), [(interrupt, 130), (fill_disk, 1)])
def test_work_that_is_cut_short_leaves_nothing(
    fault: Callable[..., None], code: int, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(photos.parent.rglob("*"))
    monkeypatch.setattr(prelabels, "flush_to_disk", fault)
    assert read(photos, "label-studio", photos / "tasks.json") == code
    assert sorted(photos.parent.rglob("*")) == before


def test_what_can_not_be_read_back_is_no_success(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prelabels, "flush_to_disk", lambda file: file.truncate(3))
    assert read(photos, "csv", photos / "labels.csv") == 1
    ended = capsys.readouterr().err
    assert "is not as it was written" in ended
    assert "holds" not in ended
    assert not (photos / "labels.csv").exists()
