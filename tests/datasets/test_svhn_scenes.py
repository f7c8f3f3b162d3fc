"""Scenes show their number where its boxes are, and nothing that looks like another one where there is none."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.arranged import COLORS, GROUND, write_colored
from support.fixtures import Row, write_boxes, write_format1

from svhn.datasets import DATASETS
from svhn.datasets.arranged.forms import FORMS
from svhn.datasets.scenes import window
from svhn.datasets.scenes.dataset import KINDS, PLAIN_SHARE, View
from svhn.datasets.svhn import SVHN
from svhn.datasets.svhn_full import SVHN_FULL
from svhn.images import enclose_boxes
from svhn.spec import Box, Entry
from svhn.wrangle.draw import Options, Tally, draw_splits

SPEC = DATASETS["svhn_scenes"]
SIZE = (256, 512)  # of windows, in which boxes can be compared to pixels
COLORFUL = 60  # of 255: the least difference between the channels of a pixel that shows a digit


def get_view(entry: Entry) -> View | None:
    return entry.source[3]


def list_scenes(data: Path, seed: int = 0) -> dict[str, list[Entry]]:
    """The scenes of train by kind."""
    kinds: dict[str, list[Entry]] = defaultdict(list)
    for entry in SPEC.entries(data, "train", seed):
        if view := get_view(entry):
            kinds[view.kind].append(entry)
    return kinds


def locate(entry: Entry) -> list[Box]:
    """The boxes of an entry's digits in pixels of `SIZE`."""
    assert SPEC.locate
    height, width = SIZE
    return [(x0 * width, y0 * height, x1 * width, y1 * height) for x0, y0, x1, y1 in SPEC.locate(entry, 0.0)]


