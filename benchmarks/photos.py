"""Numbers read in whole pictures, with no box given: of SVHN's pictures, and of what lies beside the numbers in them.

python -m benchmarks.photos [--name=released] [--finder=finder] [--split=test] [--images=1000] [--data_dir=data]

One picture at a time, as PIL image; the first is read twice, since it compiles what is needed.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from svhn import boxes, pictures
from svhn.config import Paths
from svhn.datasets import svhn_full
from svhn.predict import Reader
from svhn.spec import Box, Entry


class Answer(NamedTuple):
    """What was read in a picture, and what is there."""

    label: str
    text: str
    overlap: float  # intersection over union of the two boxes


def picture(entry: Entry) -> Image.Image:
    path, box, whole = entry.source
    image = pictures.opened(path)
    left, top, right, bottom = map(round, svhn_full.beside(entry.name, box, image.size))
    return image if whole else image.crop((left, top, right, bottom))


def overlap(true: Box, found: Box | None) -> float:
    return float(boxes.overlap(tf.constant([true]), tf.constant([found]))[0][0]) if found else 0.0


def answers(reader: Reader, entries: list[Entry]) -> tuple[list[Answer], float]:
    """An answer to each entry, and the milliseconds that one takes."""
    images = [picture(entry) for entry in entries]
    reader.read(images[:1])
    began = time.perf_counter()
    readings = reader.read(images)
    milliseconds = 1000 * (time.perf_counter() - began) / len(images)
    return [
        Answer(entry.label, reading.text, overlap(entry.source[1], reading.box))
        for entry, reading in zip(entries, readings, strict=True)
    ], milliseconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="released")
    parser.add_argument("--finder", default="finder")
    parser.add_argument("--split", default="test", help="folder of the pictures, within data_dir")
    parser.add_argument("--images", type=int, default=1000, help="of each kind")
    parser.add_argument("--data_dir", default="data")
    parser.add_argument("--checkpoints_dir", default=Paths.checkpoints_dir)
    args = parser.parse_args()
    entries = [entry for entry in svhn_full.entries(args.data_dir, args.split) if not entry.problem]
    numbers, beside = ([entry for entry in entries if bool(entry.label) == shown] for shown in (True, False))
    reader = Reader.load(args.name, args.finder, Path(args.checkpoints_dir))
    found, milliseconds = answers(reader, numbers[: args.images])
    none, _ = answers(reader, beside[: args.images])
    given = np.mean([answer.text != "" for answer in none])
    print(f"{len(found):,} whole pictures of {args.split}")
    print(f"numbers right         {np.mean([answer.text == answer.label for answer in found]):8.2%}")
    print(f"boxes found           {np.mean([answer.overlap >= boxes.FOUND for answer in found]):8.2%}")
    print(f"refused               {np.mean([answer.text == '' for answer in found]):8.2%}")
    print(f"beside given a number {given:8.2%} of {len(none):,}")
    print(f"milliseconds          {milliseconds:8.1f}")


if __name__ == "__main__":
    main()
