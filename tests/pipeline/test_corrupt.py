"""`python main.py` on corrupt records: which one is named, and that a run goes on once they are left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.program import call, last_line, scores
from support.shelf import copy_run

from svhn.runtime import shell
from svhn.wrangle import __main__

LONGER = ("--num_steps=22",)


@pytest.fixture
def folder(numbers_run: Path, tmp_path: Path) -> Path:
    """Holds records, and a run that has seen them while they were whole."""
    return copy_run(numbers_run, tmp_path, "logs")


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 255
    path.write_bytes(content)


def test_one_of_train_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(folder / "records/svhn/train-00001-of-00002.tfrecord", -40)
    capsys.readouterr()
    assert call(folder, *LONGER) == 1
    line = last_line(capsys)
    assert re.match(r"error: \S+/train-00001-of-00002\.tfrecord: record 39 of 40 ", line)
    assert f"`svhn wrangle --dataset=svhn --records_dir={folder / 'records'} --salvage`" in line


@pytest.mark.parametrize("mode", ["train", "valid"])
def test_one_of_valid_is_named(folder: Path, capsys: pytest.CaptureFixture[str], mode: str) -> None:
    flip(folder / "records/svhn/valid-00000-of-00002.tfrecord", 100)
    assert call(folder, f"--mode={mode}", *(LONGER if mode == "train" else ())) == 1
    errors = capsys.readouterr().err
    assert re.match(r"error: \S+/valid-00000-of-00002\.tfrecord: record 0 of 6 ", errors.splitlines()[-1])


def test_a_run_goes_on_with_salvaged_records(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for split in ("train", "valid"):
        flip(folder / f"records/svhn/{split}-00000-of-00002.tfrecord", 100)
    assert shell.run_main(__main__.main, ["wrangle", "--salvage", f"--records_dir={folder / 'records'}"]) == 0
    output = capsys.readouterr().out
    assert "train: left out 1 corrupt of 60 records" in output
    assert "valid: left out 1 corrupt of 20 records" in output
    assert call(folder, *LONGER) == 0
    assert "Checkpoint 22: valid loss " in capsys.readouterr().out
    assert call(folder, "--mode=valid", "--checkpoint=22", "--batch_size=64") == 0
    (row,) = scores(folder, "valid")
    assert float(row[2]) * 19 == pytest.approx(round(float(row[2]) * 19), abs=1e-3)  # a share of the 19 that are intact
