"""Crops without a number show words, marks or the wall, and no digit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from support.arranged import list_forms, write_colored

from svhn.datasets import DATASETS
from svhn.datasets.arranged import blanks, words
from svhn.datasets.arranged.forms import BLANK, PAGE, plan_scene
from svhn.datasets.arranged.letters import LIKE_DIGITS
from svhn.datasets.arranged.scene import Arrangement
from svhn.datasets.synthetic.fonts import find_readable_fonts
from svhn.spec import Box, Entry

SPEC = DATASETS["svhn_arranged"]
SIZE, MARGIN = (114, 190), 0.15
COLORFUL = 60  # of 255: the least difference between the channels of a pixel in a digit's color


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    return list_forms(write_colored(tmp_path_factory.mktemp("data") / "train", 240))[BLANK]


def find_color(entry: Entry) -> np.ndarray:
    """Where a crop has the color of a digit, bool (height, width)."""
    return np.ptp(SPEC.load(entry, SIZE, MARGIN).astype(int), axis=2) > COLORFUL


def test_there_is_no_digit(entries: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blanks, "paint_word", lambda *_: None)
    monkeypatch.setattr(blanks, "paint_marks", lambda *_: None)
    assert SPEC.locate
    for entry in entries:
        assert (entry.label, entry.name) == ("", f"{entry.picture} {BLANK}")
        assert SPEC.locate(entry, MARGIN) == []
        assert find_color(entry).mean() < 0.002


def test_most_crops_show_a_word_in_the_ink_of_the_number_that_was_there(entries: list[Entry]) -> None:
    shown = [find_color(entry) for entry in entries]
    written = [mask for mask in shown if mask.mean() > 0.05]
    assert 0.55 < len(written) / len(entries) < 0.95  # many marks have this color, too
    rows = [np.flatnonzero(mask.any(axis=1)) for mask in written]
    assert np.median([(row[-1] - row[0]) / SIZE[0] for row in rows]) > 0.6


def test_words_marks_and_walls_are_as_frequent_as_their_shares(
    entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[str] = []
    monkeypatch.setattr(blanks, "paint_word", lambda *_: painted.append("word"))
    monkeypatch.setattr(blanks, "paint_marks", lambda *_: painted.append("marks"))
    for entry in entries:
        SPEC.load(entry, SIZE, MARGIN)
    words_shown, marks = painted.count("word"), painted.count("marks")
    assert words_shown / len(entries) == pytest.approx(blanks.WORD_SHARE, abs=0.15)
    assert 0 < marks < len(entries) - words_shown


def test_a_word_is_not_cut_to_what_may_be_a_digit() -> None:
    rng, cut = np.random.default_rng(0), 0
    for _ in range(300):
        word = words.plan_word(rng, find_readable_fonts()[0], 20.0, (0, 0, 0, 0))
        part = blanks._cut_word(rng, word) != word.box
        cut += part
        assert not part or not {*word.text} & {*"SsBbOoIlZzGDqQ"}
    assert cut > 20


def test_the_seed_and_the_name_alone_decide_a_crop(entries: list[Entry]) -> None:
    one, other = (SPEC.load(entry, SIZE, MARGIN) for entry in entries[:2])
    assert (one == SPEC.load(entries[0], SIZE, MARGIN)).all()
    assert (one != other).any()


@pytest.mark.parametrize(
    "box",
    [
        (0.0, 100.0, 8000.0, 102.0),
        (100.0, 0.0, 102.0, 6000.0),
        (-1e7, -1e7, 1e7, 1e7),
        (50.0, 40.0, 62.0, 60.0),
        (7990.0, 5980.0, 7999.0, 6000.0),
    ],
)
def test_a_crop_lies_in_its_scene_which_is_small_whatever_the_box_is(box: Box) -> None:
    """A digit may be labeled with a line across a photo."""
    for form, seed in itertools.product((BLANK, PAGE), range(20)):
        font = find_readable_fonts()[seed % len(find_readable_fonts())]
        arrangement = Arrangement(form, (box,), (), font, 0)
        scene = plan_scene(np.random.default_rng(seed), (8000, 6000), arrangement)
        left, top, right, bottom = scene.around
        assert 0 <= left < right <= scene.size[0] < 1500
        assert 0 <= top < bottom <= scene.size[1] < 1500


def test_words_have_no_digit_and_short_ones_nothing_like_one() -> None:
    rng = np.random.default_rng(0)
    drawn = [words.draw_word(rng) for _ in range(500)]
    assert not any(character.isdigit() for word in drawn for character in word)
    short = [word for word in drawn if len(word) < 3]
    assert 60 < len(short) < 200
    assert not {*"".join(short)} & {*LIKE_DIGITS, *"OoIlQqZz"}


def test_a_word_is_drawn_where_it_was_planned() -> None:
    """Unless it lies beside the picture."""
    font, rng = find_readable_fonts()[0], np.random.default_rng(0)
    ink = words.Ink(np.array((250, 20, 20), np.float32), np.full(3, 128, np.float32), 0.3)
    for middle in (50.0, 200.0):
        pixels = np.full((100, 100, 3), 128, np.float32)
        word = words.plan_word(rng, font, 12.0, (middle, 50.0, middle, 50.0))
        words.paint_word(np.random.default_rng(1), pixels, ink, word)
        rows, columns = np.nonzero(pixels[..., 0] - pixels[..., 1] > COLORFUL)
        assert len(rows) > 0 or middle > 100
        assert all(word.box[1] - 1 <= row <= word.box[3] for row in rows)
        assert all(word.box[0] - 1 <= column <= word.box[2] for column in columns)
