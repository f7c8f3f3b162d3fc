"""Format 1: labels, boxes and pixels of the publishers' layout, with every quirk of their data."""

from __future__ import annotations

import hashlib
import itertools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image
from support.fixtures import GROUND, INK, LABELS, NUMBERS, PICTURE, Row, draw_boxes, write_boxes, write_format1

from svhn.datasets import format1
from svhn.datasets.formats.digit_struct import COLUMNS
from svhn.datasets.svhn import SVHN
from svhn.errors import UserError
from svhn.spec import Entry


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    write_format1(tmp_path / "train")
    return tmp_path


def entry_of(tmp_path: Path, *rows: Row, name: str = "1.png") -> Entry:
    (tmp_path / "train").mkdir()
    write_boxes(tmp_path / "train", {name: rows})
    (entry,) = format1.list_entries(tmp_path, "train")
    return entry


def test_entries_keep_the_files_order_and_every_digit(data_dir: Path) -> None:
    entries = list(format1.list_entries(data_dir, "train"))
    assert [entry.name for entry in entries] == [f"train/{name}" for name in NUMBERS]
    assert tuple(entry.label for entry in entries) == LABELS
    assert [entry.problem for entry in entries] == [""] * len(NUMBERS)
    assert [entry.source[0] for entry in entries] == [str(data_dir / "train" / name) for name in NUMBERS]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_the_box_is_the_union_of_all_digits(tmp_path: Path, order: slice) -> None:
    reaches_furthest, starts_furthest = (1, 5, 10, 40, 25), (2, 30, 20, 10, 5)  # to 45,35 and to 40,25
    entry = entry_of(tmp_path, *[reaches_furthest, starts_furthest][order])
    assert entry.source[1] == (5, 10, 45, 35)


def test_corners_outside_of_the_picture_are_kept_in_the_box(data_dir: Path) -> None:
    assert list(format1.list_entries(data_dir, "train"))[2].source[1] == (-2, -2, 24, 22)


def test_each_digit_is_located_in_the_crop(data_dir: Path) -> None:
    entries = list(format1.list_entries(data_dir, "train"))
    assert entries[0].boxes == ((8, 10, 17, 30), (20, 10, 26, 30), (30, 10, 40, 30))
    for entry, margin in itertools.product(entries, (0.0, 0.15)):
        found = format1.locate_digits(entry, margin)
        assert len(found) == len(entry.label)
        height, width = 200, 400
        ink = (format1.load_picture(entry, (height, width), margin)[..., 0] > (GROUND[0] + INK[0]) / 2).astype(int)
        drawn = np.zeros_like(ink)
        for left, top, right, bottom in found:
            drawn[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = 1
        assert (drawn != ink).mean() < 0.03


def test_a_digit_outside_of_its_picture_has_no_place_in_the_crop(tmp_path: Path) -> None:
    entry = entry_of(tmp_path, (4, 10, 10, 8, 8), (3, -20, 10, 8, 8))
    draw_boxes([(4, 10, 10, 8, 8)]).save(tmp_path / "train/1.png")
    (_, first, _, last), (left, _, right, _) = format1.locate_digits(entry, 0.0)
    assert first < last
    assert left == right == 0


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ((0, 1, 1, 5, 5), "label 0 of digit 2: expected 1 to 10"),
        ((11, 1, 1, 5, 5), "label 11 of digit 2: expected 1 to 10"),
        ((1.5, 1, 1, 5, 5), "label 1.5 of digit 2: expected 1 to 10"),
        ((float("nan"), 1, 1, 5, 5), "label nan of digit 2: expected 1 to 10"),
        ((3, 1, 2, 0, 5), "box of digit 2 is 0 x 5 at 1,2: expected a width and a height above 0"),
        ((3, 1, 2, 5, -1), "box of digit 2 is 5 x -1 at 1,2: expected a width and a height above 0"),
        ((3, float("nan"), 2, 5, 5), "box of digit 2 is 5 x 5 at nan,2: expected a width and a height above 0"),
    ],
)
def test_problems_are_named(tmp_path: Path, row: Row, problem: str) -> None:
    entry = entry_of(tmp_path, (4, 10, 10, 8, 8), row)
    assert entry.problem == problem
    assert entry.label == ("" if "label" in problem else "43")


