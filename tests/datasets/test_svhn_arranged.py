"""Which entries there are beside those of svhn, and that nothing of a picture is in two splits."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.arranged import GROUND, list_forms
from support.fixtures import NUMBERS, Row, write_boxes, write_format1

from svhn.datasets import DATASETS
from svhn.datasets.arranged.dataset import BLANK_SHARE, LOOSE_SHARE, PAGE_SHARE, SIGN_SHARE
from svhn.datasets.arranged.digits import stand_apart
from svhn.datasets.arranged.forms import BLANK, FORMS, LOOSE, PAGE, SIGN
from svhn.datasets.svhn import SVHN
from svhn.wrangle.draw import Options, Tally, draw_splits

ROOT = Path(__file__).parents[2]
MARGIN = 0.15
SPEC = DATASETS["svhn_arranged"]


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
    write_boxes(tmp_path / "train", {**make_rows(500), **NUMBERS, "0.png": unusable})
    options = Options(SVHN.size, SVHN.margin, seed)
    expected = draw_splits(SVHN, tmp_path, ["train"], options, Tally())
    found = draw_splits(SPEC, tmp_path, ["train"], options, Tally())
    pictures = {split: {entry.picture for entry in entries} for split, entries in found.items()}
    assert pictures == {split: {entry.name for entry in entries} for split, entries in expected.items()}
    assert len(pictures["valid"]) >= 15
    assert len(found["valid"]) > len(pictures["valid"])


def test_no_form_is_made_of_a_number_that_svhn_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    rows = make_rows(400)
    write_boxes(tmp_path / "train", rows)
    lengths = Counter(len(rows[entry.picture.removeprefix("train/")]) for entry in SPEC.entries(tmp_path, "train", 0))
    assert lengths[6] == sum(len(row) == 6 for row in rows.values()) > 0


def test_forms_are_as_frequent_as_their_shares(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    write_boxes(tmp_path / "train", {name: rows for name, rows in make_rows(1200).items() if len(rows) in (2, 3)})
    entries = list_forms(tmp_path)
    names = [entry.name for same in entries.values() for entry in same]
    assert len(set(names)) == len(names)
    forms = {form: len(same) for form, same in entries.items()}
    pictures = forms.pop("")
    assert forms.pop(BLANK) == pytest.approx(BLANK_SHARE * pictures, rel=0.2)
    assert forms.pop(PAGE) == pytest.approx(PAGE_SHARE * pictures, rel=0.2)
    assert forms.pop(LOOSE) == pytest.approx(LOOSE_SHARE * pictures, rel=0.15)
    assert forms.pop(SIGN) == pytest.approx(SIGN_SHARE * pictures, rel=0.15)
    assert sum(forms.values()) == pytest.approx(0.7 * pictures, rel=0.08)
    assert sum(form.share for form in FORMS.values()) == pytest.approx(1)
    for name, form in FORMS.items():
        assert forms[name] == pytest.approx(form.share * sum(forms.values()), rel=0.35)


def test_only_digits_that_stand_apart_are_put_together_anew(tmp_path: Path) -> None:
    close: list[Row] = [(1, 5, 5, 20, 30), (2, 15, 5, 20, 30)]
    small: list[Row] = [(1, 5, 5, 5, 9), (2, 15, 5, 5, 9)]
    wide: list[Row] = [(1, 5, 5, 60, 20), (2, 70, 5, 10, 20)]
    for rows in (close, small, wide, [close[0]]):
        folder = tmp_path / str(rows) / "train"
        folder.mkdir(parents=True)
        write_boxes(folder, {f"{index}.png": rows for index in range(60)})
        forms = list_forms(folder.parent)
        assert {entry.label for entry in forms.pop(BLANK) + forms.pop(PAGE)} == {""}
        assert {entry.label for entry in forms.pop(LOOSE)} == {"12"[: len(rows)]}
        assert bool(forms.pop(SIGN, [])) is (rows is not small)
        assert set(forms) == {"", "slanted", "lettered"}
        assert {entry.label for entries in forms.values() for entry in entries} == {"12"[: len(rows)]}
    assert stand_apart(((5, 5, 20, 35), (18, 5, 35, 35)))  # boxes that share a fifth of a digit's width do not


def test_a_box_outside_of_its_picture_is_reported_for_each_form(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    rows: list[Row] = [(1, 100, 5, 12, 24), (2, 115, 5, 12, 24)]
    numbers = {f"{index}.png": rows for index in range(60)}
    write_boxes(tmp_path / "train", numbers)
    for name in numbers:
        Image.new("RGB", (64, 40), GROUND).save(tmp_path / "train" / name)
    for form, entries in list_forms(tmp_path).items():
        with pytest.raises(ValueError, match="lies outside of the picture of 64 x 40 pixels"):
            SPEC.load(entries[0], (57, 95), MARGIN)
        assert SPEC.locate, form
        with pytest.raises(ValueError, match="lies outside of the picture of 64 x 40 pixels"):
            SPEC.locate(entries[0], MARGIN)


def test_missing_fonts_are_reported_before_any_picture_is_read(tmp_path: Path) -> None:
    write_format1(tmp_path / "train")
    check = f"""import sys
sys.modules["matplotlib"] = None
from svhn.runtime import shell
from svhn.wrangle import __main__
flags = ["--dataset=svhn_arranged", "--data_dir={tmp_path}", "--records_dir={tmp_path}/records", "--processes=1"]
sys.exit(shell.run_main(__main__.main, ["wrangle", *flags]))"""
    ended = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == 1
    assert "'.[synthetic]'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list((tmp_path / "records").rglob("*.tfrecord"))
