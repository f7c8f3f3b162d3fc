"""What a network's outputs mean: the most probable number, and how probable it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from svhn.labels import EMPTY, Reading, make_reading

if TYPE_CHECKING:
    import tensorflow as tf


class DecodedBatch(NamedTuple):
    """The most probable number of each example, as tensors.

    Args:
        digits: int32 (batch, max_length), `EMPTY` past the number's length.
        confidence: float32 (batch,), the probability of the whole number.
        digit_confidences: float32 (batch, max_length), of each slot's digit.
    """

    digits: tf.Tensor
    confidence: tf.Tensor
    digit_confidences: tf.Tensor


def decode_outputs(outputs: dict[str, tf.Tensor]) -> DecodedBatch:
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
    return DecodedBatch(digits, tf.exp(tf.reduce_max(number_log, axis=-1)), tf.exp(best))


def compute_presence(outputs: dict[str, tf.Tensor]) -> tf.Tensor:
    """float32 (batch,): how probable it is that there is a number at all, of a network that has seen pictures without.

    Args:
        outputs: logits, `length` (batch, max_length + 1) among them.
    """
    import tensorflow as tf

    return 1 - tf.nn.softmax(outputs["length"])[:, 0]


def list_readings(decoded: DecodedBatch) -> list[Reading]:
    """The tensors of `decode_outputs` as one `Reading` an example."""
    rows = zip(*(tensor.numpy() for tensor in decoded), strict=True)
    return [make_reading(*row) for row in rows]
