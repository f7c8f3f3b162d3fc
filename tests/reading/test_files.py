"""The search for picture files: what folders, patterns and paths stand for, and what is passed over."""

from __future__ import annotations

import os
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.stub_reader import write_picture

from svhn.errors import UserError
from svhn.reading import files
from svhn.reading.files import find_pictures, hide_password, is_live, is_video


def write_pictures(folder: Path, *names: str) -> Path:
    for name in names:
        write_picture(folder / name)
    return folder


def search_in(folder: Path, *patterns: str, recursive: bool = True) -> list[str]:
    """The paths that are found, below the folder."""
    found = find_pictures([str(folder / pattern) for pattern in patterns or [""]], recursive)
    return [str(Path(path).relative_to(folder)) for path in found.paths]


@pytest.mark.parametrize(
    ("path", "video", "live"),
    [
        ("clips/door.MP4", True, False),
        ("door.jpg", False, False),
        ("mp4", False, False),
        ("rtsp://[bad:554", True, True),
        ("RTSP://camera/door.jpg?a=b", True, True),
        ("http://camera/live/door.m3u8?token=a.jpg", True, True),
        ("https://films.mov", False, False),
        ("https://films.mov/door.webm#t=3", True, False),
        ("gs://bucket/door.jpg", False, False),
    ],
)
def test_videos_and_live_streams_are_told_by_their_names(path: str, video: bool, live: bool) -> None:
    assert (is_video(path), is_live(path)) == (video, live)
    if live:
        assert find_pictures([path]).paths == [path]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://me:secret@camera:554/a@b", "rtsp://camera:554/a@b"),
        ("rtsp://me:sec@ret@camera/a", "rtsp://camera/a"),
        ("rtsp://camera?user=me@home", "rtsp://camera?user=me@home"),
        ("a:b@c.mp4", "a:b@c.mp4"),
    ],
)
def test_passwords_are_hidden(address: str, shown: str) -> None:
    assert hide_password(address) == shown


def test_a_folder_stands_for_its_pictures_and_those_of_its_subfolders(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path, "b.png", "a.JPG", "z/c.webp", "k/l/d.png")
    assert search_in(folder) == ["a.JPG", "b.png", "k/l/d.png", "z/c.webp"]
    assert search_in(folder, recursive=False) == ["a.JPG", "b.png"]
    assert search_in(folder, "z", "") == ["z/c.webp", "a.JPG", "b.png", "k/l/d.png"]


def test_the_folder_where_the_user_is_needs_no_name_in_front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_pictures(tmp_path, "a.png", "k/b.png"))
    for start in (".", "./", "**/*.png"):
        assert find_pictures([start]).paths == ["a.png", "k/b.png"]


def test_a_pattern_stands_for_the_paths_that_it_matches(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path, "b.png", "a.png", "k/c.png", "k/l/d.png", "[x].png", "k/l/door.jpg")
    assert search_in(folder, "?.png") == ["a.png", "b.png"]
    assert search_in(folder, "**/?.png") == ["a.png", "b.png", "k/c.png", "k/l/d.png"]
    assert search_in(folder, "**/door.jpg") == ["k/l/door.jpg"]
    assert search_in(folder, "k/**") == ["k/c.png", "k/l/d.png", "k/l/door.jpg"]
    assert search_in(folder, "[x].png") == ["[x].png"]  # a name of a file, and no pattern
    assert search_in(folder, "k/*", recursive=False) == ["k/c.png", "k/l/d.png", "k/l/door.jpg"]


def test_links_in_circles_end_and_each_folder_is_searched_once(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path, "a/1.png", "b/2.png")
    for name in ("a/up", "a/self", "b/up"):
        (folder / name).symlink_to(folder, target_is_directory=True)
    (folder / "c").symlink_to(folder / "b", target_is_directory=True)
    assert search_in(folder) == ["a/1.png", "b/2.png"]
    assert search_in(folder, "**/*.png") == ["a/1.png", "b/2.png"]