@pytest.mark.parametrize(
    ("row", "size"), [((4, 0.2, 0.1, 0.4, 0.6), "0.4 x 0.6 at 0.2,0.1"), ((4, 9, 5, 30, 1), "30 x 1 at 9,5")]
)
def test_a_number_of_less_than_two_pixels_is_named(tmp_path: Path, row: Row, size: str) -> None:
    """As labels have it that give boxes in shares of the picture."""
    entry = entry_of(tmp_path, row)
    assert entry.problem == f"box of the number is {size}: expected pixels, at least 2 wide and high"


def test_a_digit_of_one_pixel_beside_another_is_fine(tmp_path: Path) -> None:
    """Some of SVHN's ones are two pixels wide."""
    assert entry_of(tmp_path, (4, 9, 5, 4, 9), (1, 13, 5, 1, 9)).problem == ""


def test_a_picture_without_digits_is_named(tmp_path: Path) -> None:
    """As a writer of one's own may leave it."""
    entry_of(tmp_path, (4, 1, 1, 8, 8))
    with h5py.File(tmp_path / "train/digitStruct.mat", "r+") as opened:
        file: Any = opened
        box = file[file["digitStruct/bbox"][0, 0]]
        for field in COLUMNS:
            del box[field]
            box.create_dataset(field, (0, 1), h5py.ref_dtype)
    (entry,) = format1.list_entries(tmp_path, "train")
    assert (entry.label, entry.problem) == ("", "no digit is labeled")


@pytest.mark.parametrize("name", ["../1.png", "a\\1.png", "/1.png", ".."])
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    assert entry_of(tmp_path, (4, 1, 1, 8, 8), name=name).problem == (
        f"file name {name!r}: expected a name without folders"
    )


def test_a_missing_source_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is missing: run `svhn download`"):
        list(format1.list_entries(tmp_path, "train"))


def picture_entry(path: Path, box: format1.Box) -> Entry:
    return Entry("train/1.png", "1", (str(path), box))


def saved(tmp_path: Path, picture: Image.Image) -> Path:
    picture.save(tmp_path / "1.png")
    return tmp_path / "1.png"


def test_load_cuts_out_exactly_the_box(tmp_path: Path) -> None:
    path = saved(tmp_path, draw_boxes([(1, 10, 6, 20, 16)]))
    pixels = format1.load_picture(picture_entry(path, (10, 6, 30, 22)), (16, 20), margin=0)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (16, 20, 3)
    assert (pixels == INK).all()


def test_load_adds_the_margin_of_height_and_width_on_every_side(tmp_path: Path) -> None:
    path = saved(tmp_path, draw_boxes([(1, 20, 10, 20, 10)]))
    pixels = format1.load_picture(picture_entry(path, (20, 10, 40, 20)), (20, 40), margin=0.5)  # 10 to 50, 5 to 25
    inked = (pixels == INK).all(axis=-1)
    assert inked[5:15, 10:30].all()
    assert inked.sum() == 10 * 20
    assert (pixels[~inked] == GROUND).all()


def test_load_clips_to_the_picture_and_stretches_what_is_left(tmp_path: Path) -> None:
    path = saved(tmp_path, draw_boxes([(1, 0, 0, 12, 40)]))
    pixels = format1.load_picture(picture_entry(path, (-2, -2, 12, 45)), (40, 12), margin=0)
    assert (pixels == INK).all()
    pixels = format1.load_picture(picture_entry(path, (-2, -2, 12, 45)), (PICTURE[1], PICTURE[0]), margin=9)
    assert np.array_equal(pixels, np.asarray(Image.open(path)))


def test_load_resizes_straight_from_the_files_pixels(tmp_path: Path) -> None:
    picture = noise(*PICTURE)
    path = saved(tmp_path, picture)
    expected = picture.resize((19, 11), Image.Resampling.LANCZOS, box=(10.5 - 4, 5.25 - 2, 30.5 + 4, 15.25 + 2))
    pixels = format1.load_picture(picture_entry(path, (10.5, 5.25, 30.5, 15.25)), (11, 19), margin=0.2)
    assert np.array_equal(pixels, np.asarray(expected))


