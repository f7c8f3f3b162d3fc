"""Crops of pages show lines of words, or a row of rings and boxes, and no digit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.arranged import list_forms, write_colored

from svhn.datasets import DATASETS
from svhn.datasets.arranged import blanks, texts
from svhn.datasets.arranged.forms import BLANK, PAGE
from svhn.datasets.arranged.scene import Arrangement
from svhn.datasets.arranged.words import Word
from svhn.datasets.synthetic.fonts import find_readable_fonts
from svhn.spec import Box, Entry

SPEC = DATASETS["svhn_arranged"]
SIZE, MARGIN = (114, 190), 0.15
INK = 128  # of 255


def draw_texts(count: int, high: float = 30.0) -> list[tuple[Word, Box]]:
    rng, fonts = np.random.default_rng(0), find_readable_fonts()
    return [texts.plan_text(rng, fonts[index % len(fonts)], high, (200.0, 100.0)) for index in range(count)]


@pytest.fixture(scope="module")
def drawn() -> list[tuple[Word, Box]]:
    return draw_texts(400)


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Entry]]:
    return list_forms(write_colored(tmp_path_factory.mktemp("data") / "train", 200))


def test_no_digit_of_the_picture_is_left(entries: dict[str, list[Entry]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blanks, "paint_word", lambda *_: None)
    assert SPEC.locate
    for entry in entries[PAGE]:
        assert (entry.label, entry.name) == ("", f"{entry.picture} {PAGE}")
        assert SPEC.locate(entry, MARGIN) == []
        assert np.ptp(SPEC.load(entry, SIZE, MARGIN).astype(int), axis=2).max() < 60


def test_the_text_is_in_the_ink_of_the_number_that_was_there(entries: dict[str, list[Entry]]) -> None:
    colored = [np.ptp(SPEC.load(entry, SIZE, MARGIN).astype(int), axis=2) > 60 for entry in entries[PAGE]]
    assert np.mean([mask.mean() > 0.02 for mask in colored]) > 0.9


def test_a_crop_shows_the_text_where_the_number_was(monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[tuple[Word, Box]] = []

    def plan(*arguments: Any) -> tuple[Word, Box]:
        planned.append(texts.plan_text(*arguments))
        return planned[-1]

    monkeypatch.setattr(blanks, "plan_text", plan)
    arrangement = Arrangement(PAGE, ((1000, 500, 1020, 540), (1022, 500, 1040, 540)), (), find_readable_fonts()[0], 0)
    for seed in range(50):
        scene = blanks.plan_page(np.random.default_rng(seed), (2000, 1000), arrangement)
        assert scene.size == (2000, 1000)  # so its pixels are the picture's
        word, part = planned[-1]
        left, top, right, bottom = word.box
        assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((1020, 520), abs=1)
        np.testing.assert_allclose(scene.around, part, rtol=0, atol=5 * blanks.JITTER * (part[3] - part[1]))


def test_pages_and_words_are_drawn_apart(entries: dict[str, list[Entry]]) -> None:
    pages, words = ({entry.picture for entry in entries[form]} for form in (PAGE, BLANK))
    assert min(len(pages - words), len(words - pages), len(pages & words)) > 0


def test_other_entries_are_those_of_records_without_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_colored(tmp_path / "train", 60)
    found = list_forms(data)
    assert found.pop(PAGE)
    monkeypatch.setattr("svhn.datasets.arranged.dataset.PAGE_SHARE", 0.0)
    assert list_forms(data) == found


def test_texts_have_no_digit_and_one_to_three_lines(drawn: list[tuple[Word, Box]]) -> None:
    written = [word.text for word, _ in drawn if word.text]
    assert not any(character.isdigit() for text in written for character in text)
    assert {text.count("\n") + 1 for text in written} == {1, 2, 3}
    assert {len(line.split()) for text in written for line in text.split("\n")} == {1, 2, 3, 4}
    assert max(len(word) for text in written for word in text.split()) == 2 * texts.SYLLABLES + 1


def test_a_row_has_three_rings_or_boxes_or_more(drawn: list[tuple[Word, Box]]) -> None:
    rows = [word for word, _ in drawn if not word.text]
    assert len(rows) / len(drawn) == pytest.approx(texts.SHAPES_SHARE, abs=0.06)
    counts = set()
    for word in rows:
        inked = (np.asarray(word.glyph) > INK // 2).any(axis=0)
        counts.add(1 + np.count_nonzero(np.diff(np.flatnonzero(inked)) > 1))
    assert counts == {3, 4, 5, 6}
    corners = [np.asarray(word.glyph)[0, 0] > INK for word in rows]
    assert 0 < sum(corners) < len(rows)  # boxes, some with round corners, and rings


def test_a_text_is_around_its_place_and_bounded(drawn: list[tuple[Word, Box]]) -> None:
    for word, _ in drawn + draw_texts(50, 500.0):
        left, top, right, bottom = word.box
        assert word.glyph.size == (right - left, bottom - top)
        assert abs(left + right - 400) <= 2
        assert abs(top + bottom - 200) <= 2
        assert right - left <= texts.WIDEST
        assert np.asarray(word.glyph).max() > INK // 2


def test_a_part_shows_whole_lines_and_some_letters(drawn: list[tuple[Word, Box]]) -> None:
    wide = [pair for pair in drawn if pair[0].text and pair[0].glyph.width > texts.LEAST_PART * pair[0].high + 1]
    parts = [(word, part) for word, part in wide if part != word.box]
    assert len(parts) / len(wide) == pytest.approx(texts.PART_SHARE, abs=0.08)
    for word, (left, top, right, bottom) in parts:
        x0, y0, x1, y1 = word.box
        pitch = (y1 - y0) / (word.text.count("\n") + 1)
        assert x0 <= left < right <= x1 + 1e-6
        assert y0 <= top < bottom <= y1 + 1e-6
        assert (bottom - top) / pitch == pytest.approx(round((bottom - top) / pitch))
        assert right - left >= min(x1 - x0, texts.LEAST_PART * word.high) - 1e-6
    assert any(part[3] < word.box[3] - 1 for word, part in parts)
    assert any(part[1] > word.box[1] + 1 for word, part in parts)
