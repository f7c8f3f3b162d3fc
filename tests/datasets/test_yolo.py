"""YOLO's labels of a folder: as Label Studio exported them, and in the layouts of Ultralytics, Roboflow and CVAT."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image
from support.labeled_scene import LABELS, SCENES, SPEC, check_scenes, describe_folder, draw_scenes, read_entries
from support.wrangling import wrangled

from svhn.datasets.formats.yolo import find_label_file
from svhn.errors import UserError

YAML = "names: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', door]\n"


def write(folder: Path, **texts: str) -> Path:
    """A data.yaml, and pictures of 100 x 50 pixels in images/train with their lines in labels/train."""
    (folder / "data.yaml").write_text(f"{YAML}train: images/train\n")
    for stem, text in texts.items():
        write_picture(folder / f"images/train/{stem}.png", folder / f"labels/train/{stem}.txt", text)
    return folder


def write_picture(picture: Path, labels: Path, text: str = "1 .5 .5 .2 .6\n") -> None:
    for path in (picture, labels):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((100, 50), 60).convert("RGB").save(picture)
    labels.write_text(text)


def test_what_label_studio_exports_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One of its pictures has an Exif turn, and another one no number."""
    data = tmp_path / "data"
    shutil.copytree(LABELS / "label_studio/digits_yolo", data)
    stems = {path.stem.split("-")[1]: path.stem for path in data.glob("labels/*.txt")}
    names = {scene.name: f"images/{stems[Path(scene.name).stem]}{Path(scene.name).suffix}" for scene in SCENES}
    draw_scenes(data, names)
    check_scenes(data, names)
    assert wrangled(data, tmp_path / "records", "--dataset=folder", "--check") == 0
    out = capsys.readouterr().out
    assert f"{data}/classes.txt: YOLO, 5 pictures with 5 numbers; boxes as shares of the picture; classes 0, 1" in out
    assert f"{data}/classes.txt: not used: 1 picture without a number, such as 'images/" in out


def test_shares_become_pixels_and_classes_count_from_zero(tmp_path: Path) -> None:
    (entry,) = read_entries(write(tmp_path, a="0 0.2 0.5 0.1 0.4\n\n9 0.32 0.5 0.1 0.4\n"))
    assert (entry.label, entry.picture) == ("09", "images/train/a.png")
    assert entry.source[1] == pytest.approx((15, 15, 37, 35))


def test_an_outline_becomes_the_box_around_it(tmp_path: Path) -> None:
    (entry,) = read_entries(write(tmp_path, a="7 .2 .2 .3 .1 .4 .6 .25 .8\n"))
    assert (entry.label, entry.source[1]) == ("7", pytest.approx((20, 5, 40, 40)))


def test_classes_may_be_whole_numbers_and_names_a_dict(tmp_path: Path) -> None:
    write(tmp_path, a="4 .5 .5 .2 .6\n5 .5 .5 .2 .6\n")
    (tmp_path / "data.yaml").write_text("names:\n  4: 208\n  5: plate\ntrain: [images/train]\n")
    assert [entry.label for entry in read_entries(tmp_path)] == ["208"]
    assert "classes 208 as whole numbers" in describe_folder(tmp_path)
    assert "not used: 1 boxes of 'plate'" in describe_folder(tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("11 .5 .5 .2 .2", "class '11', expected 0 to 10"),
        ("-1 .5 .5 .2 .2", "class '-1', expected 0 to 10"),
        (f"{'1' * 5000} .5 .5 .2 .2", "1', expected 0 to 10"),
        ("1.5 .5 .5 .2 .2", "class '1.5', expected 0 to 10"),
        ("1 50 25 20 30", "box '50 25 20 30', expected shares of the picture from 0 to 1"),
        ("1 .5 .5 nan .3", "expected shares of the picture from 0 to 1"),
        ("1 .5 .5 x .3", "box '.5 .5 x .3', expected shares"),
        ("1 .5 .5 0 .3", "box '.5 .5 0 .3', expected a width and a height above 0"),
        ("1 .5 .5 .2", "3 numbers after the class, expected 4 for a box, or 6"),
        ("1 .5 .5 .2 .3 .98", "5 numbers after the class, expected 4 for a box, or 6"),
        ("1 .5 .5 .01 .01", "expected pixels, at least 2 wide and high"),
    ],
)
def test_a_bad_line_is_named_and_other_pictures_are_read(tmp_path: Path, line: str, said: str) -> None:
    bad, good = read_entries(write(tmp_path, a=f"\n{line}\n", b="5 .5 .5 .2 .6\n"))
    assert bad.problem.startswith("labels/train/a.txt, line 2: ")
    assert said in bad.problem
    assert (good.label, good.problem) == ("5", "")


