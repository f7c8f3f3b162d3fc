"""Drawn numbers with and without a letter: what they are labeled, and where their digits lie."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from support.arranged import list_forms, write_colored

from svhn.datasets import DATASETS
from svhn.datasets.arranged import signs
from svhn.datasets.arranged.forms import SIGN, plan_scene
from svhn.datasets.arranged.letters import AFTER_SHARE, INCLUDED_SHARE, LARGE, LIKE_DIGITS, Ink
from svhn.datasets.arranged.scene import Arrangement
from svhn.datasets.synthetic.fonts import find_readable_fonts
from svhn.spec import Box, Entry

SPEC = DATASETS["svhn_arranged"]
SIZE, MARGIN = (114, 190), 0.15
INK, GROUND = np.array((250, 20, 20), np.float32), np.array((128, 128, 128), np.float32)


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    return list_forms(write_colored(tmp_path_factory.mktemp("data") / "train", 240))[SIGN]


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs are written without grain and blur in one color on another."""
    monkeypatch.setattr(signs, "measure_ink", lambda *_: Ink(INK, GROUND, 0.01))


def find_ink(entry: Entry) -> np.ndarray:
    """Where a crop has the color of the ink, bool (height, width)."""
    pixels = SPEC.load(entry, SIZE, MARGIN).astype(int)
    return pixels[..., 0] - pixels[..., 1] > 80


def test_the_label_is_the_digits_of_what_is_written(entries: list[Entry]) -> None:
    texts = [entry.source[2].text for entry in entries]
    assert [entry.label for entry in entries] == ["".join(filter(str.isdigit, text)) for text in texts]
    assert [entry.name for entry in entries] == [f"{entry.picture} {SIGN}" for entry in entries]
    assert {len(entry.label) for entry in entries} >= {1, 2, 3}
    assert len(set(texts)) > len(texts) / 2


@pytest.mark.usefixtures("clean")
def test_each_digit_is_written_in_its_box(entries: list[Entry]) -> None:
    assert SPEC.locate
    for entry in entries:
        ink, boxes = find_ink(entry), SPEC.locate(entry, MARGIN)
        assert len(boxes) == len(entry.label)
        for left, top, right, bottom in boxes:
            columns, rows = (left * SIZE[1], right * SIZE[1]), (top * SIZE[0], bottom * SIZE[0])
            inside = ink[round(rows[0]) : round(rows[1]), round(columns[0]) : round(columns[1])]
            assert inside.mean() > 0.1, entry.name
            across = np.flatnonzero(inside.any(axis=0))
            assert across[0] <= 3 and across[-1] >= inside.shape[1] - 4, entry.name  # noqa: PT018


@pytest.mark.usefixtures("clean")
def test_most_crops_show_all_of_the_letter_and_the_others_nothing_of_it(entries: list[Entry]) -> None:
    assert SPEC.locate
    whole, lettered = 0, [entry for entry in entries if entry.source[2].text[-1].isalpha()]
    for entry in lettered:
        end = SPEC.locate(entry, MARGIN)[-1][2]
        whole += end < 1 - MARGIN / (1 + 2 * MARGIN) - 0.02
        shown = find_ink(entry)[:, round(end * SIZE[1]) + 3 :].any()
        assert bool(shown) is (end < 1 - MARGIN / (1 + 2 * MARGIN) - 0.02), entry.name
    assert whole / len(lettered) == pytest.approx(INCLUDED_SHARE, abs=0.2)


def test_texts_are_as_frequent_as_their_shares() -> None:
    rng = np.random.default_rng(0)
    large = LARGE / signs.HEIGHTS[0]
    texts = [signs.draw_text(rng, large) for _ in range(2000)]
    lettered = [text for text in texts if not text.isdigit()]
    assert len(lettered) / len(texts) == pytest.approx(signs.LETTER_SHARE, abs=0.03)
    assert np.mean([text[-1].isalpha() for text in lettered]) == pytest.approx(AFTER_SHARE, abs=0.03)
    assert all(sum(map(str.isalpha, text)) <= 1 for text in texts)
    small = "".join(signs.draw_text(rng, large - 1) for _ in range(500))
    assert not {*small} & {*LIKE_DIGITS}
    assert {*"".join(texts)} & {*LIKE_DIGITS}


def test_a_number_that_would_not_stand_out_gets_a_plate(entries: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []
    monkeypatch.setattr(signs, "paint_word", lambda *values: shares.append(values[-1]))
    *source, arrangement = entries[0].source
    short, long = (entries[0]._replace(source=(*source, arrangement._replace(text=text))) for text in ("8", "12345A"))
    for entry, color in ((short, GROUND), (short, INK), (long, INK)):
        monkeypatch.setattr(signs, "measure_ink", lambda *_, color=color: Ink(color, np.full(3, 20, np.float32), 0.3))
        SPEC.load(entry, SIZE, MARGIN)
    assert shares == [1.0, signs.PLATE_SHARE, 1.0]  # a long one would lie on what is beside the picture's number


@pytest.mark.parametrize(
    ("level", "ground", "expected"), [(110, 100, 180), (190, 200, 120), (90, 120, 90), (250, 250, 170)]
)
def test_faint_ink_is_made_stronger(level: int, ground: int, expected: int) -> None:
    ink = Ink(np.full(3, level, np.float32), np.full(3, ground, np.float32), 0.3)
    assert signs._strengthen_ink(ink).color.tolist() == [expected] * 3


def test_the_seed_and_the_name_alone_decide_a_crop(entries: list[Entry]) -> None:
    one, other = (SPEC.load(entry, SIZE, MARGIN) for entry in entries[:2])
    assert (one == SPEC.load(entries[0], SIZE, MARGIN)).all()
    assert (one != other).any()


@pytest.mark.parametrize(
    "box", [(0.0, 100.0, 8000.0, 102.0), (100.0, 0.0, 102.0, 6000.0), (-1e7, -1e7, 1e7, 1e7), (50.0, 40.0, 62.0, 60.0)]
)
def test_a_crop_lies_in_its_scene_which_is_small_whatever_the_box_is(box: Box) -> None:
    """A digit may be labeled with a line across a photo."""
    arrangement = Arrangement(SIGN, (box,), (), find_readable_fonts()[0], 0, "1234A")
    for seed in range(20):
        scene = plan_scene(np.random.default_rng(seed), (8000, 6000), arrangement)
        left, top, right, bottom = scene.around
        assert 0 <= left < right <= scene.size[0] < 1500
        assert 0 <= top < bottom <= scene.size[1] < 1500
        assert (
            scene.paint(Image.new("RGB", (8000, 6000) if box == (50.0, 40.0, 62.0, 60.0) else (80, 60))).size
            == scene.size
        )
