"""Crops that show a number and little else: cut out of a picture, and read in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from PIL import Image

from svhn.images import expand_box, is_within
from svhn.labels import Number, list_corners, make_number
from svhn.reading import search, windows
from svhn.reading.columns import read_columns
from svhn.reading.engine import Network
from svhn.reading.pieces import read_runs
from svhn.spec import Box, Info


def read_batch(network: Network, images: np.ndarray) -> list[Number]:
    """Read images of a record's size, uint8 (batch, height, width, channels)."""
    outputs = network.compute(images)
    rows = zip(*(outputs[name] for name in ("number", "confidence", "digit_confidences")), strict=True)
    return [make_number(*row) for row in rows]


def read_crops(network: Network, images: Iterable[np.ndarray], batch_size: int) -> Iterator[Number]:
    """Read any number of images of a record's size, each uint8 (height, width, channels), in batches as they come."""
    images = iter(images)
    while batch := list(islice(images, batch_size)):
        yield from read_batch(network, np.stack(batch))


def read_detections(network: Network, image: Image.Image, found: Iterable[search.Detection]) -> list[Number]:
    """Read the boxes that the finder found in an RGB picture, and those in a row or a column together, too.

    Empty boxes are left out.

    The confidence of each number is the probability that the whole answer is right: that of the finder, that there is a
    number in the box, times that of the network, that it is this one.
    """

    def read(boxes: Iterable[Box]) -> list[Number]:
        return list(read_crops(network, (crop_number(image, box, network.records) for box in boxes), search.BATCH_SIZE))

    shown = [each for each in found if is_within(each.box, image.size)]
    boxes = [each.box for each in shown]
    numbers = read(boxes)
    pairs = [*zip(shown, read_columns(read, boxes, numbers), strict=True), *read_runs(read, shown, numbers)]
    return [
        number._replace(confidence=each.probability * number.confidence, corners=list_corners(each.box))
        for each, number in pairs
    ]


def crop_number(image: Image.Image, box: Box, info: Info) -> np.ndarray:
    """Cut a box out of an RGB picture, with the margin, size and channels of a run's records.

    Args:
        image: the picture.
        box: the number's place: left, top, right and bottom, in pixels.
        info: the form of the run's records.

    Returns:
        uint8 (height, width, channels).

    Raises:
        ValueError: the box is empty.
    """
    pixels = windows.crop_window(image, expand_box(box, info.margin, image.size), info.size)
    return pixels if info.channels == 3 else np.asarray(Image.fromarray(pixels).convert("L"))[..., None]