def test_every_quirk_loads(data_dir: Path) -> None:
    for entry in format1.list_entries(data_dir, "train"):
        assert format1.load_picture(entry, SVHN.size, SVHN.margin).shape == (57, 95, 3)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "I;16"])
def test_every_kind_of_picture_becomes_rgb(tmp_path: Path, mode: str) -> None:
    black, white = Image.new("L", (8, 8), 0), Image.new("L", (8, 8), 255)
    picture = Image.new("RGB", (16, 8))
    picture.paste(white, (8, 0))
    picture.paste(black, (0, 0))
    if mode == "I;16":
        Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257).save(tmp_path / "1.png")
    else:
        picture.convert(mode).save(tmp_path / "1.png")
    pixels = format1.load_picture(picture_entry(tmp_path / "1.png", (0, 0, 16, 8)), (8, 16), margin=0)
    assert np.array_equal(pixels, np.asarray(picture))


def test_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.fromarray(np.full((4, 4), 0x8012, np.uint16)))
    assert (format1.load_picture(picture_entry(path, (0, 0, 4, 4)), (4, 4), margin=0) == 0x80).all()


@pytest.mark.parametrize("box", [(-9, 5, 0, 20), (64, 5, 70, 20), (5, -9, 20, -1), (5, 40, 20, 50)])
def test_a_box_outside_of_the_picture_is_refused_whatever_the_margin(tmp_path: Path, box: format1.Box) -> None:
    path = saved(tmp_path, draw_boxes([]))
    corners = "{},{} to {},{}".format(*box)
    with pytest.raises(ValueError, match=re.escape(f"box {corners} lies outside of the picture of 64 x 40 pixels")):
        format1.load_picture(picture_entry(path, box), (8, 8), margin=2)


def test_a_missing_picture(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^the picture is missing$"):
        format1.load_picture(picture_entry(tmp_path / "1.png", (0, 0, 4, 4)), (8, 8), margin=0)


def test_a_file_that_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_text("210")
    with pytest.raises(OSError, match=r"^the file is not a picture, or of no known kind$"):
        format1.load_picture(picture_entry(tmp_path / "1.png", (0, 0, 4, 4)), (8, 8), margin=0)


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


@pytest.mark.parametrize("kept", [60, 200, -30])
def test_a_picture_cut_short(tmp_path: Path, kept: int) -> None:
    path = saved(tmp_path, noise(*PICTURE))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(OSError, match=r"^image file is truncated"):
        format1.load_picture(picture_entry(path, (0, 0, 4, 4)), (8, 8), margin=0)


def test_a_damaged_picture(tmp_path: Path) -> None:
    path = saved(tmp_path, noise(200, 200))
    start, chunk, rest = path.read_bytes().rpartition(b"IDAT")  # not the only one
    path.write_bytes(start + chunk.replace(b"D", b"\x00") + rest)
    with pytest.raises(OSError, match=r"^the picture is damaged: broken PNG file"):
        format1.load_picture(picture_entry(path, (0, 0, 4, 4)), (8, 8), margin=0)


def test_a_picture_that_would_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, draw_boxes([]))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 40 // 2 - 1)
    with pytest.raises(ValueError, match=r"^the picture is too large: Image size \(2560 pixels\) exceeds limit"):
        format1.load_picture(picture_entry(path, (0, 0, 4, 4)), (8, 8), margin=0)


def test_present_and_checksum_follow_the_boxes_file(data_dir: Path) -> None:
    boxes = data_dir / "train/digitStruct.mat"
    assert format1.compute_checksum(data_dir, "train") == hashlib.sha256(boxes.read_bytes()).hexdigest()
    assert format1.is_present(data_dir, "train")
    boxes.unlink()
    assert not format1.is_present(data_dir, "train")


def test_data_sets_import_without_tensorflow() -> None:
    program = "import sys, svhn.datasets; sys.exit('tensorflow' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False).returncode == 0
