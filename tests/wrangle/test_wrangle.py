"""`python -m svhn.wrangle`: which pictures end up in which split, and the same bytes every time."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import PIL
import pytest
from support.fixtures import GRAY_PICTURE, GROUND, INK
from support.wrangling import (
    LENGTHS,
    QUIRKS,
    examples,
    names,
    numbers,
    tree,
    without_report,
    wrangled,
)

from svhn import records
from svhn.wrangle.crop import describe_encoder


def expected_lengths(*splits: str) -> Counter[int]:
    total: Counter[int] = Counter()
    for split in splits:
        total.update(LENGTHS[split])
        total.update(QUIRKS)
    return total


def test_each_length_gives_a_twentieth_to_valid(undisturbed: Path) -> None:
    info = records.read_info(undisturbed, "svhn")
    held_out: Counter[int] = Counter()
    for split in ("train", "extra"):
        held_out.update({length: math.floor(count * 0.05) for length, count in expected_lengths(split).items()})
    assert +held_out == {1: 2 + 1, 2: 3 + 2, 3: 1 + 2}
    whole = expected_lengths("train", "extra")
    assert info.lengths["valid"] == {str(length): count for length, count in held_out.items() if count}
    assert info.lengths["train"] == {str(length): count - held_out[length] for length, count in whole.items()}
    assert info.lengths["test"] == {"1": 3, "2": 24, "3": 1, "6": 1}
    for split, lengths in info.lengths.items():
        read = Counter(str(len(text)) for _, text, _ in examples(undisturbed, split))
        assert read == lengths
        assert sum(info.splits[split]) == read.total()


def test_valid_takes_the_share_that_is_asked_for(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path, "--valid_share=0.8") == 0
    info = records.read_info(tmp_path, "svhn")
    held_out: Counter[int] = Counter()
    for split in ("train", "extra"):
        held_out.update({length: math.floor(count * 0.8) for length, count in expected_lengths(split).items()})
    assert info.lengths["valid"] == {str(length): count for length, count in held_out.items() if count}
    train, valid = names(tmp_path, "train"), names(tmp_path, "valid")
    assert sorted(train + valid) == sorted(names(undisturbed, "train") + names(undisturbed, "valid"))


def test_a_share_too_small_for_one_number_leaves_no_earlier_ones(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrangled(sources, tmp_path, "--valid_share=0.5") == 0
    assert "valid is empty" not in capsys.readouterr().out
    assert wrangled(sources, tmp_path, "--valid_share=0.001") == 0
    assert "\nvalid is empty, so no checkpoint will be scored: " in capsys.readouterr().out
    info = records.read_info(tmp_path, "svhn")
    assert not info.has_split("valid")
    assert not list((tmp_path / "svhn").glob("valid-*"))
    assert len(names(tmp_path, "train")) == sum(expected_lengths("train", "extra").values())


def test_splits_are_disjoint_and_mixed(undisturbed: Path) -> None:
    train, valid, test = (names(undisturbed, split) for split in ("train", "valid", "test"))
    everything = [f"{split}/{name}" for split in LENGTHS for name in numbers(split)]
    assert sorted(train + valid + test) == sorted(everything)
    assert {name.split("/")[0] for name in test} == {"test"}
    for mixed in (train, valid):
        assert {name.split("/")[0] for name in mixed} == {"train", "extra"}
    assert train != sorted(train)
    assert [name for name in everything if name in train] != train


def test_every_quirk_is_read(undisturbed: Path) -> None:
    read = {name: (text, pixels) for name, text, pixels in examples(undisturbed, "test")}
    expected = {"1.png": "210", "2.png": "7", "3.png": "35", GRAY_PICTURE: "19", "6.png": "48"}
    assert {name: read[f"test/{name}"][0] for name in expected} == expected
    assert all(pixels.shape == (16, 24, 3) for _, pixels in read.values())
    assert np.ptp(read[f"test/{GRAY_PICTURE}"][1].astype(int), axis=-1).max() == 0


def test_info_says_how_the_records_were_made(undisturbed: Path) -> None:
    info = records.read_info(undisturbed, "svhn")
    crop = {"dataset": "svhn", "size": (16, 24), "margin": 0.15, "channels": 3, "max_length": 5}
    assert info.form == {**crop, "fixed_length": False, "longer": True}
    assert info.encoders == dict.fromkeys(("train", "valid", "test"), describe_encoder("jpeg"))
    assert f"Pillow {PIL.__version__}, lib" in info.encoders["train"]
    assert (info.seed, info.image_format, set(info.sources)) == (0, "jpeg", set(LENGTHS))
    assert len({*info.sources.values()}) == 3


def test_margin_widens_the_crop(sources: Path, tmp_path: Path) -> None:
    for margin in ("0", "0.3"):
        assert wrangled(sources, tmp_path / margin, "--splits=test", f"--margin={margin}") == 0
        assert records.read_info(tmp_path / margin, "svhn").margin == float(margin)
    bare, wide = ({name: pixels for name, _, pixels in examples(tmp_path / at, "test")} for at in ("0", "0.3"))
    assert np.abs(bare["test/2.png"][:, 3:-3].astype(int) - INK).max() < 30  # its box alone
    assert np.abs(wide["test/2.png"][:, :3].astype(int) - GROUND).max() < 30


def test_the_same_bytes_with_any_number_of_processes(
    sources: Path, undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrangled(sources, tmp_path, "--processes=2") == 0
    assert tree(tmp_path) == tree(undisturbed)
    output = capsys.readouterr().out.splitlines()
    assert output[-3].startswith("3 numbers longer than --max_length: ")
    assert output[-2:] == ["left out: 0 pictures skipped", f"Records saved to {tmp_path}/svhn"]
    assert "test: 29 examples in 1 files" in output
    assert wrangled(sources, tmp_path) == 0
    assert tree(tmp_path) == tree(undisturbed)


def test_another_seed_draws_another_order(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path, "--seed=1") == 0
    assert names(tmp_path, "test") != names(undisturbed, "test")
    assert sorted(names(tmp_path, "test")) == sorted(names(undisturbed, "test"))
    assert sorted(names(tmp_path, "valid")) != sorted(names(undisturbed, "valid"))


def test_splits_one_after_the_other(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path, "--splits=test") == 0
    assert set(records.read_info(tmp_path, "svhn").splits) == {"test"}
    assert wrangled(sources, tmp_path, "--splits=train,extra") == 0
    assert without_report(tmp_path) == without_report(undisturbed)


def test_a_source_does_not_push_another_out_of_the_split_they_share(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrangled(sources, tmp_path, "--splits=train") == 0
    before = tree(tmp_path)
    assert wrangled(sources, tmp_path, "--splits=extra") == 1
    assert "--splits=extra,train, or choose another --records_dir" in capsys.readouterr().err
    assert tree(tmp_path) == before
    assert wrangled(sources, tmp_path, "--splits=extra,train") == 0
    assert {name.split("/")[0] for name in names(tmp_path, "train")} == {"train", "extra"}


def test_a_split_that_is_named_twice_is_read_once(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path, "--splits=test,train,test,extra") == 0
    assert records.read_info(tmp_path, "svhn").splits == records.read_info(undisturbed, "svhn").splits
