"""A run's readings of pictures that have no label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow as tf

from svhn import labels, report, views
from svhn.config import Config, UserError
from svhn.labels import Reading
from svhn.losses import Network
from svhn.pixelcsv import read_pixels
from svhn.records import Info


def readings(network: Network, config: Config, info: Info, images: Iterable[np.ndarray]) -> Iterator[Reading]:
    """What is read in each image, uint8 (height, width, channels) of a record's size."""
    read = views.outputs(network, config, info)
    infer = tf.function(lambda batch: labels.decode(read(batch)))
    images = iter(images)
    while batch := list(islice(images, config.batch_size)):
        missing = config.batch_size - len(batch)
        padded = np.pad(np.stack(batch), ((0, missing), (0, 0), (0, 0), (0, 0)))  # one shape: compiled once
        yield from labels.readings(infer(tf.constant(padded)))[: len(batch)]


def write_submission(network: Network, config: Config, info: Info, source: Path, target: Path) -> int:
    """Read a CSV of pixels without labels, and write `ImageId,Label` as Kaggle expects it; returns how many.

    Raises:
        UserError: the CSV can't be read, or the run doesn't read single digits.
    """
    if info.max_length != 1:
        raise UserError(f"this run reads numbers of up to {info.max_length} digits, and {source} holds single ones")
    images = (pixels for _, pixels in read_pixels(source, info.size, channels=info.channels, labelled=False))
    rows = [(index, reading.text) for index, reading in enumerate(readings(network, config, info, images), start=1)]
    report.write_rows(target, ("ImageId", "Label"), rows)
    return len(rows)
