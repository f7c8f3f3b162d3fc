"""Digits in new forms: labels, boxes and pixels agree, and nothing of a picture is in two splits."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from support.fixtures import NUMBERS, Row, write_boxes, write_format1

from svhn.datasets import DATASETS
from svhn.datasets.arranged.digits import stand_apart
from svhn.datasets.arranged.forms import FORMS
from svhn.datasets.arranged.scene import enclose_boxes
from svhn.datasets.svhn import SVHN
from svhn.images import decoding, open_reduced
from svhn.spec import Box, Entry
from svhn.wrangle.draw import Options, Tally, draw_splits

SPEC = DATASETS["svhn_arranged"]
SIZE = (360, 600)  # of crops, in which boxes can be compared to pixels
MARGIN = 0.15
GROUND = (128, 128, 128)
COLORS = {"1": (250, 20, 20), "2": (20, 250, 20), "3": (20, 20, 250)}  # of digits that are filled boxes
COLORFUL = 60  # of 255: the least difference between the channels of a pixel that shows a digit


def make_rows(count: int, seed: int = 0) -> dict[str, list[Row]]:
    """Numbers of one to six digits, side by side, 14 to 30 pixels high."""
    rng = np.random.default_rng(seed)
    numbers: dict[str, list[Row]] = {}
    for index in range(1, count + 1):
        length, high = int(rng.choice(6, p=(0.15, 0.5, 0.25, 0.08, 0.01, 0.01))) + 1, float(rng.integers(14, 31))
        numbers[f"{index}.png"] = [
            (int(rng.integers(1, 11)), 5 + place * 0.7 * high, 4, 0.6 * high, high) for place in range(length)
        ]
    return numbers


def write_colored(folder: Path, count: int) -> Path:
    """Pictures of 1, 2 and 3 in a row, each digit a box in a color of its own."""
    folder.mkdir(parents=True)
    rows: list[Row] = [(1, 12, 10, 12, 24), (2, 29, 10, 16, 24), (3, 50, 10, 14, 24)]
    picture = Image.new("RGB", (76, 44), GROUND)
    for label, left, top, width, height in rows:
        box = (left, top, left + width - 1, top + height - 1)
        ImageDraw.Draw(picture).rectangle(box, fill=COLORS[str(label)])
    numbers = {f"{index}.png": rows for index in range(count)}
    for name in numbers:
        picture.save(folder / name)
    write_boxes(folder, numbers)
    return folder.parent


def list_by_form(data: Path, seed: int = 0) -> dict[str, list[Entry]]:
    """The entries of train by form; those without one have the form ""."""
    forms: dict[str, list[Entry]] = defaultdict(list)
    for entry in SPEC.entries(data, "train", seed):
        forms[entry.name.removeprefix(entry.picture).strip()].append(entry)
    return forms


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
    return list_by_form(write_colored(tmp_path_factory.mktemp("data") / "train", 240))


every_form = pytest.mark.parametrize("form", FORMS)


def test_each_picture_comes_first_as_svhn_has_it(tmp_path: Path) -> None:
    write_format1(tmp_path / "train")
    plain = {entry.name: entry for entry in SPEC.entries(tmp_path, "train", 0) if entry.name == entry.picture}
    published = list(SVHN.entries(tmp_path, "train", 0))
    assert list(plain) == [entry.name for entry in published]
    for entry in published:
        same = plain[entry.name]
        assert (same.label, same.problem, same.boxes) == (entry.label, entry.problem, entry.boxes)
        np.testing.assert_array_equal(SPEC.load(same, (57, 95), 0.15), SVHN.load(entry, (57, 95), 0.15))
        assert SPEC.locate
        assert SVHN.locate
        assert SPEC.locate(same, 0.15) == SVHN.locate(entry, 0.15)


@pytest.mark.parametrize("seed", [0, 5])
def test_valid_holds_the_pictures_that_svhn_has_there(tmp_path: Path, seed: int) -> None:
    """And all that is made of them, and nothing of train's."""
    (tmp_path / "train").mkdir()
    unusable: list[Row] = [(1, 5, 5, 0, 20)]
    write_boxes(tmp_path / "train", {**make_rows(900), **NUMBERS, "0.png": unusable})
    options = Options(SVHN.size, SVHN.margin, seed)
    expected = draw_splits(SVHN, tmp_path, ["train"], options, Tally())
    found = draw_splits(SPEC, tmp_path, ["train"], options, Tally())
    pictures = {split: {entry.picture for entry in entries} for split, entries in found.items()}
    assert pictures == {split: {entry.name for entry in entries} for split, entries in expected.items()}
    assert len(pictures["valid"]) >= 40
    assert len(found["valid"]) > len(pictures["valid"])


