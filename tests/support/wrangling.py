"""`python -m svhn.wrangle` as the tests call it, and a small source of house numbers for it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from support.fixtures import NUMBERS, Row, write_format1
from support.sabotage import make_command

from svhn import records
from svhn.runtime import shell
from svhn.wrangle import __main__

ROOT = Path(__file__).parents[2]
LENGTHS = {"train": {1: 41, 2: 60, 3: 19}, "extra": {1: 20, 2: 39, 3: 40}, "test": {1: 2, 2: 21}}  # besides NUMBERS'
QUIRKS = {1: 1, 2: 3, 3: 1, 6: 1}  # of NUMBERS
LONGEST = 6  # digits


def numbers(split: str) -> dict[str, list[Row]]:
    """NUMBERS, and as many plain ones of each length as `LENGTHS` says."""
    plain: dict[str, list[Row]] = {
        f"{length}-{index}.png": [(1 + (index + place) % 10, 8 + 12 * place, 8, 10, 24) for place in range(length)]
        for length, count in LENGTHS[split].items()
        for index in range(count)
    }
    return {**NUMBERS, **plain}


def write_sources(folder: Path) -> Path:
    """All three in Format 1; returns the folder."""
    for split in LENGTHS:
        write_format1(folder / split, numbers(split))
    return folder


def arguments(data: Path, target: Path, *flags: str) -> list[str]:
    return ["wrangle", f"--data_dir={data}", f"--records_dir={target}", "--size=16x24", "--processes=1", *flags]


def wrangled(data: Path, target: Path, *flags: str) -> int:
    """The command, within this process."""
    return shell.run_main(__main__.main, arguments(data, target, *flags))


def program(argv: Sequence[str], *sabotages: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own."""
    command = make_command(sabotages, "svhn.wrangle", argv[1:])
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def without_report(folder: Path) -> dict[str, bytes]:
    """The records alone."""
    return {name: content for name, content in tree(folder).items() if not name.endswith("skipped.csv")}


def without_plan(folder: Path) -> dict[str, bytes]:
    """All but what an unfinished or killed call has left."""
    left = ("unfinished", "records.lock", "records.holder")
    return {name: content for name, content in tree(folder).items() if not any(word in name for word in left)}


def examples(folder: Path, split: str) -> list[tuple[str, str, np.ndarray]]:
    """Name, number and pixels of each, in the order of the records."""
    info = records.read_info(folder, "svhn")
    found = []
    for path in records.open_split(folder, info, split).paths:
        for serialized in tf.data.TFRecordDataset(str(path)):
            record = records.parse_example(serialized, LONGEST)
            text = "".join(str(slot) for slot in record["digits"].numpy() if slot >= 0)
            found.append((bytes(record["name"].numpy()).decode(), text, tf.io.decode_jpeg(record["image"]).numpy()))
    return found


def names(folder: Path, split: str) -> list[str]:
    return [name for name, _, _ in examples(folder, split)]


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The last on stderr, which progress bars come before."""
    return capsys.readouterr().err.splitlines()[-1]
