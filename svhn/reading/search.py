"""Where in a picture its number is: a network's boxes in windows of several sizes, and a second look at the best."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from svhn.evaluation import decoding
from svhn.models.losses import Network
from svhn.spec import Box, Size

ASPECT_RATIO = 2.2  # width over height of a window, as of the pictures that the network has learnt from, in the middle
MIN_WINDOW_WIDTH = 160  # pixels of a window's width: smaller pictures are only looked at as a whole
MAX_WINDOWS_ACROSS = 8  # times that the smallest windows go into the picture's longer side
CONTEXT_SCALES = (
    3.0,
    1.4,
)  # times the found box's width and height that the second look sees; about as in those pictures
BATCH_SIZE = 32  # windows at a time
ODDS_EXPONENT = 0.25  # see `is_sure`

Locate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class Detection(NamedTuple):
    """A box in pixels of the picture, how probable it is that a number is there, and of how many windows it is best."""

    box: Box
    probability: float
    windows: int = 1


def make_locator(network: Network) -> Locate:
    """What the network says of windows, uint8 (batch, height, width, 3): how probable a number is, and its box."""

    @tf.function(reduce_retracing=True)  # of any number of windows at once
    def locate(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        outputs = network(tf.cast(images, tf.float32))
        return decoding.compute_presence(outputs), outputs["box"]

    def in_batches(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [locate(tf.constant(images[start : start + BATCH_SIZE])) for start in range(0, len(images), BATCH_SIZE)]
        probable, boxes = zip(*parts, strict=True)
        return np.concatenate(probable), np.concatenate(boxes)

    return in_batches


def find_number(locate: Locate, image: Image.Image, size: Size) -> Detection:
    """The most probable number of an RGB picture, for a network that sees windows of this size."""
    looked_at = list_windows(image.width, image.height)
    first = _find_best_window(locate, image, looked_at, size)
    return _find_best_window(locate, image, [center_window(first.box, image.size)], size)._replace(
        windows=len(looked_at)
    )


def is_sure(found: Detection, threshold: float) -> bool:
    """Whether it is a number, by a threshold for pictures of one window.

    In more windows there is more that can be taken for one, so the odds that are asked for rise with their number: to
    its fourth root, which refuses hardly more: tried once on mosaics of valid's patches, of 46 windows each, 33 % were
    given a number by the threshold alone and 11 % so, while 1.3 % of those with a number were refused either way.
    """
    odds = found.probability / max(1 - found.probability, 1e-9)
    return odds * max(1 - threshold, 1e-9) >= threshold * found.windows**ODDS_EXPONENT


def _find_best_window(locate: Locate, image: Image.Image, looked_at: list[Box], size: Size) -> Detection:
    probable, boxes = locate(np.stack([crop_window(image, window, size) for window in looked_at]))
    index = int(np.argmax(probable))
    left, top, right, bottom = looked_at[index]
    across, down = right - left, bottom - top
    x0, y0, x1, y1 = np.clip(boxes[index], 0, 1).tolist()
    return Detection((left + x0 * across, top + y0 * down, left + x1 * across, top + y1 * down), float(probable[index]))


def list_windows(width: int, height: int) -> list[Box]:
    """The whole picture and, where it is large, windows that overlap by a third or more, each size half the last."""
    found: list[Box] = [(0.0, 0.0, float(width), float(height))]
    across = min(width, ASPECT_RATIO * height)
    while across >= max(MIN_WINDOW_WIDTH, max(width, height) / MAX_WINDOWS_ACROSS):
        down = across / ASPECT_RATIO
        lefts, tops = _list_window_starts(width, across), _list_window_starts(height, down)
        if len(lefts) * len(tops) > 1:
            found += [(left, top, left + across, top + down) for top in tops for left in lefts]
        across /= 2
    return found


def _list_window_starts(side: float, part: float) -> list[float]:
    """Where parts of a side begin, that reach from its one end to the other and overlap by a third or more."""
    count = int(np.ceil(max(side - part, 0) / (part * 2 / 3) - 1e-6)) + 1
    return np.linspace(0, max(side - part, 0), count).tolist()


def center_window(box: Box, picture: tuple[int, int]) -> Box:
    """A window with the box in its middle, as much of it as the (width, height) picture has."""
    left, top, right, bottom = box
    across = max(CONTEXT_SCALES[0] * (right - left), ASPECT_RATIO * CONTEXT_SCALES[1] * (bottom - top), 1.0)
    x, y, down = (left + right) / 2, (top + bottom) / 2, across / ASPECT_RATIO
    window = x - across / 2, y - down / 2, x + across / 2, y + down / 2
    return max(window[0], 0.0), max(window[1], 0.0), min(window[2], picture[0]), min(window[3], picture[1])


def crop_window(image: Image.Image, window: Box, size: Size) -> np.ndarray:
    """uint8 (height, width, 3) of `size`."""
    height, width = size
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box=window, reducing_gap=2.0))
