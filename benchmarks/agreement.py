"""Do the engines read alike? Texts, confidences and numbers right, beside TensorFlow in float32.

    python -m benchmarks.agreement [--engines=litert,onnx] [--images=3000] [--data_dir=data] [--split=test]

The pictures of a split of SVHN's Format 1 are read twice by each engine: whole, with the finder, and cropped to the box
around their digits. An engine other than `litert` needs files of both runs: `svhn export --name=released-large
--format=onnx` and the same for `--name=finder`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import numpy as np

from svhn.config import READER, Paths
from svhn.datasets import format1
from svhn.images import open_picture
from svhn.labels import Number, Reading
from svhn.reading.crops import crop_number, read_crops
from svhn.reading.reader import Reader
from svhn.spec import Entry

BATCH_SIZE = 64
Answers = list[Reading] | list[Number]


class Result(NamedTuple):
    """The readings of the same pictures by one engine: whole pictures, and crops."""

    whole: list[Reading]
    crops: list[Number]


def read_entries(engine: str, entries: list[Entry]) -> Result:
    """Read the entries' pictures with the bundled networks."""
    reader = Reader.from_runs(Paths(name=READER), given={"mixed_precision": False}, engine=engine)
    crops = (
        crop_number(open_picture(path), box, reader.network.records) for path, box in (each.source for each in entries)
    )
    return Result(
        list(reader.stream(entry.source[0] for entry in entries)), list(read_crops(reader.network, crops, BATCH_SIZE))
    )


def print_row(engine: str, kind: str, found: Answers, expected: Answers, labels: Iterable[str]) -> None:
    """Print how far readings agree with the expected ones, and the share of numbers that are right."""
    pairs = list(zip(found, expected, strict=True))
    same = np.mean([one.text == other.text for one, other in pairs])
    differences = [abs(one.confidence - other.confidence) for one, other in pairs if one.text == other.text]
    right = np.mean([one.text == label for one, label in zip(found, labels, strict=True)])
    farthest = max(differences, default=float("nan"))  # no reading may be the same
    print(f"{engine:12} {kind:6} {right:8.2%} {same:9.2%} {farthest:10.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="litert", help="engines to compare, comma-separated")
    parser.add_argument("--images", type=int, default=3000, help="number of pictures")
    parser.add_argument("--data_dir", default="data")
    parser.add_argument("--split", default="test", help="folder of the pictures in data_dir")
    args = parser.parse_args()
    usable = (entry for entry in format1.list_entries(args.data_dir, args.split) if not entry.problem)
    entries = list(islice(usable, args.images))
    labels = [entry.label for entry in entries]
    expected = read_entries("tensorflow", entries)
    print(f"{len(entries):,} pictures of {args.split}  right  as float32  confidence differs by at most")
    for engine in ("tensorflow", *args.engines.split(",")):
        found = expected if engine == "tensorflow" else read_entries(engine, entries)
        for kind in Result._fields:
            print_row(engine, kind, getattr(found, kind), getattr(expected, kind), labels)


if __name__ == "__main__":
    main()
