"""The benchmark of pre-labels: what it draws, which pictures it goes through, and what counts as a change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import labeling
from benchmarks.helpers.displays import draw_display, write_displays

BOX = (10.0, 10.0, 30.0, 20.0)
TRUTHS: labeling.Labels = dict.fromkeys(("1.png", "2.png", "3.png", "4.png"), ("27", BOX))
FOUND: labeling.Labels = {
    "3.png": ("28", BOX),
    "2.png": ("27", (20.0, 10.0, 40.0, 20.0)),  # a third of both boxes
    "1.png": ("27", (10.0, 10.0, 32.0, 20.0)),
}


def test_a_display_holds_its_number_within_its_box() -> None:
    for seed in range(20):
        text, picture, (left, top, right, bottom) = draw_display(np.random.default_rng(seed))
        assert 1 <= len(text) <= 5
        assert 0 <= left < right <= picture.width
        assert 0 <= top < bottom <= picture.height
        pixels = np.asarray(picture, float).mean(axis=2)
        inside = pixels[round(top) : round(bottom), round(left) : round(right)]
        assert inside.std() > 1.5 * np.concatenate([pixels[:, : int(left)].ravel(), pixels[: int(top)].ravel()]).std()


def test_pictures_are_drawn_alike_by_their_seed(tmp_path: Path) -> None:
    first, again, other = (write_displays(tmp_path / name, 2, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert first == again != other
    same, new = (Image.open(tmp_path / name / "0000.jpg") for name in ("a", "b"))
    assert np.array_equal(np.asarray(same), np.asarray(new))


def test_pictures_without_a_number_come_first_and_wrong_labels_are_changed() -> None:
    order = labeling.choose_names(FOUND, TRUTHS, "4", 0)
    assert order == ["4.png", "3.png", "2.png", "1.png"]
    assert sorted(labeling.choose_names(FOUND, TRUTHS, "r4", 0)) == sorted(TRUTHS)
    labels, changed = labeling.correct_labels(FOUND, TRUTHS, order[:2])
    assert changed == 2
    assert labels == {**FOUND, "3.png": TRUTHS["3.png"], "4.png": TRUTHS["4.png"]}
    assert labeling.correct_labels(FOUND, TRUTHS, order) == ({**TRUTHS, "1.png": FOUND["1.png"]}, 3)


def test_labels_of_the_command_are_read(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("filename,label,left,top,width,height,confidence\na.png,07,1,2,30,4.5,0.5\n")
    assert labeling.read_prelabels(tmp_path / "labels.csv") == {"a.png": ("07", (1, 2, 31, pytest.approx(6.5)))}
