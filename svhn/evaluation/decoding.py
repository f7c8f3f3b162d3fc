"""From a network's outputs to the most probable number and its probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from svhn.labels import EMPTY, TOO_LONG, Number, make_number

if TYPE_CHECKING:
    import tensorflow as tf


class DecodedBatch(NamedTuple):
    """The most probable number of each example, as tensors.

    Args:
        digits: int32 (batch, max_length), `EMPTY` past the number's length; `TOO_LONG` in all slots of a number that
            is longer.
        confidence: float32 (batch,), the probability of the whole number.
        digit_confidences: float32 (batch, max_length), the probability of each slot's most probable digit.
    """

    digits: tf.Tensor
    confidence: tf.Tensor
    digit_confidences: tf.Tensor


def decode_outputs(outputs: dict[str, tf.Tensor]) -> DecodedBatch:
    """The most probable number of each example, over all lengths and digits jointly.

    Its length n maximizes log P(n) + the sum over i < n of max log P(d_i), as in Goodfellow et al. 2014 (arXiv
    1312.6082). Of a number that is too long no digit counts, so log P(n) alone stands for it.

    Args:
        outputs: logits `digits` (batch, max_length, 10), and `length` unless all numbers have max_length digits:
            (batch, max_length + 1), or (batch, max_length + 2) with the class of longer numbers.
    """
    import tensorflow as tf

    digit_log = tf.nn.log_softmax(outputs["digits"])
    best = tf.reduce_max(digit_log, axis=-1)
    max_length = digit_log.shape[1]
    number_log = tf.cumsum(tf.pad(best, [[0, 0], [1, 0]]), axis=1)  # (batch, max_length + 1): one per length, from 0
    if "length" in outputs:
        length_log = tf.nn.log_softmax(outputs["length"])
        number_log = tf.concat([number_log + length_log[:, : max_length + 1], length_log[:, max_length + 1 :]], axis=1)
    else:
        number_log += tf.one_hot(max_length, max_length + 1, on_value=0.0, off_value=-tf.float32.max)
    length = tf.argmax(number_log, axis=-1, output_type=tf.int32)
    digits = tf.argmax(digit_log, axis=-1, output_type=tf.int32)
    digits = tf.where(tf.sequence_mask(length, max_length), digits, EMPTY)
    digits = tf.where(length[:, None] > max_length, TOO_LONG, digits)
    return DecodedBatch(digits, tf.exp(tf.reduce_max(number_log, axis=-1)), tf.exp(best))


def compute_presence(outputs: dict[str, tf.Tensor]) -> tf.Tensor:
    """float32 (batch,): the probability that a picture holds a number, as the complement of a length of 0.

    It means something only if the network was trained on pictures without numbers, too.

    Args:
        outputs: logits with `length` (batch, lengths), that of 0 first.
    """
    import tensorflow as tf

    return 1 - tf.nn.softmax(outputs["length"])[:, 0]


def list_numbers(decoded: DecodedBatch) -> list[Number]:
    """One `Number` per example of the batch."""
    rows = zip(*(tensor.numpy() for tensor in decoded), strict=True)
    return [make_number(*row) for row in rows]
