"""Whole pictures, their boxes, and what lies beside the numbers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support.fixtures import GROUND, INK, PICTURE, write_format1

from svhn import records
from svhn.datasets import DATASETS
from svhn.evaluation import score
from svhn.pipeline import boxes
from svhn.run import Run
from svhn.runs import stored
from svhn.spec import NOWHERE, Box, Entry
from svhn.wrangle.convert import Options, convert_dataset
from svhn.wrangle.draw import draw_valid

SPEC = DATASETS["svhn_full"]
EXPECTED = {  # shares of 64 x 40 pixels
    "train/1.png": (8 / 64, 10 / 40, 40 / 64, 30 / 40),
    "train/2.png": (20 / 64, 5 / 40, 32 / 64, 35 / 40),
    "train/3.png": (0, 0, 24 / 64, 22 / 40),  # cut where the picture ends
    "train/6.png": (10 / 64, 10 / 40, 38 / 64, 26 / 40),
}


def union(located: Sequence[Box] | np.ndarray) -> Box:
    left, top, right, bottom = boxes.merge_known_boxes(tf.constant(located, tf.float32, [1, len(located), 4]))[
        0
    ].numpy()
    return left, top, right, bottom


@pytest.fixture
def entries(tmp_path: Path) -> dict[str, Entry]:
    write_format1(tmp_path / "train")
    return {entry.name: entry for entry in SPEC.entries(tmp_path, "train", 0)}


def test_the_box_is_where_the_number_is(entries: dict[str, Entry]) -> None:
    assert SPEC.locate
    for name, expected in EXPECTED.items():
        assert union(SPEC.locate(entries[name], 0.0)) == pytest.approx(expected)
        pixels = SPEC.load(entries[name], (PICTURE[1], PICTURE[0]), 0.0)
        left, top, right, bottom = (np.array(expected) * [64, 40, 64, 40]).astype(int)
        ink = (pixels == INK).all(axis=2)
        assert ink[top, left:right].any()
        assert ink[bottom - 1, left:right].any()
        assert not np.delete(ink, np.s_[left:right], axis=1).any()


def test_beside_a_number_there_is_none_and_nothing_of_it_to_be_seen(entries: dict[str, Entry]) -> None:
    beside = {name: entry for name, entry in entries.items() if name.endswith(" beside")}
    assert set(beside) == {f"train/{number}.png beside" for number in (1, 2, 3, 5, 6)}  # beside 4.png there is no room
    for name, entry in beside.items():
        assert SPEC.locate
        assert (entry.label, entry.picture, SPEC.locate(entry, 0.0)) == ("", name.removesuffix(" beside"), [])
        pixels = SPEC.load(entry, SPEC.size, 0.0)
        assert pixels.shape == (*SPEC.size, 3)
        if name != "train/5.png beside":  # which is gray
            assert (pixels[:, 20:-20] == GROUND).all()  # resizing mixes in what is next to it


def test_a_picture_that_is_missing_is_skipped_once(tmp_path: Path) -> None:
    write_format1(tmp_path / "train")
    (tmp_path / "train" / "2.png").unlink()
    names = [entry.name for entry in SPEC.entries(tmp_path, "train", 0)]
    assert "train/2.png" in names
    assert "train/2.png beside" not in names


def test_a_picture_too_large_to_be_opened_shows_nothing_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_format1(tmp_path / "train")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert [entry.name for entry in SPEC.entries(tmp_path, "train", 0) if entry.name.endswith(" beside")] == []


def test_records_hold_the_boxes(tmp_path: Path) -> None:
    write_format1(tmp_path / "data" / "train")
    convert_dataset(SPEC, tmp_path / "data", tmp_path / "records", ["train"], Options(SPEC.size, SPEC.margin))
    info = records.read_info(tmp_path / "records", "svhn_full")
    paths = [str(path) for path in records.open_split(tmp_path / "records", info, "train").paths]
    parsed = [records.parse_example(serialized, info.max_length) for serialized in tf.data.TFRecordDataset(paths)]
    found = {bytes(each["name"].numpy()).decode(): union(each["boxes"].numpy()) for each in parsed}
    assert len(found) == 11  # six numbers, five times beside
    for name, expected in EXPECTED.items():
        assert found[name] == pytest.approx(expected)
        assert found[f"{name} beside"] == NOWHERE


def test_a_finder_is_scored_by_its_boxes(tmp_path: Path) -> None:
    write_format1(tmp_path / "data" / "train")
    convert_dataset(SPEC, tmp_path / "data", tmp_path / "records", ["train"], Options(SPEC.size, SPEC.margin))
    info = records.read_info(tmp_path / "records", "svhn_full")
    split = records.open_split(tmp_path / "records", info, "train")
    config = stored.make_config({"model": "finder", "batch_size": 4})

    def network(_images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Says of every picture what is true of the first."""
        length, digits = tf.zeros((4, 6)), tf.zeros((4, 5, 10))
        return {"length": length, "digits": digits, "box": tf.constant([EXPECTED["train/1.png"]] * 4)}

    scores = score.make_scorer(network, Run(Path(), config, info), split)("")
    assert scores["box_accuracy"] == pytest.approx(4 / 6)  # 4.png, 5.png, 6.png: overlaps .51, .60, .70


def test_entries_of_one_picture_go_to_one_split() -> None:
    entries: list[Entry] = []
    for index in range(400):
        entries.append(Entry(f"{index}", "7" * (1 + index % 3), None, picture=f"{index}"))
        if index % 4:
            entries.append(Entry(f"{index} beside", "", None, picture=f"{index}"))
    drawn = draw_valid(entries, 0.05, 1, random.Random(0))
    pictures = {entries[index].picture for index in drawn}
    assert 15 <= len(pictures) <= 20
    assert drawn == {index for index, entry in enumerate(entries) if entry.picture in pictures}
    assert len({entries[index].label for index in drawn}) == 4
