"""Missing files, and what lies there under nearly their name."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from svhn.runtime.near_names import find_near_path, suggest_near_path

COMPOSED = "straße-é.jpg"


@pytest.mark.parametrize(
    ("there", "missing", "difference"),
    [
        (unicodedata.normalize("NFD", COMPOSED), COMPOSED, "Unicode form alone"),
        ("A.JPG", "a.jpg", "case alone"),
        ("house, 12.png", "house 12.png", "punctuation"),
        ("1.jpeg", "1.jpg", "ending"),
        ("sub/c.png", "Sub\\c.png", "punctuation"),
        ("Train/1.png", "train/1.png", "case alone"),
    ],
)
def test_a_name_that_is_nearly_the_same_is_proposed(tmp_path: Path, there: str, missing: str, difference: str) -> None:
    path = tmp_path / there
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert find_near_path(tmp_path / missing) == path
    assert difference in suggest_near_path(tmp_path / missing)
    assert suggest_near_path(path) == ""


@pytest.mark.parametrize("missing", ["b.jpg", "../a.jpg/x", "no/a.jpg", "a-.jpg"])
def test_nothing_is_proposed_for_another_name_or_for_several(tmp_path: Path, missing: str) -> None:
    for name in ("A.jpg", "a .jpg"):
        (tmp_path / name).touch()
    assert find_near_path(tmp_path / missing) is None


def test_a_file_that_appears_later_is_found(tmp_path: Path) -> None:
    assert find_near_path(tmp_path / "a.png") is None
    (tmp_path / "A.png").touch()
    assert find_near_path(tmp_path / "a.png") == tmp_path / "A.png"
