"""Crops that show a number and little else: cut out of a picture, and read in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, pairwise
from typing import TypeVar

import numpy as np
from PIL import Image

from svhn.images import expand_box, is_within
from svhn.labels import Number, list_corners, make_number
from svhn.reading import search, windows
from svhn.reading.columns import read_columns
from svhn.reading.engine import Network
from svhn.reading.pieces import read_runs
from svhn.spec import Box, Info

T = TypeVar("T")  # where a crop is in a picture: a box, or a row of parts


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

    def read(crop: Callable[[Image.Image, T, Info], np.ndarray], places: Iterable[T]) -> list[Number]:
        crops = (crop(image, place, network.records) for place in places)
        return list(read_crops(network, crops, search.BATCH_SIZE))

    read_boxes, read_rows = partial(read, crop_number), partial(read, crop_row)
    shown = [each for each in found if is_within(each.box, image.size)]
    boxes = [each.box for each in shown]
    numbers = read_boxes(boxes)
    whole = zip(shown, read_columns(read_rows, boxes, numbers), strict=True)
    pairs = [*whole, *read_runs(read_boxes, read_rows, shown, numbers)]
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
    return _fit_channels(windows.crop_window(image, expand_box(box, info.margin, image.size), info.size), info)


def crop_row(image: Image.Image, parts: Sequence[Box], info: Info) -> np.ndarray:
    """Put parts of an RGB picture side by side, each as wide as the others, in a record's size.

    Args:
        image: the picture.
        parts: what each shows, as `windows.crop_window` takes it.
        info: the form of the run's records.

    Returns:
        uint8 (height, width, channels).
    """
    height, width = info.size
    ends = [width * count // len(parts) for count in range(1, len(parts) + 1)]
    sizes = [(height, end - start) for start, end in pairwise((0, *ends))]
    shown = [windows.crop_window(image, part, size) for part, size in zip(parts, sizes, strict=True)]
    return _fit_channels(np.concatenate(shown, axis=1), info)


def _fit_channels(pixels: np.ndarray, info: Info) -> np.ndarray:
    return pixels if info.channels == 3 else np.asarray(Image.fromarray(pixels).convert("L"))[..., None]
