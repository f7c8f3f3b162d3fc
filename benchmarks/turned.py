"""What turned boxes could give: real numbers turned by 10° to 30°, read in upright and in turned boxes.

    python -m benchmarks.turned [--name=released-large] [--data_dir=data] [--split=valid] [--count=300] [--seed=0]

The pictures are those of `python -m benchmarks.wild --kinds=slanted`. A number is read in its true box and in the one
that the finder gives, each time upright, and turned by the true angle. A found box that overlaps the true one by less
than a half counts as wrong.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.helpers.wild.folders import SPLITS, make_rng
from benchmarks.helpers.wild.kinds import cut_slanted, show_turned
from benchmarks.helpers.wild.sources import Sources, list_sources
from svhn.config import READER
from svhn.errors import UserError
from svhn.images import compute_overlap, is_within
from svhn.reading import search
from svhn.reading.crops import crop_number, read_batch
from svhn.reading.reader import Reader
from svhn.spec import Box

FOUND = 0.5  # least overlap of a found box with the true one
ROWS = "true box, upright", "true box, turned", "found box, upright", "found box, turned"


def resize_box(box: Box, width: float, height: float) -> Box:
    """A box about the same middle with another width and height in pixels; 2 or more each."""
    x, y, across, down = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, max(2.0, width) / 2, max(2.0, height) / 2
    return x - across, y - down, x + across, y + down


def shrink_hull(hull: Box, degrees: float) -> Box:
    """The box about the same middle that reaches to the sides of the given one once it is turned."""
    cos, sin = math.cos(math.radians(degrees)), abs(math.sin(math.radians(degrees)))
    across, down, both = hull[2] - hull[0], hull[3] - hull[1], cos * cos - sin * sin
    return resize_box(hull, (across * cos - down * sin) / both, (down * cos - across * sin) / both)


def find_box(reader: Reader, image: Image.Image, true: Box) -> Box | None:
    """The finder's box that overlaps the true one most, if by a half or more."""

    def locate(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs = reader.finder.compute(images)
        return outputs["probability"], outputs["box"]

    found = search.find_numbers(locate, image, reader.finder.records.size).detections
    box = max((each.box for each in found), key=lambda box: compute_overlap(box, true))
    return box if compute_overlap(box, true) >= FOUND else None


def read_box(reader: Reader, image: Image.Image, box: Box, degrees: float = 0.0) -> str:
    """The digits in a box that is turned counterclockwise about its middle."""
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    fill = tuple(int(level) for level in np.asarray(image).mean(axis=(0, 1)))
    turned = image.rotate(-degrees, Image.Resampling.BICUBIC, center=middle, fillcolor=fill) if degrees else image
    crop = crop_number(turned, box, reader.network.records) if is_within(box, image.size) else None
    return "" if crop is None else read_batch(reader.network, crop[None])[0].text


def read_picture(reader: Reader, sources: Sources, rng: np.random.Generator) -> list[str]:
    """The `ROWS` in which the number of a picture is read right."""
    layer, degrees = cut_slanted(rng, sources)
    image, ((number,),), _ = show_turned(rng, sources, layer, degrees)
    left, top, right, bottom = layer.numbers[0].box
    texts = [
        read_box(reader, image, number.box),
        read_box(reader, image, resize_box(number.box, right - left, bottom - top), degrees),
    ]
    found = find_box(reader, image, number.box)
    if found:
        texts += [read_box(reader, image, found), read_box(reader, image, shrink_hull(found, degrees), degrees)]
    return [row for row, text in zip(ROWS, texts, strict=False) if text == number.text]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default=READER, help="run that reads")
    parser.add_argument("--data_dir", type=Path, default=Path("data"))
    parser.add_argument("--split", choices=SPLITS, default="valid")
    parser.add_argument("--count", type=int, default=300, help="pictures")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    try:
        sources = list_sources(args.data_dir, args.split)
    except UserError as error:
        parser.error(str(error))
    reader = Reader.load(args.name, threads=1)
    right = Counter(
        row
        for index in range(args.count)
        for row in read_picture(reader, sources, make_rng(args.seed, "slanted", index))
    )
    for row in ROWS:
        print(f"{row:<20} {right[row] / args.count:7.1%} right")


if __name__ == "__main__":
    main()
