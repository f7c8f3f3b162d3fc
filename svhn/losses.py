"""The loss of a number: the cross-entropies of its length and of its digits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from svhn import boxes
from svhn.labels import EMPTY

Outputs = dict[str, tf.Tensor]
Network = Callable[[tf.Tensor], Outputs]  # a model to those who only read with it


def example_loss(batch: Mapping[str, tf.Tensor], outputs: Outputs, *options: Any) -> tf.Tensor:
    """float32 (batch,): `sequence_loss`, with its options, and that of the box where the network says one."""
    loss = sequence_loss(batch["digits"], outputs, *options)
    return loss + boxes.box_loss(batch["box"], outputs["box"]) if "box" in outputs else loss


def located(batch: Mapping[str, tf.Tensor], outputs: Outputs) -> tuple[tf.Tensor, tf.Tensor] | None:
    """True and predicted boxes, where the network says any."""
    return (batch["box"], outputs["box"]) if "box" in outputs else None


def sequence_loss(
    slots: tf.Tensor,
    outputs: Outputs,
    label_smoothing: float = 0.0,
    taught: Outputs | None = None,
    distillation: float = 0.0,
) -> tf.Tensor:
    """-log P(length) - sum over its digits of log P(digit), as in Goodfellow et al. 2014 (arXiv 1312.6082).

    A slot past the length is masked: it adds nothing, and no gradient flows from it.

    Args:
        slots: int32 (batch, max_length), `EMPTY` past the length.
        outputs: a model's logits.
        label_smoothing: share of the probability that is spread over all classes.
        taught: a teacher's logits.
        distillation: share of its probabilities in what is to be predicted, beside the smoothed labels.

    Returns:
        float32 (batch,).
    """
    mask = tf.cast(slots != EMPTY, tf.float32)
    classes = {"digits": slots, "length": tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)}

    def loss(head: str) -> tf.Tensor:
        target = smoothed(classes[head], outputs[head].shape[-1], label_smoothing)
        if taught:
            target += distillation * (tf.nn.softmax(taught[head]) - target)
        return tf.nn.softmax_cross_entropy_with_logits(target, outputs[head])

    digits: tf.Tensor = tf.reduce_sum(mask * loss("digits"), axis=1)
    return digits + loss("length") if "length" in outputs else digits


def smoothed(classes: tf.Tensor, count: Any, label_smoothing: float) -> tf.Tensor:
    return (1 - label_smoothing) * tf.one_hot(classes, count) + label_smoothing / count
