"""Entries of the data set of digits in new forms, and pictures whose digits are told by their colors."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from PIL import Image, ImageDraw
from support.fixtures import Row, write_boxes

from svhn.datasets import DATASETS
from svhn.spec import Entry

GROUND = (128, 128, 128)
COLORS = {"1": (250, 20, 20), "2": (20, 250, 20), "3": (20, 20, 250)}  # of digits that are filled boxes


def list_forms(data: Path, seed: int = 0) -> dict[str, list[Entry]]:
    """The entries of train by form; those without one have the form ""."""
    forms: dict[str, list[Entry]] = defaultdict(list)
    for entry in DATASETS["svhn_arranged"].entries(data, "train", seed):
        forms[entry.name.removeprefix(entry.picture).strip()].append(entry)
    return forms


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
