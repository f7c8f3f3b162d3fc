"""Numbers read in whole pictures without boxes: SVHN's pictures, patches beside their numbers, and large photos.

    python -m benchmarks.photos [--name=released-large] [--finder=finder] [--split=test] [--images=1000]
        [--data_dir=data]

The reader gets one PIL image at a time. The first image is read twice, because the first reading compiles the networks.
The large photos have twelve megapixels: each is an enlarged patch with a picture pasted in, whose number is 3 % as wide
as the photo.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.helpers.large_photos import PHOTO_SIZE, compose_photo
from benchmarks.helpers.wild.scores import measure_overlap
from svhn.config import READER, Paths
from svhn.datasets import svhn_full
from svhn.images import open_picture
from svhn.pipeline import boxes
from svhn.reading.reader import Reader
from svhn.spec import Entry

PHOTO_COUNT = 20  # number of large photos


class Answer(NamedTuple):
    """The reading of a picture, beside its label."""

    label: str
    text: str
    overlap: float  # intersection over union of the two boxes


def _load_entry_picture(entry: Entry) -> Image.Image:
    """The whole picture of a number, or the patch beside the number for an entry without one."""
    path, box, whole = entry.source
    image = open_picture(path)
    left, top, right, bottom = map(round, svhn_full.sample_background_box(entry.name, box, image.size))
    return image if whole else image.crop((left, top, right, bottom))


def _answer_entries(reader: Reader, entries: list[Entry]) -> tuple[list[Answer], float]:
    """The answer to each entry, and the mean milliseconds of an answer."""
    images = [_load_entry_picture(entry) for entry in entries]
    reader.read(images[:1])
    began = time.perf_counter()
    readings = reader.read(images)
    milliseconds = 1000 * (time.perf_counter() - began) / len(images)
    return [
        Answer(entry.label, reading.text, measure_overlap(entry.source[1], reading.box))
        for entry, reading in zip(entries, readings, strict=True)
    ], milliseconds


def _measure_photos(reader: Reader, numbers: list[Entry], patches: list[Entry]) -> tuple[float, float]:
    """Share of photos that are read right, 0 to 1, and mean seconds per photo."""
    rng = np.random.default_rng(0)
    photos = [
        compose_photo(_load_entry_picture(entry), entry.source[1], _load_entry_picture(patch), rng)[0]
        for entry, patch in zip(numbers, patches[::-1], strict=False)
    ]
    reader.read(photos[:1])
    began = time.perf_counter()
    readings = reader.read(photos)
    seconds = (time.perf_counter() - began) / len(photos)
    return float(np.mean([each.text == entry.label for each, entry in zip(readings, numbers, strict=True)])), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default=READER, help="run that reads")
    parser.add_argument("--finder", default="finder", help="run that locates the numbers")
    parser.add_argument("--split", default="test", help="folder of the pictures in data_dir")
    parser.add_argument("--images", type=int, default=1000, help="pictures of each kind")
    parser.add_argument("--data_dir", default="data")
    parser.add_argument("--checkpoints_dir", default=Paths.checkpoints_dir)
    args = parser.parse_args()
    entries = [entry for entry in svhn_full.list_entries(args.data_dir, args.split) if not entry.problem]
    numbers, patches = ([entry for entry in entries if bool(entry.label) == labeled] for labeled in (True, False))
    reader = Reader.load(args.name, args.finder, Path(args.checkpoints_dir))
    found, milliseconds = _answer_entries(reader, numbers[: args.images])
    beside, _ = _answer_entries(reader, patches[: args.images])
    mistaken = np.mean([answer.text != "" for answer in beside])
    print(f"{len(found):,} whole pictures of {args.split}")
    print(f"numbers right         {np.mean([answer.text == answer.label for answer in found]):8.2%}")
    print(f"boxes found           {np.mean([answer.overlap >= boxes.IOU_THRESHOLD for answer in found]):8.2%}")
    print(f"refused               {np.mean([answer.text == '' for answer in found]):8.2%}")
    print(f"patches given a number {mistaken:7.2%} of {len(beside):,}")
    print(f"milliseconds          {milliseconds:8.1f}")
    right, seconds = _measure_photos(reader, numbers[:PHOTO_COUNT], patches[: args.images])
    print(f"numbers right         {right:8.2%} of {PHOTO_COUNT} photos of {PHOTO_SIZE[0]} x {PHOTO_SIZE[1]} pixels")
    print(f"seconds               {seconds:8.2f}")


if __name__ == "__main__":
    main()
