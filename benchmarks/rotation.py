"""Share of digits that a run reads in the test rows of `mnist_stacked`, by the angle at which each digit is drawn.

python -m benchmarks.rotation --name=rows [--data_dir=data/mnist] [--records_dir=records]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from svhn import records
from svhn.config import Paths
from svhn.datasets import DATASETS
from svhn.datasets.mnist_stacked import MAX_ROTATION
from svhn.errors import UserError
from svhn.evaluation import score
from svhn.runs import load, stored
from svhn.runs.steps import resolve_step

BIN_DEGREES = 15  # range of angles in one row of the table


def read_digits(paths: Paths) -> Iterator[tuple[float, bool]]:
    """Yield the angle of each digit of the test rows, in degrees, and whether the digit was read right.

    Raises:
        UserError: the run does not exist, or the data set now draws rows that differ from the records.
    """
    info = records.read_info(paths.records_dir, stored.resolve_option(paths.run_folder, {}, "dataset"))
    run = stored.open_run(paths.run_folder, {}, info, "score")
    split = records.open_split(paths.records_dir, info, "test")
    model = load.load_trained_model(run, resolve_step(paths.run_folder, "best"))
    drawn = {entry.name: entry for entry in DATASETS[info.dataset].entries(Path(paths.data_dir), "test", info.seed)}
    for found in score.predict_split(load.freeze_model(model), run, split):
        entry = drawn[found.name]
        if entry.label != found.label:
            raise UserError(
                f"{found.name}: the records hold {found.label}, the data set now draws {entry.label}: "
                f"run `svhn wrangle --dataset={info.dataset}` and train again"
            )
        read = found.reading.text.ljust(len(found.label))  # digits that are missing at the end count as wrong
        yield from zip(entry.source.degrees.tolist(), map(str.__eq__, found.label, read), strict=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="rows")
    parser.add_argument("--data_dir", default="data/mnist")
    parser.add_argument("--records_dir", default="records")
    parser.add_argument("--checkpoints_dir", default="checkpoints")
    paths = Paths(**vars(parser.parse_args()))
    degrees, right = map(np.array, zip(*read_digits(paths), strict=True))
    print("turned by     digits   read")
    for first in range(0, int(MAX_ROTATION), BIN_DEGREES):
        within = right[(abs(degrees) >= first) & (abs(degrees) < first + BIN_DEGREES)]
        print(f"{first:2} to {first + BIN_DEGREES:2} deg  {len(within):7}  {within.mean():6.2%}")


if __name__ == "__main__":
    main()
