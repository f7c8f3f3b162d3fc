"""Metrics are sums: added over batches and replicas, divided once at the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import tensorflow as tf

from svhn.labels import EMPTY
from svhn.pipeline.boxes import mark_found_boxes, mark_known_boxes

Sum = Any  # a scalar tensor within a graph, a float outside


class Counts(NamedTuple):
    """Sums over examples.

    Only real digits count for `digits`; `slots` counts the empty ones too, as the reference's "digit accuracy" does.
    `boxes` are those of numbers whose place is known, to a network that says one.
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
    """Sums over a batch.

    Args:
        true: int32 (batch, max_length), `EMPTY` past the length.
        predicted: the same, of `labels.decode`.
        loss: float32 (batch,).
        weight: float32 (batch,), 1 for an example and 0 for padding.
        located: true and predicted boxes, float32 (batch, 4) each.
    """
    weights = weight[:, tf.newaxis]
    right = tf.cast(true == predicted, tf.float32)
    real = tf.cast(true != EMPTY, tf.float32)
    same_length = tf.reduce_all((true == EMPTY) == (predicted == EMPTY), axis=1)
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
    """The sum, as floats. In Python's float64, which float32's whole numbers don't outgrow."""
    return Counts(*(sum(float(value) for value in column) for column in zip(*parts, strict=True)))


def compute_scores(counts: Counts) -> dict[str, float]:
    """The accuracies, 0 to 1, in the order of the CSV's columns, and the mean loss.

    Raises:
        ValueError: if nothing was counted.
    """
    if not counts.examples:
        raise ValueError("no examples were counted")
    placed = {"box_accuracy": counts.boxes_found / counts.boxes} if counts.boxes else {}
    return {
        "digit_accuracy": counts.digits_right / max(counts.digits, 1),
        "sequence_accuracy": counts.sequences_right / counts.examples,
        "length_accuracy": counts.lengths_right / counts.examples,
        "slot_accuracy": counts.slots_right / counts.slots,
        **placed,
        "loss": counts.loss / counts.examples,
    }
