"""Numbers in boxes that are not quite the true ones, as a finder's are."""

from __future__ import annotations

import numpy as np
import pytest
from support.arranged import list_forms, write_colored

from svhn.datasets import DATASETS
from svhn.datasets.arranged.forms import CUT_SHARE, LOOSE, LOOSE_SIDES, plan_scene
from svhn.datasets.arranged.scene import Arrangement
from svhn.images import enclose_boxes
from svhn.spec import Box, Entry

SPEC = DATASETS["svhn_arranged"]
SIZE, MARGIN = (114, 190), 0.15
DIGITS = ((200.0, 100.0, 210.0, 140.0), (215.0, 100.0, 240.0, 140.0))  # a 1 and a broad digit
HIGH = 40.0


def plan_around(boxes: tuple[Box, ...], seed: int, picture: tuple[int, int] = (800, 400)) -> Box:
    """The box of the crop, in pixels and beside the number's, which is moved to 0, 0."""
    arrangement = Arrangement(LOOSE, boxes, tuple(range(len(boxes))), "", 0)
    scene = plan_scene(np.random.default_rng(seed), picture, arrangement)
    left, top, _, _ = enclose_boxes(scene.boxes)
    x0, y0, x1, y1 = scene.around
    return x0 - left, y0 - top, x1 - left, y1 - top


def test_the_sides_lie_about_as_far_off_as_those_of_a_finders_boxes() -> None:
    around = np.array([plan_around(DIGITS, seed) for seed in range(600)])
    moves = (around - (0, 0, HIGH, HIGH)) * (-1, -1, 1, 1) / HIGH
    mean, deviation = LOOSE_SIDES
    assert moves[:, 1:].mean(axis=0) == pytest.approx((mean,) * 3, abs=0.015)
    assert moves[:, 1:].std(axis=0) == pytest.approx((deviation,) * 3, abs=0.012)
    assert moves[:, 0].min() == pytest.approx(-CUT_SHARE * 10 / HIGH)  # the 1 is narrow
    assert abs(np.corrcoef(moves.T) - np.eye(4)).max() < 0.2


def test_a_box_stays_in_its_picture() -> None:
    for seed in range(50):
        at_corner = tuple((x0 - 200, y0 - 100, x1 - 200, y1 - 100) for x0, y0, x1, y1 in DIGITS)
        left, top, right, bottom = plan_around(at_corner, seed, (41, 41))
        assert left >= 0
        assert top >= 0
        assert right <= 41
        assert bottom <= 41


def test_the_crop_shows_the_picture_as_it_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    forms = list_forms(write_colored(tmp_path_factory.mktemp("data") / "train", 60))
    plain = SPEC.load(forms[""][0], SIZE, MARGIN).astype(int)

    def differ(entry: Entry) -> float:
        return np.abs(SPEC.load(entry, SIZE, MARGIN) - plain).mean()

    assert len(forms[LOOSE]) >= 8
    assert SPEC.locate
    for entry in forms[LOOSE]:
        assert (entry.label, entry.name) == ("123", f"{entry.picture} {LOOSE}")
        assert len(SPEC.locate(entry, MARGIN)) == 3
        assert 0 < differ(entry) < 40
    first, second = forms[LOOSE][:2]
    assert differ(first) == differ(first) != differ(second)
