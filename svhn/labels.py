"""Digit strings as labels: encoded as numbers for a network, and decoded from a network's outputs.

Worker processes that only crop pictures import this module, so TensorFlow is imported where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from svhn.spec import Box, Corners

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf


NUM_CLASSES = 10  # classes of a slot: the digits. A slot past the number's length has no class: the loss masks it
EMPTY = -1  # value of a slot past the number's length; its one-hot vector is all zeros
TOO_LONG = -2  # value of all slots of a number that is longer than there are slots
TRUNCATED_TEXT = "too long"  # what stands in place of the digits of a number that is too long
SVHN_ZERO = 10  # SVHN's files write the digit 0 as 10 (Netzer et al. 2011)


class Refusal(NamedTuple):
    """What was nearly read, in a picture that is answered with no number.

    Args:
        text: the digits of the surest number; "" if no digit was read, or the number is truncated.
        confidence: the number's confidence, as that of a `Number`; 0 if no digit was read. It is below `needed`.
        needed: the least confidence, from 0 to 1, with which a number of this picture is answered.
    """

    text: str
    confidence: float
    needed: float


class Seen(NamedTuple):
    """When a number of a video was in view.

    A time is in seconds from the video's first frame on; of a live stream, in seconds since 1970 (Unix time). A frame
    is the place of a frame in the video, from 0; of a live stream, among the frames that came.

    Args:
        order: the number's place among the numbers of the video, from 0, in the order in which they left.
        frames: number of frames in which a number was read there.
        first, last, best: times of the first frame, of the last one, and of the one that box and corners are from.
        first_frame, last_frame, best_frame: the same frames.
    """

    order: int
    frames: int
    first: float
    last: float
    best: float
    first_frame: int
    last_frame: int
    best_frame: int


class Number(NamedTuple):
    """A number that was read.

    Args:
        text: the number's digits; "" if a network read no digit, or the number is truncated.
        confidence: probability from 0 to 1 that the whole answer is right: that there is a number in the box, and that
            it is `text`, or too long. Of a crop that no finder located, the second alone.
        digit_confidences: probability of each digit, from left to right.
        corners: the corners of the number's box, which may be turned: x and y of each in pixels of the picture, from
            the top left of the number as it is read, clockwise; None if the number was not located.
        truncated: whether the number has more digits than the network reads. None of them is then given.
        seen: when it was in view, if it is of a video; None for a number of a picture.
    """

    text: str
    confidence: float
    digit_confidences: tuple[float, ...]
    corners: Corners | None = None
    truncated: bool = False
    seen: Seen | None = None

    @property
    def shown(self) -> str:
        """The digits, or in words that the number is too long."""
        return TRUNCATED_TEXT if self.truncated else self.text

    @property
    def box(self) -> Box | None:
        """The upright box around the corners: left, top, right and bottom in pixels; None without corners."""
        if self.corners is None:
            return None
        across, down = zip(*self.corners, strict=True)
        return min(across), min(down), max(across), max(down)

    def __repr__(self) -> str:
        """`Number('210', 0.987, box=(34.1, 20.5, 80.2, 48.0))`: numbers are rounded."""
        return f"Number({_format_number(self)})"


class Reading(NamedTuple):
    """What was read in a picture.

    `text`, `confidence`, `digit_confidences` and `box` are those of the surest number. Without a number, they are "",
    0, () and None.

    Args:
        numbers: all numbers of the picture, in reading order.
        refused: what was nearly read, if no number was found; else None.
        size: width and height of the upright picture, in pixels; None if the picture could not be read.
        error: the picture's path, and why the picture could not be read; "" if it was.
        passing: whether the reason of `error` may pass, as that of a network does: another try may succeed.
    """

    numbers: tuple[Number, ...] = ()
    refused: Refusal | None = None
    size: tuple[int, int] | None = None
    error: str = ""
    passing: bool = False

    @property
    def surest(self) -> Number:
        """The number of the highest confidence; `NO_NUMBER` if there is none."""
        return max(self.numbers, key=lambda number: number.confidence, default=NO_NUMBER)

    @property
    def text(self) -> str:
        return self.surest.text

    @property
    def confidence(self) -> float:
        return self.surest.confidence

    @property
    def digit_confidences(self) -> tuple[float, ...]:
        return self.surest.digit_confidences

    @property
    def box(self) -> Box | None:
        return self.surest.box

    def __repr__(self) -> str:
        """`Reading('210', 0.987, box=(34.1, 20.5, 80.2, 48.0))`: what is empty is left out, and numbers are rounded."""
        if self.error:
            return f"Reading(error={self.error!r})"
        if self.refused:
            text, confidence, needed = self.refused
            return f"Reading('', refused=Refusal({text!r}, {confidence:.3f}, {needed:.3f}))"
        several = len(self.numbers) > 1
        return f"Reading({', '.join(map(repr, self.numbers)) if several else _format_number(self.surest)})"


NO_NUMBER = Number("", 0.0, ())  # of a picture that is answered with no number


class Prediction(NamedTuple):
    """One example and what was read in it.

    Args:
        image: the picture, as the network gets it or as a report shows it, uint8 (height, width, channels).
        name: the example's name.
        label: the true number.
        reading: the number that was read; `NO_NUMBER` where there was no answer.
        label_confidence: the probability that the network gives to the true number, 0 to 1; None if it is unknown.
    """

    image: np.ndarray
    name: str
    label: str
    reading: Number
    label_confidence: float | None


def _format_number(number: Number) -> str:
    box = f", box=({', '.join(f'{side:.1f}' for side in number.box)})" if number.box else ""
    return f"{number.text!r}, {number.confidence:.3f}{box}{', truncated=True' if number.truncated else ''}"


def list_corners(box: Box) -> Corners:
    """The corners of an upright box."""
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


def enlarge_number(number: Number, factor: float) -> Number:
    """The number in a picture whose width and height are `factor` times as large."""
    if number.corners is None:
        return number
    first, second, third, fourth = ((factor * x, factor * y) for x, y in number.corners)
    return number._replace(corners=(first, second, third, fourth))


def parse_svhn_label(label: float) -> str:
    """The digit that a label in SVHN's files stands for.

    Raises:
        ValueError: the label is not a whole number from 1 to 10.
    """
    if label not in range(1, SVHN_ZERO + 1):
        raise ValueError(f"label {label:g}: expected a whole number from 1 to {SVHN_ZERO}, which stands for 0")
    return str(int(label) % SVHN_ZERO)


def encode_text(text: str, max_length: int) -> list[int]:
    """`"210"` with five slots is `[2, 1, 0, EMPTY, EMPTY]`; a longer number is `TOO_LONG` in all slots."""
    if len(text) > max_length:
        return [TOO_LONG] * max_length
    return [int(digit) for digit in text] + [EMPTY] * (max_length - len(text))


def decode_slots(slots: np.ndarray) -> str:
    """`[2, 1, 0, EMPTY, EMPTY]` is `"210"`; `[TOO_LONG] * 5` is ""."""
    return "".join(str(int(slot)) for slot in slots if slot >= 0)


def show_slots(slots: np.ndarray) -> str:
    """The digits, as `decode_slots`, or in words that the number is too long."""
    return TRUNCATED_TEXT if slots[0] == TOO_LONG else decode_slots(slots)


def compute_lengths(slots: tf.Tensor) -> tf.Tensor:
    """The class of each number's length, int32 (batch,), from int32 (batch, max_length): max_length + 1 if too long."""
    import tensorflow as tf

    digits = tf.math.count_nonzero(slots >= 0, axis=-1, dtype=tf.int32)
    return tf.where(slots[:, 0] == TOO_LONG, tf.shape(slots)[1] + 1, digits)


def make_number(slots: np.ndarray, confidence: float, digit_confidences: np.ndarray) -> Number:
    """The number in one crop from its slots, int (max_length,), and their probabilities, (max_length,)."""
    text = decode_slots(slots)
    probable = tuple(float(value) for value in digit_confidences[: len(text)])
    return Number(text, float(confidence), probable, truncated=bool(slots[0] == TOO_LONG))
