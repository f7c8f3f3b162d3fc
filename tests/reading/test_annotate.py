"""Annotated copies: what they show, where they lie, and that they never lie among the pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.stub_reader import EMPTY, THREE, read, write_picture

from svhn.errors import UserError
from svhn.images import open_picture
from svhn.labels import Number, Reading, list_corners
from svhn.reading.annotate import BOX_COLOR, Copies, draw_reading
from svhn.reading.files import find_pictures


def list_copies(folder: Path, *patterns: str, recursive: bool = True) -> list[str]:
    """Where the copies of pictures lie below `copies`."""
    pictures = find_pictures([str(folder / pattern) for pattern in patterns], recursive)
    copies = Copies(str(folder / "copies"), pictures)
    return [str(copies.find_path(path).relative_to(folder / "copies")) for path in pictures.paths]


def write_copy(folder: Path, source: Path) -> Path:
    copies, image = Copies(str(folder / "copies"), find_pictures([str(source)])), open_picture(source)
    copies.write(str(source), image, read(image))
    return copies.find_path(str(source))


def test_a_copy_shows_the_box_and_the_number(tmp_path: Path) -> None:
    copy, nothing = (
        np.asarray(Image.open(write_copy(tmp_path, write_picture(tmp_path / name, red))))
        for name, red in (("1.png", 2), ("0.png", EMPTY))
    )
    assert copy.shape == nothing.shape == (200, 300, 3)  # five times as large
    red = (copy == BOX_COLOR).all(axis=2)
    for x, y in ((50, 40), (50, 75), (150, 25), (150, 75), (100, 25), (100, 75)):
        assert red[y, x]
    assert red[:24].any()  # the number, above
    assert not red[77:].any()
    assert (nothing == BOX_COLOR).all(axis=2).any()  # it says so


def test_a_copy_shows_all_numbers_and_a_turned_box_turned(tmp_path: Path) -> None:
    copy = np.asarray(Image.open(write_copy(tmp_path, write_picture(tmp_path / "1.png", THREE))))
    red = (copy == BOX_COLOR).all(axis=2)
    for x, y in ((150, 50), (70, 150), (10, 150), (130, 190), (10, 190)):  # upright: the first and the third number
        assert red[y, x]
    for x, y in ((200, 100), (220, 115), (240, 130), (225, 150), (185, 120), (205, 135)):  # corners, and edges' middles
        assert red[y - 2 : y + 3, x - 2 : x + 3].any(), (x, y)
    for left, top in ((50, 8), (185, 83), (10, 133)):  # each number above its box
        assert red[top + 1 : top + 14, left : left + 40].any(), (left, top)
    for x, y in ((185, 150), (240, 100), (240, 150)):  # corners of the upright box around it
        assert not red[y - 2 : y + 3, x - 2 : x + 3].any(), (x, y)


def test_the_label_of_a_number_at_the_right_ends_within_the_picture() -> None:
    """It has as many pixels as that of a number further left."""
    image, shown = Image.new("RGB", (400, 300)), []
    for left in (100.0, 380.0):
        number = Number("2507", 0.98, (), list_corners((left, 100.0, left + 15, 110.0)))
        label = np.asarray(draw_reading(image, Reading((number,))))[50:99]
        shown.append(label.any(axis=2).sum())
    assert shown[1] == pytest.approx(shown[0], rel=0.05)


def test_a_low_and_wide_picture_is_not_enlarged_without_bound(tmp_path: Path) -> None:
    with Image.open(write_copy(tmp_path, write_picture(tmp_path / "1.png", size=(3000, 1)))) as copy:
        assert copy.size == (3000, 1)


@pytest.mark.parametrize(
    ("name", "copy", "kind"),
    [
        ("door.JPG", "door.JPG", "JPEG"),
        ("door.jpeg", "door.jpeg", "JPEG"),
        ("door.png", "door.png", "PNG"),
        ("door.webp", "door.png", "PNG"),
    ],
)
def test_a_jpeg_stays_a_jpeg(name: str, copy: str, kind: str, tmp_path: Path) -> None:
    path = write_copy(tmp_path, write_picture(tmp_path / name))
    assert path == tmp_path / "copies" / copy
    with Image.open(path) as image:
        assert image.format == kind
        if kind == "JPEG":
            assert image.quantization[0][0] <= 2  # type: ignore[attr-defined]  # quality 95


def test_a_copy_keeps_its_place_below_the_folder_that_was_named(tmp_path: Path) -> None:
    for name in ("photos/1.jpg", "photos/a/b/2.jpg", "other/3.jpg"):
        write_picture(tmp_path / name)
    assert list_copies(tmp_path, "photos") == ["1.jpg", "a/b/2.jpg"]
    assert list_copies(tmp_path, "photos/**/*.jpg") == ["1.jpg", "a/b/2.jpg"]
    assert list_copies(tmp_path, "photos/a", "photos", "other/3.jpg") == ["b/2.jpg", "1.jpg", "3.jpg"]
    assert list_copies(tmp_path, "photos", recursive=False) == ["1.jpg"]


def test_a_file_above_the_folder_where_the_user_is_stays_below_the_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_picture(tmp_path / "photos/1.png")
    write_picture(tmp_path / "2.png")
    monkeypatch.chdir(tmp_path / "photos")
    pictures = find_pictures([".", "../2.png", str(tmp_path / "2.png")])
    copies = Copies("../copies", pictures)
    assert [str(copies.find_path(path)) for path in pictures.paths] == [
        f"../copies/{name}" for name in ("1.png", "2.png", "2 (2).png")
    ]


def test_no_copy_takes_the_place_of_another(tmp_path: Path) -> None:
    for name in ("a/0.png", "b/0.png", "b/0.webp", "b/0 (2).png", "c/Door.png", "b/door.png"):
        write_picture(tmp_path / name)
    names = list_copies(tmp_path, "a", "b", "c")
    assert names == ["0.png", "0 (2).png", "0 (3).png", "0 (4).png", "door.png", "Door (2).png"]


@pytest.mark.parametrize(
    ("patterns", "copies"),
    [
        (["photos"], "photos"),
        (["photos"], "photos/copies"),
        (["photos/a"], "photos/a/copies/deep"),
        (["photos/1.png"], "photos"),
        (["photos/*.png"], "photos/a/.."),
        (["photos/**/*.png"], "photos/copies"),
        (["."], "copies"),
        (["photos/a"], "linked"),
        (["nested"], "nested/.."),  # the copy of nested/nested/3.png would be nested/3.png
    ],
)
def test_copies_do_not_go_where_pictures_are_read(
    patterns: list[str], copies: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("photos/1.png", "photos/a/2.png", "nested/4.png", "nested/nested/3.png"):
        write_picture(tmp_path / name)
    (tmp_path / "linked").symlink_to("photos/a", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=rf"^--annotate={copies}.*name another folder"):
        Copies(copies, find_pictures(patterns))


@pytest.mark.parametrize(
    ("patterns", "recursive"), [(["photos/1.png"], True), (["photos/*.png"], True), (["photos"], False)]
)
def test_copies_may_lie_below_a_folder_that_is_not_searched(
    patterns: list[str], recursive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_picture(tmp_path / "photos/1.png")
    monkeypatch.chdir(tmp_path)
    Copies("photos/copies", find_pictures(patterns, recursive))


def test_a_copy_that_can_not_be_written_is_the_pictures_error(tmp_path: Path) -> None:
    source = write_picture(tmp_path / "1.png")
    (tmp_path / "copies").write_text("a file")
    with pytest.raises(OSError, match=r"copy could not be written: .*copies: .* move the file"):
        write_copy(tmp_path, source)
