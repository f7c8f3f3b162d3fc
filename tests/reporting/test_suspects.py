"""`report --suspects`: the labels that a run is sure are wrong, in a table that `wrangle --corrections` takes."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.digit_records import paths_of, train_readable_digits, train_run, write_digits

from svhn import records
from svhn.cli import flags
from svhn.labels import TRUNCATED_TEXT, Number, Prediction
from svhn.reporting import report, sheets, suspects


def predicted(label: str, read: str, confidence: float, name: str = "a.png", *, truncated: bool = False) -> Prediction:
    number = Number(read, confidence, (confidence,) * len(read), truncated=truncated)
    return Prediction(np.zeros((28, 28, 1), np.uint8), name, label, number, 0.1)


def read_table(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return [*csv.reader(file)]


def test_only_another_number_that_is_sure_is_suspect() -> None:
    wrong = [predicted("12", "17", 0.8), predicted("", "1", 0.9), predicted(TRUNCATED_TEXT, "12345", 0.9)]
    fine = [
        predicted("12", "12", 0.9),
        predicted("12", "17", 0.79),
        predicted("12", "", 0.9),
        predicted("12", "", 0.9, truncated=True),
    ]
    assert [*suspects.choose_suspects([*fine, *wrong])] == wrong


def test_the_table_and_the_sheet_begin_with_the_surest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects, "MOST_SHOWN", 2)
    shown: list[list[str]] = []
    monkeypatch.setattr(sheets, "write_sheet", lambda _, found: shown.append([each.name for each in found]))
    found = [predicted("1", "7", 0.85, "b"), predicted("12", "17", 0.95, "c"), predicted("1", "4", 0.85, "d")]
    assert suspects.write_suspects(found, tmp_path / "new/table.csv") == 3
    rows = [["c", "17", "12", "0.950"], ["b", "7", "1", "0.850"], ["d", "4", "1", "0.850"]]
    assert read_table(tmp_path / "new/table.csv") == [[*suspects.COLUMNS], *rows]
    assert shown == [["c", "b"]]


def test_a_run_lists_the_wrong_labels_that_it_was_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train_readable_digits(tmp_path)
    swap_label(tmp_path)
    folders = [f"--{kind}_dir={getattr(paths_of(tmp_path), f'{kind}_dir')}" for kind in ("records", "checkpoints")]
    folders.append(f"--results_dir={tmp_path}/results")
    monkeypatch.setattr(suspects, "LEAST_CONFIDENCE", 0.5)
    flags.main(["svhn", "report", "--suspects", "--split=train", *folders])
    table = tmp_path / "results/demo/suspects-train-demo.csv"
    assert [row[:3] for row in read_table(table)[1:]] == [["train/swapped", "3", "8"]]
    with Image.open(table.with_suffix(".png")) as sheet:
        assert sheet.size[0] == sheets.COLUMNS * sheets.CELL_SIZE[0]
    assert f"Suspect labels of train: 1; the table is saved to {table}" in capsys.readouterr().out
    (tmp_path / "results/demo/suspects-test-demo.png").write_bytes(b"of an earlier checkpoint")
    flags.main(["svhn", "report", "--suspects", "--split=test", *folders])
    assert read_table(tmp_path / "results/demo/suspects-test-demo.csv") == [[*suspects.COLUMNS]]
    assert not (tmp_path / "results/demo/suspects-test-demo.png").exists()


def test_suspects_are_of_the_runs_own_data_set(tmp_path: Path) -> None:
    """Another one that is trained on may have other pictures of the same names."""
    write_digits(tmp_path)
    shutil.copytree(tmp_path / "records/mnist", tmp_path / "records/svhn_cropped")
    info = records.read_info(tmp_path / "records", "mnist")
    records.write_info(tmp_path / "records", dataclasses.replace(info, dataset="svhn_cropped"))
    run = train_run(tmp_path, lambda _: None, model="shallow", train_on="mnist,svhn_cropped", num_steps=1)
    lines: list[str] = []
    report.list_suspects(run, paths_of(tmp_path), "train", 1, lines.append)
    assert lines == ["Reading 100 examples of train..."]


def swap_label(folder: Path) -> None:
    """Make a 3 of train an 8 in its records."""
    import tensorflow as tf

    info = records.read_info(folder / "records", "mnist")
    (path,) = records.open_split(folder / "records", info, "train").paths
    examples = [bytes(each.numpy()) for each in tf.data.TFRecordDataset(str(path))]
    image = bytes(records.parse_example(tf.constant(examples[3]), 1)["image"].numpy())
    examples[3] = records.serialize_example(image, "8", "train/swapped")
    records.write_shard(path, examples)
    sizes = {**info.sizes, "train": [path.stat().st_size]}
    records.write_info(folder / "records", records.Info(**{**vars(info), "sizes": sizes}))