def test_a_folder_elsewhere_is_searched_through_its_link(tmp_path: Path) -> None:
    write_pictures(tmp_path, "elsewhere/1.png")
    folder = write_pictures(tmp_path / "photos", "2.png")
    (folder / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert search_in(folder) == ["2.png", "linked/1.png"]


def test_what_is_no_picture_is_passed_over_and_counted(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path, "1.png", "k/2.png")
    for name in ("notes.txt", "k/b.TXT", "._1.png", "k/._2.png", "film.mpg", "README"):
        (folder / name).write_text("none")
    os.mkfifo(folder / "pipe.png")
    found = find_pictures([str(folder), str(folder / "k")])
    assert len(found.paths) == 2
    assert found.passed_over == {".txt": 2, files.SIDECAR: 2, ".mpg": 1, files.NO_ENDING: 1, files.SPECIAL: 1}
    assert files.format_kinds(found.passed_over, 3) == ".txt 2, sidecar files 2, .mpg 1, others 2"


def test_a_link_that_leads_nowhere_is_reported_when_it_is_read(tmp_path: Path) -> None:
    (write_pictures(tmp_path, "1.png") / "0.png").symlink_to("nowhere.png")
    assert search_in(tmp_path) == ["0.png", "1.png"]


def test_what_is_named_is_kept_and_once(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path, "1.png")
    os.mkfifo(folder / "pipe")
    assert search_in(folder, "missing.png", "1.png", "*.png", "pipe") == ["missing.png", "1.png", "pipe"]


def test_a_folder_that_can_not_be_listed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, scandir = write_pictures(tmp_path, "1.png", "k/2.png", "z/3.png"), os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("k"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_pictures([str(folder)])
    assert [Path(path).name for path in found.paths] == ["1.png", "3.png"]
    assert found.problems == [f"{folder}/k: Permission denied"]
    with pytest.raises(UserError, match=r"k: no picture found \(.*/k: Permission denied\)"):
        find_pictures([str(folder / "k")])


@pytest.mark.parametrize("patterns", [[], [""], ["empty"], ["*.gif"], ["photos/", "empty/**"]])
def test_what_names_no_picture_is_refused(patterns: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_pictures(tmp_path, "photos/1.png"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/notes.txt").touch()
    with pytest.raises(UserError, match="name files, folders of pictures, or patterns") as refusal:
        find_pictures(patterns)
    assert ("passed over: .txt 1" in str(refusal.value)) == ("empty" in "".join(patterns))


def test_what_is_no_picture_elsewhere_explains_nothing(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path, "src/1.png")
    for name in ("src/notes.txt", "other/film.mpg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match=r"/empty: no picture found; name files"):
        search_in(folder, "src", "empty")
    with pytest.raises(UserError, match=r"/other: no picture found \(passed over: \.mpg 1\); "):
        search_in(folder, "src", "other")


def test_the_list_takes_at_most_300_bytes_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"a picture with a usual name {index:06}.jpg" for index in range(20_000)]
    monkeypatch.setattr(os, "walk", lambda *_, **__: iter([("photos", [], names)]))
    monkeypatch.setattr(os.path, "isdir", lambda path: str(path) == "photos")
    find_pictures(["photos"])  # fills caches
    tracemalloc.start()
    found = find_pictures(["photos"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.paths) == len(names)
    assert peak / len(names) <= 300


def test_names_for_documents_and_for_the_terminal() -> None:
    name = os.fsdecode(b"T\xfcr\n\x1b[1m.png")
    assert files.to_printable(name) == "T\ufffdr\n\x1b[1m.png"
    assert files.to_line(name) == "T\ufffdr\ufffd\ufffd[1m.png"
    assert files.format_kinds(Counter({os.fsdecode(b".\xfc"): 1})) == ".\ufffd 1"
