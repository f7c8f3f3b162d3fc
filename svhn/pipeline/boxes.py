"""Boxes: how far one lies from another, for learning and for counting; left, top, right, bottom in the last axis."""

from __future__ import annotations

import tensorflow as tf

IOU_THRESHOLD = (
    0.5  # intersection over union from which a box counts as found, as in PASCAL VOC (Everingham et al. 2010)
)


def mark_known_boxes(boxes: tf.Tensor) -> tf.Tensor:
    """float32 (batch,): 1 where there is a box, 0 where it is `NOWHERE`."""
    return tf.cast(_compute_area(boxes) > 0, tf.float32)


def _compute_area(boxes: tf.Tensor) -> tf.Tensor:
    left, top, right, bottom = tf.unstack(boxes, axis=-1)
    return tf.maximum(right - left, 0.0) * tf.maximum(bottom - top, 0.0)


def merge_known_boxes(boxes: tf.Tensor) -> tf.Tensor:
    """The boxes (batch, 4) around all the known ones of each row of (batch, count, 4); `NOWHERE` if there are none."""
    upper, lower = tf.split(boxes, 2, axis=-1)
    there = tf.expand_dims(_compute_area(boxes) > 0, -1)
    first = tf.reduce_min(tf.where(there, upper, upper.dtype.max), axis=1)
    last = tf.reduce_max(tf.where(there, lower, lower.dtype.min), axis=1)
    return tf.where(tf.reduce_any(there, axis=1), tf.concat([first, last], axis=-1), 0.0)


def compute_iou_and_giou(first: tf.Tensor, second: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Intersection over union, and the generalised one (Rezatofighi et al. 2019, arXiv 1902.09630), of boxes each."""
    upper, lower = tf.split(first, 2, axis=-1)
    other_upper, other_lower = tf.split(second, 2, axis=-1)
    shared = _compute_area(tf.concat([tf.maximum(upper, other_upper), tf.minimum(lower, other_lower)], axis=-1))
    around = _compute_area(tf.concat([tf.minimum(upper, other_upper), tf.maximum(lower, other_lower)], axis=-1))
    union = _compute_area(first) + _compute_area(second) - shared
    iou = tf.math.divide_no_nan(shared, union)
    return iou, iou - tf.math.divide_no_nan(around - union, around)


def mark_found_boxes(true: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """float32 (batch,): 1 for a box that was found."""
    return mark_known_boxes(true) * tf.cast(compute_iou_and_giou(true, predicted)[0] >= IOU_THRESHOLD, tf.float32)
