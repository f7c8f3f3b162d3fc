"""Corrupt records: which file and record is damaged, and what the user can do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from svhn.errors import UserError
from svhn.records import Split, count_intact_records


def check_sizes(split: Split) -> None:
    """Raises `UserError` for a file that was cut short, also where it was cut between two records."""
    if any(path.stat().st_size != size for path, size in zip(split.paths, split.sizes, strict=True)):
        raise UserError(describe_corruption(split))


@contextmanager
def explain_corruption(split: Split) -> Iterator[None]:
    """Turn TensorFlow's error at a corrupt record into a `UserError` that says where it is."""
    try:
        yield
    except tf.errors.DataLossError as error:
        raise UserError(describe_corruption(split)) from error


def describe_corruption(split: Split) -> str:
    """Which file and record is corrupt, and what to do."""
    for path, examples, _ in zip(*split, strict=True):
        count, intact = count_intact_records(path)
        if not intact or count != examples:
            command = f"python -m svhn.wrangle --dataset={path.parent.name} --records_dir={path.parent.parent}"
            return (
                f"{path}: record {count} of {examples} (counted from 0) is corrupt or cut short: "
                f"leave it out with `{command} --salvage`, or write all records again with `{command}`"
            )
    return "a record could not be read, but now all can: run the same command again"
