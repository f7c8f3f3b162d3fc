"""Corrupt records: which file and which record is damaged, and the command that helps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from svhn import records
from svhn.errors import UserError, shorten
from svhn.records import Split, count_intact_records


def check_sizes(split: Split) -> None:
    """Raises `UserError` for a file that was cut short. A cut between two records shows in the file's size alone."""
    if any(path.stat().st_size != size for path, size in zip(split.paths, split.sizes, strict=True)):
        raise UserError(describe_corruption(split))


@contextmanager
def explain_corruption(split: Split) -> Iterator[None]:
    """Turn TensorFlow's error at an unusable record of the split into a `UserError` that names the file and record."""
    try:
        yield
    except tf.errors.DataLossError as error:
        raise UserError(describe_corruption(split)) from error
    except tf.errors.InvalidArgumentError as error:
        message = describe_foreign_record(split)
        if not message:  # the error is of something else than the records
            raise
        raise UserError(message) from error


def describe_foreign_record(split: Split) -> str:
    """The message that names the first record of another program; "" if all records have our features and a picture."""
    for path in split.paths:
        for index, record in enumerate(tf.data.TFRecordDataset(str(path))):
            try:
                tf.io.decode_image(tf.io.parse_single_example(record, records.make_features())["image"])
            except tf.errors.InvalidArgumentError as error:
                command = f"svhn wrangle --dataset={path.parent.name} --records_dir={path.parent.parent}"
                return (
                    f"{path}: record {index} (counted from 0) is none of this program's ({shorten(error.message)}): "
                    f"move the file, or write all records with `{command}`"
                )
    return ""


def describe_corruption(split: Split) -> str:
    """The message that names the first corrupt file and record of the split, and the command that leaves it out."""
    for path, examples, _ in zip(*split, strict=True):
        count, intact = count_intact_records(path)
        if not intact or count != examples:
            command = f"svhn wrangle --dataset={path.parent.name} --records_dir={path.parent.parent}"
            return (
                f"{path}: record {count} of {examples} (counted from 0) is corrupt or cut short: "
                f"leave it out with `{command} --salvage`, or write all records again with `{command}`"
            )
    return "a record could not be read, but now all records can be read: run the same command again"
