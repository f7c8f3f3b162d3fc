"""Losses: of a number's length and digits, of its box, and of digit maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from svhn.labels import compute_lengths
from svhn.pipeline.boxes import compute_iou_and_giou, mark_known_boxes
from svhn.pipeline.digit_maps import UNKNOWN

Outputs = dict[str, tf.Tensor]  # logits by head, and `box` if the network predicts one
Network = Callable[[tf.Tensor], Outputs]  # a model used for inference only


def compute_example_loss(batch: Mapping[str, tf.Tensor], outputs: Outputs, *options: Any) -> tf.Tensor:
    """The loss of each example, float32 (batch,): of its number, and of its box if the network predicts one.

    Args:
        batch: `digits` and `box`, as `compute_sequence_loss` and `compute_box_loss` take them.
        outputs: a model's outputs for the batch.
        options: further arguments of `compute_sequence_loss`.
    """
    loss = compute_sequence_loss(batch["digits"], outputs, *options)
    return loss + compute_box_loss(batch["box"], outputs["box"]) if "box" in outputs else loss


def pair_boxes(batch: Mapping[str, tf.Tensor], outputs: Outputs) -> tuple[tf.Tensor, tf.Tensor] | None:
    """The true and the predicted boxes, float32 (batch, 4) each; None if the network predicts none."""
    return (batch["box"], outputs["box"]) if "box" in outputs else None


def compute_sequence_loss(
    slots: tf.Tensor,
    outputs: Outputs,
    label_smoothing: float = 0.0,
    taught: Outputs | None = None,
    distillation: float = 0.0,
) -> tf.Tensor:
    """-log P(length) - sum over the digits of log P(digit), as in Goodfellow et al. 2014 (arXiv 1312.6082).

    Slots past the length are masked: they add nothing to the loss and get no gradient. So are all slots of a number
    that is too long, and its length too where a network lacks that class.

    Args:
        slots: int32 (batch, max_length), `EMPTY` past the length, or all `TOO_LONG`.
        outputs: a model's logits: `digits` (batch, max_length, 10), and `length` (batch, lengths) if it varies.
        label_smoothing: share of the target's probability that is spread over all classes, 0 to 1.
        taught: a teacher's logits of the same shapes; None without a teacher.
        distillation: share of the teacher's probabilities in the target, 0 to 1. Smoothed labels make up the rest.

    Returns:
        float32 (batch,).
    """
    mask = tf.cast(slots >= 0, tf.float32)
    classes = {"digits": slots, "length": compute_lengths(slots)}

    def loss(head: str) -> tf.Tensor:
        target = _smooth_labels(classes[head], outputs[head].shape[-1], label_smoothing)
        if taught:
            target += distillation * (tf.nn.softmax(taught[head]) - target)
        return tf.nn.softmax_cross_entropy_with_logits(target, outputs[head])

    digits: tf.Tensor = tf.reduce_sum(mask * loss("digits"), axis=1)
    return digits + loss("length") if "length" in outputs else digits


def _smooth_labels(classes: tf.Tensor, count: Any, label_smoothing: float) -> tf.Tensor:
    return (1 - label_smoothing) * tf.one_hot(classes, count) + label_smoothing / count


# Of the L1 distance and of generalized intersection over union, as in Carion et al. 2020 (arXiv 2005.12872).
BOX_LOSS_WEIGHTS = (5.0, 2.0)


def compute_box_loss(true: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """float32 (batch,): the distance of each predicted box from the true one; 0 where the true box is unknown.

    Args:
        true, predicted: float32 (batch, 4), in shares of the picture's width and height.
    """
    distance = tf.reduce_sum(tf.abs(true - predicted), axis=-1)
    return mark_known_boxes(true) * (
        BOX_LOSS_WEIGHTS[0] * distance + BOX_LOSS_WEIGHTS[1] * (1 - compute_iou_and_giou(true, predicted)[1])
    )


def compute_map_loss(maps: tf.Tensor, predicted: Iterable[tf.Tensor]) -> tf.Tensor:
    """float32 (batch,): the mean cross-entropy over a picture's places, summed over all predicted maps.

    Args:
        maps: the true digit maps, int32 (batch, rows, columns), as `make_digit_maps` returns them.
        predicted: the logits of each predicted map, (batch, rows, columns, NUM_CLASSES + 1).
    """
    known, classes = tf.cast(maps != UNKNOWN, tf.float32), tf.maximum(maps, 0)
    total = tf.zeros(tf.shape(maps)[0])
    for logits in predicted:
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, tf.cast(logits, tf.float32))
        total += tf.reduce_mean(known * loss, axis=[1, 2])
    return total
