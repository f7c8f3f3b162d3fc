"""The splits of a run's records, opened after a check of their files' sizes."""

from __future__ import annotations

from itertools import chain

from svhn import records
from svhn.config import Paths, parse_train_on
from svhn.pipeline import integrity
from svhn.records import Split
from svhn.run import Run
from svhn.spec import Info


def open_run_split(run: Run, paths: Paths, name: str) -> Split:
    """One split of a run's records. For `train`, the files of all data sets that the run trains on are put together.

    Args:
        run: the run.
        paths: its `records_dir` holds the records.
        name: `train`, `valid` or `test`.

    Raises:
        UserError: the records lack the split, differ in form between data sets, or a file was cut short.
    """
    if name != "train":
        return open_own_split(run, paths, name)
    parts = []
    for dataset in parse_train_on(run.config.train_on, run.config.dataset):
        info = run.records if dataset == run.config.dataset else records.read_info(paths.records_dir, dataset)
        records.check_records_match(info, run.records)
        parts.append(_open_intact_split(paths, info, name))
    return Split(*(list(chain(*column)) for column in zip(*parts, strict=True)))


def open_own_split(run: Run, paths: Paths, name: str) -> Split:
    """As `open_run_split`, without the files of other data sets."""
    return _open_intact_split(paths, run.records, name)


def _open_intact_split(paths: Paths, info: Info, name: str) -> Split:
    split = records.open_split(paths.records_dir, info, name)
    integrity.check_sizes(split)
    return split