@pytest.fixture(scope="module")
def colored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Entry]]:
    return list_scenes(write_colored(tmp_path_factory.mktemp("data") / "train", 150))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows without words, marks and letters, all of which have the color of a digit."""
    monkeypatch.setattr(window, "paint_word", lambda *_: None)
    monkeypatch.setattr(window, "paint_marks", lambda *_: None)


def test_other_entries_are_those_of_svhn_full(tmp_path: Path) -> None:
    write_format1(tmp_path / "train")
    others = [entry for entry in SPEC.entries(tmp_path, "train", 0) if not get_view(entry)]
    published = list(SVHN_FULL.entries(tmp_path, "train", 0))
    assert [entry.name for entry in others] == [entry.name for entry in published]
    assert SPEC.locate
    assert SVHN_FULL.locate
    for other, entry in zip(others, published, strict=True):
        assert (other.label, other.problem, other.picture) == (entry.label, entry.problem, entry.picture)
        np.testing.assert_array_equal(SPEC.load(other, (64, 128), 0.0), SVHN_FULL.load(entry, (64, 128), 0.0))
        assert SPEC.locate(other, 0.0) == SVHN_FULL.locate(entry, 0.0)


def test_valid_holds_the_pictures_that_svhn_has_there(tmp_path: Path) -> None:
    write_colored(tmp_path / "train", 300)
    options = Options(SVHN.size, SVHN.margin, 0)
    expected = draw_splits(SVHN, tmp_path, ["train"], options, Tally())
    found = draw_splits(SPEC, tmp_path, ["train"], options, Tally())
    pictures = {split: {entry.picture for entry in entries} for split, entries in found.items()}
    assert pictures == {split: {entry.name for entry in entries} for split, entries in expected.items()}
    assert len(pictures["valid"]) >= 10


def test_each_picture_gives_one_scene_and_kinds_are_as_frequent_as_their_shares(
    colored: dict[str, list[Entry]],
) -> None:
    assert sum(KINDS.values()) == pytest.approx(1)
    assert sum(map(len, colored.values())) == 150
    assert len({entry.picture for entries in colored.values() for entry in entries}) == 150
    for kind, share in KINDS.items():
        assert len(colored[kind]) == pytest.approx(150 * share, rel=0.3)
    forms = Counter(view.arrangement.form for entries in colored.values() for view in map(get_view, entries) if view)
    assert forms[""] == pytest.approx(150 * PLAIN_SHARE, rel=0.3)
    assert set(forms) == {"", *FORMS}


def test_no_scene_is_made_of_a_number_that_svhn_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    rows: list[Row] = [(1, 5 + 12 * place, 5, 10, 20) for place in range(6)]
    write_boxes(tmp_path / "train", {"1.png": rows, "2.png": rows[:5], "3.png": [(11, 5, 5, 10, 20)]})
    scenes = [entry for entries in list_scenes(tmp_path).values() for entry in entries]
    assert [entry.picture for entry in scenes] == ["train/2.png"]


@pytest.mark.parametrize("kind", ["scene", "several"])
def test_each_box_shows_the_digit_of_the_label(colored: dict[str, list[Entry]], kind: str) -> None:
    for entry in colored[kind]:
        pixels, boxes = SPEC.load(entry, SIZE, 0.0).astype(int), locate(entry)
        assert len(boxes) == len(entry.label) > 0
        for digit, (left, top, right, bottom) in zip(entry.label, boxes, strict=True):
            assert left >= 0
            assert top >= 0
            assert right <= SIZE[1]
            assert bottom <= SIZE[0]
            middle = pixels[round((top + bottom) / 2), round((left + right) / 2)]
            assert min(COLORS, key=lambda each: int(np.abs(middle - COLORS[each]).sum())) == digit, entry.name


@pytest.mark.usefixtures("bare")
def test_a_blank_scene_shows_no_digit(colored: dict[str, list[Entry]]) -> None:
    for entry in colored["blank"]:
        assert entry.label == ""
        assert locate(entry) == []
        assert (np.ptp(SPEC.load(entry, SIZE, 0.0).astype(int), axis=2) > COLORFUL).mean() < 0.002 or (
            "lettered" in entry.name
        )


@pytest.mark.usefixtures("bare")
def test_another_number_is_farther_from_the_middle(colored: dict[str, list[Entry]]) -> None:
    """And no number is shown twice where there are not several."""
    shown: Counter[str] = Counter()
    for kind in ("scene", "several"):
        for entry in colored[kind]:
            view = get_view(entry)
            if view and view.arrangement.form in ("lettered", "slanted"):
                continue  # letters have a digit's color, and turned boxes hold more than their digits
            left, top, right, bottom = enclose_boxes(locate(entry))
            others = np.ptp(SPEC.load(entry, SIZE, 0.0).astype(int), axis=2) > COLORFUL
            others[max(0, int(top) - 6) : int(bottom) + 7, max(0, int(left) - 6) : int(right) + 7] = False
            rows, columns = np.nonzero(others)
            if others.mean() < 0.002:
                continue
            shown[kind] += 1
            middle = SIZE[1] / 2, SIZE[0] / 2
            inside = math.dist(middle, ((left + right) / 2, (top + bottom) / 2))
            assert inside < math.dist(middle, (float(columns.mean()), float(rows.mean()))), entry.name
    assert shown["scene"] == 0
    assert shown["several"] > 5


def test_digits_are_large_enough_to_be_read(colored: dict[str, list[Entry]]) -> None:
    for kind in ("scene", "several"):
        heights = [max(bottom - top for _, top, _, bottom in locate(entry)) / SIZE[0] for entry in colored[kind]]
        views = [view for view in map(get_view, colored[kind]) if view]
        rows = [
            high for high, view in zip(heights, views, strict=True) if view.arrangement.form not in ("long", "apart")
        ]
        assert min(rows) > 0.09
        assert max(rows) < 0.97


def test_the_seed_and_the_name_alone_decide_a_scene(colored: dict[str, list[Entry]]) -> None:
    for kind in KINDS:
        one, other = colored[kind][:2]
        pixels = SPEC.load(one, (64, 128), 0.0)
        assert (pixels == SPEC.load(one, (64, 128), 0.0)).all()
        assert (pixels != SPEC.load(other, (64, 128), 0.0)).any()


def test_a_box_outside_of_its_picture_is_reported(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    write_boxes(tmp_path / "train", {"1.png": [(1, 100, 5, 12, 24), (2, 115, 5, 12, 24)]})
    Image.new("RGB", (64, 40), GROUND).save(tmp_path / "train" / "1.png")
    (entry,) = (entry for entries in list_scenes(tmp_path).values() for entry in entries)
    with pytest.raises(ValueError, match="lies outside of the picture of 64 x 40 pixels"):
        SPEC.load(entry, (64, 128), 0.0)
    assert SPEC.locate
    with pytest.raises(ValueError, match="lies outside of the picture of 64 x 40 pixels"):
        SPEC.locate(entry, 0.0)
