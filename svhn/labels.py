"""A label is a digit string: how it becomes numbers for a network, and how a network's outputs become a string again.

Worker processes that only crop pictures import this module, so TensorFlow is imported where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from svhn.spec import Box

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

CLASSES = 10  # of a slot: the digits; a slot past the number's length has no class, it is masked
EMPTY = -1  # what a slot past the length holds; its one-hot vector is all zeros
SVHN_ZERO = 10  # SVHN's files write the digit 0 as 10 (Netzer et al. 2011)


class Reading(NamedTuple):
    """What was read: the number, its probability, and each digit's; "" and its probability where there is none.

    `box` is where a picture was found to show it: left, top, right and bottom in pixels.
    """

    text: str
    confidence: float
    digit_confidences: tuple[float, ...]
    box: Box | None = None


class Decoded(NamedTuple):
    """The most probable number of each example, as tensors.

    Args:
        digits: int32 (batch, max_length), `EMPTY` past the number's length.
        confidence: float32 (batch,), the probability of the whole number.
        digit_confidences: float32 (batch, max_length), of each slot's digit.
    """

    digits: tf.Tensor
    confidence: tf.Tensor
    digit_confidences: tf.Tensor


def from_svhn(label: float) -> str:
    """The digit that a label of SVHN's files stands for.

    Raises:
        ValueError: unless it is a whole number from 1 to 10.
    """
    if label not in range(1, SVHN_ZERO + 1):
        raise ValueError(f"label {label:g}: expected a whole number from 1 to {SVHN_ZERO}, which stands for 0")
    return str(int(label) % SVHN_ZERO)


def to_slots(text: str, max_length: int) -> list[int]:
    """`"210"` with five slots is `[2, 1, 0, EMPTY, EMPTY]`."""
    return [int(digit) for digit in text] + [EMPTY] * (max_length - len(text))


def to_text(slots: np.ndarray) -> str:
    """`[2, 1, 0, EMPTY, EMPTY]` is `"210"`."""
    return "".join(str(int(slot)) for slot in slots if slot != EMPTY)


def decode(outputs: dict[str, tf.Tensor]) -> Decoded:
    """The most probable number, length and digits jointly: argmax over n of log P(n) + sum of i < n of max log P(d_i).

    Args:
        outputs: logits `digits` (batch, max_length, 10), and `length` (batch, max_length + 1) unless all numbers
            have max_length digits.
    """
    import tensorflow as tf

    digit_log = tf.nn.log_softmax(outputs["digits"])
    best = tf.reduce_max(digit_log, axis=-1)
    max_length = digit_log.shape[1]
    number_log = tf.cumsum(tf.pad(best, [[0, 0], [1, 0]]), axis=1)  # (batch, max_length + 1): by length, from 0
    if "length" in outputs:
        number_log += tf.nn.log_softmax(outputs["length"])
    else:
        number_log += tf.one_hot(max_length, max_length + 1, on_value=0.0, off_value=-tf.float32.max)
    length = tf.argmax(number_log, axis=-1, output_type=tf.int32)
    digits = tf.argmax(digit_log, axis=-1, output_type=tf.int32)
    digits = tf.where(tf.sequence_mask(length, max_length), digits, EMPTY)
    return Decoded(digits, tf.exp(tf.reduce_max(number_log, axis=-1)), tf.exp(best))


def presence(outputs: dict[str, tf.Tensor]) -> tf.Tensor:
    """float32 (batch,): how probable it is that there is a number at all, of a network that has seen pictures without.

    Args:
        outputs: logits, `length` (batch, max_length + 1) among them.
    """
    import tensorflow as tf

    return 1 - tf.nn.softmax(outputs["length"])[:, 0]


def readings(decoded: Decoded) -> list[Reading]:
    """The tensors of `decode` as one `Reading` an example."""
    rows = zip(*(tensor.numpy() for tensor in decoded), strict=True)
    return [reading(*row) for row in rows]


def reading(slots: np.ndarray, confidence: float, digit_confidences: np.ndarray) -> Reading:
    text = to_text(slots)
    return Reading(text, float(confidence), tuple(float(value) for value in digit_confidences[: len(text)]))
