"""How well runs read SVHN's digits in new forms: stacked, in two rows, far apart, turned, beside a letter, too long.

    python -m benchmarks.forms --names=released,forms:latest [--records_dir=records]

The pictures are those of valid in the records of `svhn_arranged`, by the form that their names end in; `as published`
are those of `svhn`, `sign` ones show a drawn number, `loose` ones a box that is not quite the true one, `blank` and
`page` ones no number. A number is read right if its text is the label, if it is answered as too long and is so, or if
none is read where there is none. Wrong and sure: a wrong answer at a confidence of .9 or more. Both are shares of the
form's pictures, in percent.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from svhn.config import Paths
from svhn.datasets.arranged.forms import FORMS, OTHERS
from svhn.evaluation.score import predict_split
from svhn.records import open_split, read_info
from svhn.runs.load import freeze_model, load_run

DATASET, SPLIT, SURE = "svhn_arranged", "valid", 0.9
PUBLISHED = "as published"
SHOWN = (PUBLISHED, *FORMS, *filter(None, OTHERS))


class Outcome(NamedTuple):
    """Whether a number was read right, and whether a wrong answer was sure."""

    right: bool
    wrong_and_sure: bool


def list_outcomes(paths: Paths, checkpoint: str) -> Iterator[tuple[str, Outcome]]:
    """The form of each picture, and what a run reads in it."""
    info = read_info(paths.records_dir, DATASET)
    run, model = load_run(paths.run_folder, {}, checkpoint)
    run = replace(run, records=info)
    for each in predict_split(freeze_model(model), run, open_split(paths.records_dir, info, SPLIT)):
        form = each.name.rpartition(" ")[2]
        right = each.reading.shown == each.label
        yield form if form in SHOWN else PUBLISHED, Outcome(right, not right and each.reading.confidence >= SURE)


def format_cells(outcomes: list[Outcome]) -> list[str]:
    shares = 100 * np.mean(outcomes, axis=0)
    return [f"{len(outcomes):,}", *(f"{share:.1f}" for share in shares)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--names", default="released", help="runs, comma-separated; forms:2456 or forms:latest names a checkpoint"
    )
    parser.add_argument("--records_dir", default=Paths.records_dir)
    parser.add_argument("--checkpoints_dir", default=Paths.checkpoints_dir)
    args = parser.parse_args()
    paths = Paths(records_dir=args.records_dir, checkpoints_dir=args.checkpoints_dir)
    print("| run | form | numbers | right | wrong and sure |\n| --- | --- | --- | --- | --- |")
    for named in args.names.split(","):
        by_form: dict[str, list[Outcome]] = defaultdict(list)
        name, _, step = named.partition(":")
        for form, outcome in list_outcomes(replace(paths, name=name), step):
            by_form[form].append(outcome)
        for form in filter(by_form.get, SHOWN):  # earlier records lack some
            print(f"| {' | '.join([name, form, *format_cells(by_form[form])])} |", flush=True)


if __name__ == "__main__":
    main()
