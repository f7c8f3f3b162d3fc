"""The loss of a number: the cross-entropies of its length and of its digits."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from svhn.labels import EMPTY


def sequence_loss(slots: tf.Tensor, outputs: dict[str, tf.Tensor], label_smoothing: float = 0.0) -> tf.Tensor:
    """-log P(length) - sum over its digits of log P(digit), as in Goodfellow et al. 2014 (arXiv 1312.6082).

    A slot past the length is masked: it adds nothing, and no gradient flows from it.

    Args:
        slots: int32 (batch, max_length), `EMPTY` past the length.
        outputs: a model's logits.
        label_smoothing: share of the probability that is spread over all classes.

    Returns:
        float32 (batch,).
    """
    mask = tf.cast(slots != EMPTY, tf.float32)
    loss: tf.Tensor = tf.reduce_sum(mask * cross_entropy(slots, outputs["digits"], label_smoothing), axis=1)
    if "length" in outputs:
        length = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        loss += cross_entropy(length, outputs["length"], label_smoothing)
    return loss


def cross_entropy(classes: tf.Tensor, logits: tf.Tensor, label_smoothing: float) -> tf.Tensor:
    count: Any = logits.shape[-1]
    target = (1 - label_smoothing) * tf.one_hot(classes, count) + label_smoothing / count
    return tf.nn.softmax_cross_entropy_with_logits(target, logits)
