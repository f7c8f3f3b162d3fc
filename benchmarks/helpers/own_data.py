"""Writes a folder of handwritten rows with a labels.csv, to train on as on pictures of one's own.

    python -m benchmarks.helpers.own_data [--mnist=data/mnist] [--folder=data/own] [--train=500] [--test=1000]

The rows are the first ones of `mnist_stacked`, saved as PNG. The README gives the commands that train on the folder,
under "Train on your own pictures".
"""

from __future__ import annotations

import argparse
import csv
from itertools import islice
from pathlib import Path

from PIL import Image

from svhn.datasets import DATASETS
from svhn.runtime.files import atomic_write

SPEC = DATASETS["mnist_stacked"]


def _write_pictures(mnist: Path, folder: Path, source: str, count: int) -> list[tuple[str, str, str]]:
    """Pictures in `folder/source`; returns their lines of the table."""
    (folder / source).mkdir(parents=True, exist_ok=True)
    lines = []
    for index, entry in enumerate(islice(SPEC.entries(mnist, source, 0), count)):
        name = f"{source}/{index}.png"
        Image.fromarray(SPEC.load(entry, SPEC.size, 0.0).squeeze()).save(folder / name)
        lines.append((name, entry.label, source))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, default=Path("data/mnist"))
    parser.add_argument("--folder", type=Path, default=Path("data/own"))
    parser.add_argument("--train", type=int, default=500)
    parser.add_argument("--test", type=int, default=1000)
    args = parser.parse_args()
    lines = [
        line
        for source in ("train", "test")
        for line in _write_pictures(args.mnist, args.folder, source, vars(args)[source])
    ]
    with atomic_write(args.folder / "labels.csv", "w") as file:
        csv.writer(file, lineterminator="\n").writerows([("filename", "label", "split"), *lines])
    print(f"{len(lines)} rows written to {args.folder}")


if __name__ == "__main__":
    main()
