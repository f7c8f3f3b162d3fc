"""Digits in new forms stand as their form says, each within its box, and a crop shows what it should."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.arranged import COLORS, list_forms, write_colored

from svhn.datasets import DATASETS
from svhn.datasets.arranged.forms import FORMS, plan_scene
from svhn.datasets.arranged.scene import Arrangement
from svhn.datasets.synthetic.fonts import find_readable_fonts
from svhn.images import decoding, enclose_boxes, open_reduced
from svhn.spec import Box, Entry

SPEC = DATASETS["svhn_arranged"]
SIZE = (360, 600)  # of crops, in which boxes can be compared to pixels
MARGIN = 0.15
ODD_BOXES = (  # of digits, in a photo of 8000 x 6000 pixels
    (0.0, 100.0, 8000.0, 102.0),
    (100.0, 0.0, 102.0, 6000.0),
    (-1e7, -1e7, 1e7, 1e7),
    (50.0, 40.0, 62.0, 60.0),
)
COLORFUL = 60  # of 255: the least difference between the channels of a pixel that shows a digit


def locate(entry: Entry, margin: float = MARGIN) -> list[Box]:
    """The boxes of an entry's digits in pixels of `SIZE`."""
    assert SPEC.locate
    height, width = SIZE
    return [(x0 * width, y0 * height, x1 * width, y1 * height) for x0, y0, x1, y1 in SPEC.locate(entry, margin)]


def check_digits(entry: Entry) -> None:
    """Asserts that the middle of each digit's box has the digit's color."""
    pixels, boxes = SPEC.load(entry, SIZE, MARGIN).astype(int), locate(entry)
    assert len(boxes) == len(entry.label)
    for digit, (left, top, right, bottom) in zip(entry.label, boxes, strict=True):
        middle = pixels[round((top + bottom) / 2), round((left + right) / 2)]
        nearest = min(COLORS, key=lambda each: int(np.abs(middle - COLORS[each]).sum()))
        assert nearest == digit, (entry.name, entry.label, boxes)


@pytest.fixture(scope="module")
def colored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Entry]]:
    return list_forms(write_colored(tmp_path_factory.mktemp("data") / "train", 240))


every_form = pytest.mark.parametrize("form", FORMS)


@every_form
def test_each_box_shows_the_digit_of_the_label(colored: dict[str, list[Entry]], form: str) -> None:
    assert len(colored[form]) >= 8
    for entry in colored[form]:
        check_digits(entry)


@every_form
def test_no_digit_reaches_out_of_its_box(colored: dict[str, list[Entry]], form: str) -> None:
    """Nor is a box larger than its digit, unless the digit is turned."""
    for entry in colored[form]:
        pixels, boxes = SPEC.load(entry, SIZE, MARGIN).astype(int), locate(entry)
        shown = np.ptp(pixels, axis=2) > COLORFUL
        inside = np.zeros_like(shown)
        for left, top, right, bottom in boxes:
            wide, high = 0.12 * (right - left), 0.12 * (bottom - top)  # to which resizing blurs an edge
            inside[
                max(0, int(top - high)) : int(bottom + high) + 1, max(0, int(left - wide)) : int(right + wide) + 1
            ] = True
            if form not in ("slanted", "long"):  # long numbers have digits that may lie over their neighbors' edges
                assert shown[int(top + high) : int(bottom - high), int(left + wide) : int(right - wide)].mean() > 0.95
        if form != "lettered":  # a letter has the color of a digit
            assert (shown & ~inside).mean() < 0.002, entry.name


def in_rows(boxes: Sequence[Box]) -> bool:
    heights = [bottom - top for _, top, _, bottom in boxes]
    tops = sorted(top for _, top, _, _ in boxes)
    return sum(after - before > 0.5 * min(heights) for before, after in itertools.pairwise(tops)) == 1


def follow(boxes: Sequence[Box], side: int) -> bool:
    """Whether each box is beyond the one before, but for what a box may overlap with another."""
    sides = [box[side + 2] - box[side] for box in boxes]
    return all(after[side] - before[side + 2] > -0.2 * min(sides) for before, after in itertools.pairwise(boxes))


