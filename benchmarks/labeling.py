"""What corrected pre-labels are worth: displays of meters are read, corrected and trained on, and others are read.

    python -m benchmarks.labeling [--count=200] [--test=400] [--corrected=100,r100,200] [--threshold=0.005]
        [--steps=200] [--seed=0] [--folder=FOLDER]

The displays are drawn: `benchmarks/helpers/displays.py`. `svhn read --as=csv` labels `--count` of them, and the smaller
bundled reader is trained on them as `docs/labeling.md` shows. No person takes part: in place of one, this program goes
through the pre-labels in their order, pictures without a number first, and replaces a pre-label by the truth where the
number differs or the box overlaps the true box by less than half. For each number of `--corrected`, it goes through so
many pictures and leaves the others as they are; `r100` stands for a hundred at random.

Each run reads the `--test` displays in their true boxes, and the whole pictures with the bundled finder at the same
threshold. The standard error is that of the share.
"""

from __future__ import annotations

import argparse
import csv
import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.helpers.displays import write_displays
from benchmarks.helpers.wild.scores import measure_overlap
from svhn.datasets.formats.label_csv import BOX_COLUMNS
from svhn.images import open_picture
from svhn.labels import Number, Reading
from svhn.reading.crops import crop_number, read_crops
from svhn.reading.reader import Reader
from svhn.runtime.files import write_rows
from svhn.spec import Box

ROOT = Path(__file__).parents[1]
LEAST_OVERLAP = 0.5  # of a pre-label's box with the true one; below, a person draws the box anew
HEADER = ("looked at", "changed", "right in true boxes", "right in whole pictures")

Label = tuple[str, Box]
Labels = dict[str, Label]  # by the name of the picture, one number each


def run_command(folder: Path, *words: str) -> None:
    """Run a command of `svhn` in a folder. Raises `CalledProcessError`, with what it printed, if it fails."""
    command = [sys.executable, str(ROOT / "main.py"), *words]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def read_prelabels(path: Path) -> Labels:
    """The pre-labels in a `labels.csv`, in its order."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["filename"]: (row["label"], _parse_box(row)) for row in csv.DictReader(file)}


def _parse_box(row: Mapping[str, str]) -> Box:
    left, top, width, height = (float(row[side]) for side in BOX_COLUMNS)
    return left, top, left + width, top + height


def correct_labels(found: Labels, truths: Labels, names: Sequence[str]) -> tuple[Labels, int]:
    """The labels after a person has looked at the named pictures, and how many of the labels the person changed."""
    wrong = [name for name in names if name not in found or not _is_right(found[name], truths[name])]
    return {**found, **{name: truths[name] for name in wrong}}, len(wrong)


def _is_right(found: Label, truth: Label) -> bool:
    return found[0] == truth[0] and measure_overlap(truth[1], found[1]) >= LEAST_OVERLAP


def choose_names(found: Labels, truths: Labels, choice: str, seed: int) -> list[str]:
    """The pictures that a person looks at: the first of the order, or as many at random."""
    order = [*(name for name in truths if name not in found), *found]
    if choice.startswith("r"):
        order = [order[index] for index in np.random.default_rng(seed).permutation(len(order))]
    return order[: int(choice.removeprefix("r"))]


def train_run(folder: Path, name: str, labels: Labels, steps: int) -> None:
    """Train a run on the pictures of a folder that have labels."""
    rows = [(file, text, *_list_sides(box)) for file, (text, box) in labels.items()]
    write_rows(folder / "data/labels.csv", ("filename", "label", *BOX_COLUMNS), rows)
    records = f"--records_dir=records/{name}"
    run_command(folder, "wrangle", "--dataset=folder", "--data_dir=data", records)
    recipe = ("--init_from=released", f"--num_steps={steps}", "--lrate=5e-4", f"--checkpoint_every={steps}")
    run_command(folder, "train", f"--name={name}", "--dataset=folder", records, *recipe)


def _list_sides(box: Box) -> Box:
    """Left, top, width and height."""
    left, top, right, bottom = box
    return left, top, right - left, bottom - top


def measure_reader(folder: Path, name: str, threshold: float, truths: Labels) -> tuple[str, str]:
    """The shares of numbers that a run reads right: in their true boxes, and in whole pictures."""
    reader = Reader.load(name, checkpoints_dir=folder / "checkpoints", threshold=threshold)
    pictures = [open_picture(folder / "test" / file) for file in truths]
    boxes = [box for _, box in truths.values()]
    crops = [crop_number(picture, box, reader.network.records) for picture, box in zip(pictures, boxes, strict=True)]
    inside, whole = list(read_crops(reader.network, crops, 1)), reader.read(pictures)
    texts = [text for text, _ in truths.values()]
    return _format_right(inside, texts), _format_right(whole, texts)


def _format_right(found: Sequence[Number | Reading], texts: Sequence[str]) -> str:
    share = sum(each.text == text for each, text in zip(found, texts, strict=True)) / len(texts)
    return f"{share:.1%} ± {math.sqrt(share * (1 - share) / len(texts)):.1%}"


def print_row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def measure_loop(folder: Path, args: argparse.Namespace) -> None:
    """Draw, label, correct, train and measure, and print the table."""
    drawn = write_displays(folder / "data/meters", args.count, args.seed)
    truths = {f"meters/{name}": label for name, label in drawn.items()}
    test = write_displays(folder / "test", args.test, args.seed + 1)
    run_command(folder, "read", "data/meters", "--as=csv", "--output=data/found.csv", f"--threshold={args.threshold}")
    found = read_prelabels(folder / "data/found.csv")
    print_row(*HEADER)
    print_row(*["---"] * len(HEADER))
    print_row("before", "", *measure_reader(folder, "released", args.threshold, test))
    for choice in args.corrected.split(","):
        labels, changed = correct_labels(found, truths, choose_names(found, truths, choice, args.seed))
        train_run(folder, f"looked-{choice}", labels, args.steps)
        print_row(choice, changed, *measure_reader(folder, f"looked-{choice}", args.threshold, test))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="displays to train on")
    parser.add_argument("--test", type=int, default=400, help="displays to measure with")
    parser.add_argument("--corrected", default="100,r100,200", help="pictures that a person looks at, comma-separated")
    parser.add_argument("--threshold", type=float, default=0.005, help="least confidence of an answer")
    parser.add_argument("--steps", type=int, default=200, help="steps of each training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="an empty folder that keeps all files")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure_loop((args.folder or Path(name)).resolve(), args)


if __name__ == "__main__":
    main()
