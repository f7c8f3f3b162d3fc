"""Measures of boxes, for the loss and for scores. The last axis of a box is left, top, right, bottom."""

from __future__ import annotations

import tensorflow as tf

# The intersection over union from which a box counts as found, as in PASCAL VOC (Everingham et al. 2010).
IOU_THRESHOLD = 0.5


def mark_known_boxes(boxes: tf.Tensor) -> tf.Tensor:
    """float32 (batch,) for boxes (batch, 4): 1 for a box with an area, 0 for `NOWHERE`."""
    return tf.cast(_compute_area(boxes) > 0, tf.float32)


def _compute_area(boxes: tf.Tensor) -> tf.Tensor:
    left, top, right, bottom = tf.unstack(boxes, axis=-1)
    return tf.maximum(right - left, 0.0) * tf.maximum(bottom - top, 0.0)


def merge_known_boxes(boxes: tf.Tensor) -> tf.Tensor:
    """The box around all known boxes of each row: (batch, count, 4) to (batch, 4); `NOWHERE` for a row without any."""
    upper, lower = tf.split(boxes, 2, axis=-1)
    known = tf.expand_dims(_compute_area(boxes) > 0, -1)
    first = tf.reduce_min(tf.where(known, upper, upper.dtype.max), axis=1)
    last = tf.reduce_max(tf.where(known, lower, lower.dtype.min), axis=1)
    return tf.where(tf.reduce_any(known, axis=1), tf.concat([first, last], axis=-1), 0.0)


def compute_iou_and_giou(first: tf.Tensor, second: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Intersection over union (IoU) of pairs of boxes, and generalized IoU (Rezatofighi et al. 2019, arXiv 1902.09630).

    Args:
        first, second: float32 (batch, 4) each.

    Returns:
        float32 (batch,) in 0…1, and float32 (batch,) in -1…1.
    """
    upper, lower = tf.split(first, 2, axis=-1)
    other_upper, other_lower = tf.split(second, 2, axis=-1)
    shared = _compute_area(tf.concat([tf.maximum(upper, other_upper), tf.minimum(lower, other_lower)], axis=-1))
    around = _compute_area(tf.concat([tf.minimum(upper, other_upper), tf.maximum(lower, other_lower)], axis=-1))
    union = _compute_area(first) + _compute_area(second) - shared
    iou = tf.math.divide_no_nan(shared, union)
    return iou, iou - tf.math.divide_no_nan(around - union, around)


def mark_found_boxes(true: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """float32 (batch,): 1 where a known true box and the predicted one overlap by `IOU_THRESHOLD` or more, else 0."""
    return mark_known_boxes(true) * tf.cast(compute_iou_and_giou(true, predicted)[0] >= IOU_THRESHOLD, tf.float32)
