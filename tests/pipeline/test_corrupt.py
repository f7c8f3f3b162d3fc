"""`python main.py` on corrupt records: which one is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.program import call, last_line, write_records

LONGER = ("--num_steps=4", "--checkpoint_every=2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds records, and a run that has seen them while they were whole."""
    write_records(tmp_path / "records")
    assert call(tmp_path, "--model=kvn219", "--batch_size=8", "--num_steps=2", "--checkpoint_every=2") == 0
    return tmp_path


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 255
    path.write_bytes(content)


def test_one_of_train_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(folder / "records/svhn/train-00001-of-00002.tfrecord", -40)
    capsys.readouterr()
    assert call(folder, *LONGER) == 1
    assert re.match(
        r"error: \S+/train-00001-of-00002\.tfrecord: record 39 of 40 \(counted from 0\) is corrupt or cut short: run ",
        last_line(capsys),
    )


@pytest.mark.parametrize("mode", ["train", "valid"])
def test_one_of_valid_is_named(folder: Path, capsys: pytest.CaptureFixture[str], mode: str) -> None:
    flip(folder / "records/svhn/valid-00000-of-00002.tfrecord", 100)
    assert call(folder, f"--mode={mode}", *LONGER) == 1
    errors = capsys.readouterr().err
    assert re.match(r"error: \S+/valid-00000-of-00002\.tfrecord: record 0 of 6 ", errors.splitlines()[-1])
