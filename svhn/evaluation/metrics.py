"""Scores as sums over examples: added up over batches and replicas, and divided once at the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import tensorflow as tf

from svhn.labels import compute_lengths
from svhn.pipeline.boxes import mark_found_boxes, mark_known_boxes

Sum = Any  # a scalar tensor inside a graph, a float outside


class Counts(NamedTuple):
    """Sums over examples.

    Args:
        examples: number of examples.
        loss: sum of the examples' losses.
        sequences_right: whole numbers read right.
        lengths_right: numbers read with the right length.
        digits: true digits, without empty slots.
        digits_right: digits read right, each in its slot.
        slots: all slots, empty ones included, as kvn219/multi-number-recognition counts in its "digit accuracy".
        slots_right: slots read right.
        boxes: examples whose box is known; 0 for a network that predicts none.
        boxes_found: boxes that were found: see `mark_found_boxes`.
    """

    examples: Sum
    loss: Sum
    sequences_right: Sum
    lengths_right: Sum
    digits: Sum
    digits_right: Sum
    slots: Sum
    slots_right: Sum
    boxes: Sum = 0.0
    boxes_found: Sum = 0.0


def count_batch(
    true: tf.Tensor,
    predicted: tf.Tensor,
    loss: tf.Tensor,
    weight: tf.Tensor,
    located: tuple[tf.Tensor, tf.Tensor] | None = None,
) -> Counts:
    """The sums over a batch, as scalar tensors.

    Args:
        true: the true digits, int32 (batch, max_length), `EMPTY` past the length, or all `TOO_LONG`.
        predicted: the digits that were read, in the same form, as `decode_outputs` returns them.
        loss: float32 (batch,).
        weight: float32 (batch,): 1, or 0 for a blank example that fills the batch.
        located: true and predicted boxes, float32 (batch, 4) each; None if the network predicts none.
    """
    weights = weight[:, tf.newaxis]
    right = tf.cast(true == predicted, tf.float32)
    real = tf.cast(true >= 0, tf.float32)
    same_length = compute_lengths(true) == compute_lengths(predicted)
    return Counts(
        examples=tf.reduce_sum(weight),
        loss=tf.reduce_sum(weight * loss),
        sequences_right=tf.reduce_sum(weight * tf.reduce_min(right, axis=1)),
        lengths_right=tf.reduce_sum(weight * tf.cast(same_length, tf.float32)),
        digits=tf.reduce_sum(weights * real),
        digits_right=tf.reduce_sum(weights * real * right),
        slots=tf.reduce_sum(weights * tf.ones_like(right)),
        slots_right=tf.reduce_sum(weights * right),
        boxes=tf.reduce_sum(weight * mark_known_boxes(located[0])) if located else tf.constant(0.0),
        boxes_found=tf.reduce_sum(weight * mark_found_boxes(*located)) if located else tf.constant(0.0),
    )


def sum_counts(parts: Iterable[Counts]) -> Counts:
    """The sum of all parts, as Python's floats: float32 would lose whole numbers above 2^24."""
    return Counts(*(sum(float(value) for value in column) for column in zip(*parts, strict=True)))


def compute_scores(counts: Counts) -> dict[str, float]:
    """The accuracies, 0 to 1, in the order of the CSV's columns, and the mean `loss`.

    `box_accuracy` is there only if boxes were counted.

    Raises:
        ValueError: nothing was counted.
    """
    if not counts.examples:
        raise ValueError("no examples were counted")
    boxes = {"box_accuracy": counts.boxes_found / counts.boxes} if counts.boxes else {}
    return {
        "digit_accuracy": counts.digits_right / max(counts.digits, 1),
        "sequence_accuracy": counts.sequences_right / counts.examples,
        "length_accuracy": counts.lengths_right / counts.examples,
        "slot_accuracy": counts.slots_right / counts.slots,
        **boxes,
        "loss": counts.loss / counts.examples,
    }
