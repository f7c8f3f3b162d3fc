"""The programs that are killed: what each works on, its command, and what it makes."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.helpers.damaged_formats import draw_picture
from tests.support.mirror import pack, publish, serve, tree

PICTURES = {"train": 2500, "test": 300}  # of the set that is wrangled: train has two files of records
PHOTOS = 30


class Program(NamedTuple):
    """A program.

    Args:
        name: its name in the table.
        prepare: `(folder)` makes what the program works on, in a folder that is to be made. The context gives the
            words of the command; WORK stands in them for the folder of what the program makes.
        read: `(folder)` to what the program has made.
    """

    name: str
    prepare: Callable[[Path], AbstractContextManager[list[str]]]
    read: Callable[[Path], object]


@contextmanager
def _offer_archive(folder: Path) -> Iterator[list[str]]:
    rng = random.Random(0)
    with serve(folder) as mirror:
        files = {f"{index}.png": rng.randbytes(8_000) for index in range(200)}
        publish(folder, pack(folder / "train.tar.gz", {**files, "digitStruct.mat": b"boxes"}))
        mirror.pause = 0.004
        yield ["-m", "svhn.download", "--splits=train", f"--url={mirror.url}", "--data_dir=WORK"]


@contextmanager
def _draw_set(folder: Path) -> Iterator[list[str]]:
    rows = []
    for split, count in PICTURES.items():
        (folder / split).mkdir(parents=True)
        for index in range(count):
            rows.append((f"{split}/{index}.png", 210 + index % 100, split))
            draw_picture(index % 100).save(folder / rows[-1][0])
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("filename", "label", "split"), *rows])
    flags = ["--dataset=folder", f"--data_dir={folder}", "--size=32x32", "--processes=2"]
    yield ["-m", "svhn.wrangle", *flags, "--records_dir=WORK"]


@contextmanager
def _draw_photos(folder: Path) -> Iterator[list[str]]:
    folder.mkdir()
    for index in range(PHOTOS):
        draw_picture(index).save(folder / f"{index}.png")
    yield ["main.py", "read", str(folder), "--output=WORK/out/", "--part_size=3", "--threads=1"]


def _read_rows(folder: Path) -> object:
    return tree(folder)["out/readings.jsonl"]


@contextmanager
def _write_numbers(folder: Path) -> Iterator[list[str]]:
    from tests.support.program import RECIPE, write_records

    records = write_records(folder)
    folders = ["--checkpoints_dir=WORK", "--results_dir=WORK/results", "--log_dir=WORK/logs"]
    yield ["main.py", "train", *RECIPE, f"--records_dir={records}", *folders]


def _read_run(folder: Path) -> object:
    """The weights of the checkpoints, and the scores, without the seconds that training took."""
    files = tree(folder / "demo")
    history = [{**entry, "seconds": 0} for entry in json.loads(files["history.json"])]
    weights = {name: content for name, content in files.items() if ".data-" in name}
    return history, json.loads(files["best.json"]), weights


PROGRAMS = {
    each.name: each
    for each in (
        Program("download", _offer_archive, tree),
        Program("wrangle", _draw_set, tree),
        Program("read", _draw_photos, _read_rows),
        Program("train", _write_numbers, _read_run),
    )
}