def test_what_is_not_used_is_counted(tmp_path: Path) -> None:
    write(tmp_path, a="1 .5 .5 .2 .6\n10 .5 .5 .9 .9\n", empty="", door="10 .5 .5 .9 .9\n")
    (tmp_path / "labels/train/gone.txt").write_text("1 .5 .5 .2 .6\n")
    (tmp_path / "labels/train/classes.txt").write_text("0\n")  # labelImg writes it there
    Image.new("RGB", (20, 20)).save(tmp_path / "images/train/bare.png")
    assert [entry.label for entry in read_entries(tmp_path)] == ["1"]
    said = describe_folder(tmp_path)
    assert "data.yaml: not used: 2 boxes of 'door'" in said
    assert "not used: 1 label files without a picture, such as 'labels/train/gone.txt'" in said
    assert "not used: 3 pictures without a number, such as 'images/train/bare.png'" in said


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / write(tmp_path, a="1 .5 .5 .2 .6\n") / "images/train/a.png").write_bytes(b"no picture")
    (entry,) = read_entries(tmp_path)
    assert "labels/train/a.txt, line 1: the file is not a picture" in entry.problem


@pytest.mark.parametrize(
    ("yaml", "folders", "numbers"),
    [
        ("path: ../datasets/mine\ntrain: images/train\nval: images/val\n", ("train", "val"), (1, 1)),
        (
            "path: /home/me/mine\ntrain: images/train\nval: images/val\ntest: images/test\n",
            ("train", "val", "test"),
            (2, 1),
        ),
        ("train: ../images/train\nval: ../images/val\ntest: ../images/test\n", ("train", "val"), (1, 1)),
        ("train: images/train\nval: images/train\ntest: ''\n", ("train",), (1, 1)),
    ],
)
def test_splits_are_those_of_the_yaml(
    tmp_path: Path, yaml: str, folders: tuple[str, ...], numbers: tuple[int, int]
) -> None:
    for name in folders:
        write_picture(tmp_path / f"images/{name}/a.png", tmp_path / f"labels/{name}/a.txt")
    (tmp_path / "mine.yml").write_text(YAML + yaml)
    assert tuple(len(read_entries(tmp_path, source)) for source in ("train", "test")) == numbers
    said = describe_folder(tmp_path)
    assert f"train: 1 pictures in images/{folders[0]}" in said
    assert f"the 1 numbers of val become {'train' if 'test' in folders else 'test'}" in said
    assert ("test: '../images/test' is not there, so not read" in said) == ("../images/test" in yaml)


def test_roboflows_folders_are_found(tmp_path: Path) -> None:
    for name in ("train", "valid"):
        write_picture(tmp_path / f"{name}/images/a.png", tmp_path / f"{name}/labels/a.txt")
    (tmp_path / "data.yaml").write_text(f"train: ../train/images\nval: ../valid/images\nnc: 11\n{YAML}")
    assert [entry.picture for entry in read_entries(tmp_path)] == ["train/images/a.png"]
    assert [entry.picture for entry in read_entries(tmp_path, "test")] == ["valid/images/a.png"]