TOP = itemgetter(1)
SHAPES: dict[str, Callable[[Sequence[Box]], bool]] = {
    "stacked": lambda boxes: follow(boxes, 1),
    "rows": in_rows,
    "apart": lambda boxes: all(after[0] > before[2] for before, after in itertools.pairwise(boxes)),
    "climbing": lambda boxes: follow(boxes, 0) and [*boxes] in (sorted(boxes, key=TOP), sorted(boxes, key=TOP)[::-1]),
    "long": lambda boxes: follow(boxes, 0) and 6 <= len(boxes) <= 8,
    "slanted": lambda boxes: [*boxes] == sorted(boxes) and abs(boxes[0][1] - boxes[-1][1]) > 0.05 * SIZE[0],
    "lettered": lambda boxes: follow(boxes, 0),
}


@every_form
def test_digits_stand_as_their_form_says(colored: dict[str, list[Entry]], form: str) -> None:
    for entry in colored[form]:
        assert SHAPES[form](locate(entry)), entry.name


@every_form
def test_a_crop_shows_the_number_with_its_margin(colored: dict[str, list[Entry]], form: str) -> None:
    for entry in colored[form]:
        left, top, right, bottom = enclose_boxes(locate(entry))
        number, share = (right - left, bottom - top), MARGIN / (1 + 2 * MARGIN)
        if form != "lettered" or number[0] / SIZE[1] > 0.9 / (1 + 2 * MARGIN):
            assert (left / SIZE[1], top / SIZE[0]) == pytest.approx((share, share), abs=0.03)
            assert (1 - right / SIZE[1], 1 - bottom / SIZE[0]) == pytest.approx((share, share), abs=0.03)


def test_a_letter_stands_after_or_before_the_number_and_is_not_always_in_the_crop(
    colored: dict[str, list[Entry]],
) -> None:
    sides: Counter[str] = Counter()
    for entry in colored["lettered"]:
        assert entry.label == "123"
        boxes = locate(entry)
        before, after = boxes[0][0] / SIZE[1], 1 - boxes[-1][2] / SIZE[1]
        sides["neither" if max(before, after) < 0.15 else "before" if before > after else "after"] += 1
    assert sides["after"] > sides["before"] > 0
    assert 0.2 < sides["neither"] / sides.total() < 0.65


def test_the_seed_and_the_name_alone_decide_an_entry(colored: dict[str, list[Entry]]) -> None:
    for form in FORMS:
        one, other = colored[form][:2]
        pixels = SPEC.load(one, (57, 95), MARGIN)
        assert (pixels == SPEC.load(one, (57, 95), MARGIN)).all()
        assert (pixels != SPEC.load(other, (57, 95), MARGIN)).any()
        again = one._replace(source=(*one.source[:2], one.source[2]._replace(seed=1)))
        assert (pixels != SPEC.load(again, (57, 95), MARGIN)).any()


def test_a_large_photo_is_arranged_as_a_small_one(
    colored: dict[str, list[Entry]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A JPEG that is decoded at a fraction of its size has its boxes in pixels of its file."""
    path, factor = tmp_path / "large.jpg", 16
    picture = Image.open(colored[""][0].source[0])
    picture.resize((factor * picture.width, factor * picture.height), Image.Resampling.NEAREST).save(path, quality=95)
    monkeypatch.setattr(decoding, "MEGAPIXELS", 0.1)
    assert open_reduced(path).reduction > 1
    for form in FORMS:
        _, number, arrangement = colored[form][0].source
        around, *boxes = (tuple(factor * side for side in box) for box in (number, *arrangement.boxes))
        source = str(path), around, arrangement._replace(boxes=tuple(boxes))
        check_digits(colored[form][0]._replace(source=source))


@pytest.mark.parametrize("form", [name for name, form in FORMS.items() if not form.counts])
def test_a_scene_is_small_whatever_its_boxes_and_its_picture_are(form: str) -> None:
    """A digit may be labeled with a line across a photo. Other forms take plausible boxes alone."""
    font, rng = find_readable_fonts()[0], np.random.default_rng(0)
    for box in (
        (0.0, 100.0, 8000.0, 102.0),
        (100.0, 0.0, 102.0, 6000.0),
        (-1e7, -1e7, 1e7, 1e7),
        (50.0, 40.0, 62.0, 60.0),
    ):
        arrangement = Arrangement(form, (box,), (0,), font, 0)
        assert max(plan_scene(rng, (8000, 6000), arrangement).size) < 1500