def test_no_form_is_made_of_a_number_that_svhn_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    rows = make_rows(400)
    write_boxes(tmp_path / "train", rows)
    lengths = Counter(len(rows[entry.picture.removeprefix("train/")]) for entry in SPEC.entries(tmp_path, "train", 0))
    assert lengths[6] == sum(len(row) == 6 for row in rows.values()) > 0


def test_forms_are_as_frequent_as_their_shares(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    write_boxes(tmp_path / "train", {name: rows for name, rows in make_rows(3000).items() if len(rows) in (2, 3)})
    forms = {form: len(entries) for form, entries in list_by_form(tmp_path).items()}
    pictures = forms.pop("")
    assert sum(forms.values()) == pytest.approx(0.7 * pictures, rel=0.05)
    assert sum(form.share for form in FORMS.values()) == pytest.approx(1)
    for name, form in FORMS.items():
        assert forms[name] == pytest.approx(form.share * sum(forms.values()), rel=0.25)
    names = [entry.name for entry in SPEC.entries(tmp_path, "train", 0)]
    assert len(set(names)) == len(names)


def test_only_digits_that_stand_apart_are_put_together_anew(tmp_path: Path) -> None:
    close: list[Row] = [(1, 5, 5, 20, 30), (2, 15, 5, 20, 30)]
    small: list[Row] = [(1, 5, 5, 5, 9), (2, 15, 5, 5, 9)]
    wide: list[Row] = [(1, 5, 5, 60, 20), (2, 70, 5, 10, 20)]
    for rows in (close, small, wide, [close[0]]):
        folder = tmp_path / str(rows) / "train"
        folder.mkdir(parents=True)
        write_boxes(folder, {f"{index}.png": rows for index in range(60)})
        forms = list_by_form(folder.parent)
        assert set(forms) == {"", "slanted", "lettered"}
        assert {entry.label for entries in forms.values() for entry in entries} == {"12"[: len(rows)]}
    assert stand_apart(((5, 5, 20, 35), (18, 5, 35, 35)))  # boxes that share a fifth of a digit's width do not


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


def test_a_box_outside_of_its_picture_is_reported_for_each_form(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    rows: list[Row] = [(1, 100, 5, 12, 24), (2, 115, 5, 12, 24)]
    numbers = {f"{index}.png": rows for index in range(60)}
    write_boxes(tmp_path / "train", numbers)
    for name in numbers:
        Image.new("RGB", (64, 40), GROUND).save(tmp_path / "train" / name)
    for form, entries in list_by_form(tmp_path).items():
        with pytest.raises(ValueError, match="lies outside of the picture of 64 x 40 pixels"):
            SPEC.load(entries[0], (57, 95), MARGIN)
        assert SPEC.locate, form
        with pytest.raises(ValueError, match="lies outside of the picture of 64 x 40 pixels"):
            SPEC.locate(entries[0], MARGIN)


def test_a_large_photo_is_arranged_as_a_small_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JPEG that is decoded at a fraction of its size has its boxes in pixels of its file."""
    path, factor = tmp_path / "large.jpg", 16
    data = write_colored(tmp_path / "data" / "train", 60)
    picture = Image.open(data / "train" / "0.png")
    picture.resize((factor * picture.width, factor * picture.height), Image.Resampling.NEAREST).save(path, quality=95)
    monkeypatch.setattr(decoding, "MEGAPIXELS", 0.1)
    assert open_reduced(path).reduction > 1
    for form, (entry, *_) in list_by_form(data).items():
        boxes = tuple(tuple(factor * side for side in box) for box in entry.boxes or entry.source[2].boxes)
        around = tuple(factor * side for side in entry.source[1])
        large = entry._replace(source=(str(path), around, (form and entry.source[2]._replace(boxes=boxes)) or None))
        check_digits(large if form else large._replace(boxes=boxes))