def test_a_split_may_be_a_list_of_paths(tmp_path: Path) -> None:
    write(tmp_path, a="1 .5 .5 .2 .6\n", b="2 .5 .5 .2 .6\n")
    (tmp_path / "train.txt").write_text("./images/train/a.png\n/content/mine/images/train/b.png\n./images/c.png\n")
    (tmp_path / "labels/c.txt").write_text("3 .5 .5 .2 .6\n")
    (tmp_path / "data.yaml").write_text(f"{YAML}train: train.txt\n")
    entries = {entry.label: entry.problem for entry in read_entries(tmp_path)}
    assert (entries["1"], entries["2"]) == ("", "")
    assert entries["3"] == "labels/c.txt, line 1: the picture is missing"


def test_labels_may_lie_beside_the_pictures_as_cvat_writes_them(tmp_path: Path) -> None:
    write_picture(tmp_path / "obj_train_data/a.png", tmp_path / "obj_train_data/a.txt")
    (tmp_path / "obj.names").write_text("0\n1\n")
    (tmp_path / "obj.data").write_text("classes = 2\nnames = data/obj.names\n")
    assert [(entry.picture, entry.label) for entry in read_entries(tmp_path)] == [("obj_train_data/a.png", "1")]


@pytest.mark.parametrize(
    ("picture", "labels"),
    [
        ("images/train/a.b.png", "labels/train/a.b.txt"),
        ("images/x/images/a.png", "images/x/labels/a.txt"),
        ("train/images/a.png", "train/labels/a.txt"),
        ("photos/images.png", "photos/images.txt"),
        ("a.png", "a.txt"),
    ],
)
def test_the_last_folder_of_images_gives_that_of_labels(picture: str, labels: str) -> None:
    assert find_label_file(picture) == labels


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("train: [images/train\nnames: {", "is not YAML"),
        ("names: 3\ntrain: images/train\n", "names is 3, expected a list"),
        ("names: {a: b}\ntrain: images/train\n", "names is {'a': 'b'}, expected a list"),
        ("names: ['']\ntrain: images/train\n", "names no class"),
        ("names: {.inf: '1'}\ntrain: images/train\n", "names is {inf: '1'}, expected a list"),
        ("names: ['1']\ntrain: 7\n", "train is 7: expected a folder below this one"),
        ("names: ['1']\ntrain: \"a\\0b\"\n", "train is 'a\\x00b': expected a folder below this one"),
        ("names: ['1']\ntrain: photos\n", "train: 'photos' is not there, so not read"),
        ("names: ['1']\ntrain: /\n", "train: '/' is not there, so not read"),
        ("names: ['1']\n", "has no pictures for train, val or test"),
    ],
)
def test_a_yaml_that_cannot_be_used_is_one_error(tmp_path: Path, yaml: str, said: str) -> None:
    write(tmp_path, a="1 .5 .5 .2 .6\n")
    (tmp_path / "data.yaml").write_text(yaml)
    with pytest.raises(UserError) as error:
        read_entries(tmp_path)
    assert said in str(error.value)
    assert str(tmp_path / "data.yaml") in str(error.value)


def test_missing_names_are_asked_for(tmp_path: Path) -> None:
    (write(tmp_path, a="1 .5 .5 .2 .6\n") / "data.yaml").unlink()
    with pytest.raises(UserError, match=r"no file with the names of their classes: expected a data\.yaml"):
        read_entries(tmp_path)


def test_two_files_of_names_are_refused(tmp_path: Path) -> None:
    (write(tmp_path) / "other.yaml").write_text(YAML)
    with pytest.raises(UserError, match=r"data\.yaml and .*other\.yaml both name classes"):
        read_entries(tmp_path)


def test_without_pyyaml_its_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(UserError, match=r"needs PyYAML: run pip install -e '\.\[labels\]'"):
        read_entries(write(tmp_path, a="1 .5 .5 .2 .6\n"))


def test_a_changed_label_changes_the_checksum(tmp_path: Path) -> None:
    before = SPEC.checksum(write(tmp_path, a="1 .5 .5 .2 .6\n"), "train")
    assert SPEC.checksum(tmp_path, "train") == before
    (tmp_path / "labels/train/a.txt").write_text("1 .5 .5 .2 .5\n")
    assert SPEC.checksum(tmp_path, "train") != before
