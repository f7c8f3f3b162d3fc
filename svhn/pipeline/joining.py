"""Two numbers side by side as one longer number, in training: which examples are joined, their pictures and boxes."""

from __future__ import annotations

import tensorflow as tf

from svhn.labels import EMPTY
from svhn.pipeline import augment
from svhn.spec import Augmentation


def should_join(noise: tf.Tensor, steps: Augmentation) -> tf.Tensor:
    """Whether an example with this noise, float32 (NOISE_SIZE,), is joined with the next: a bool scalar."""
    return (augment.split_noise(noise).join[0] + 1) / 2 < steps.joining


def fits_slots(digits: tf.Tensor, following: tf.Tensor) -> tf.Tensor:
    """Whether max_length slots hold both numbers, each int32 (max_length,), `EMPTY` past the length."""
    count = tf.math.count_nonzero(tf.concat([digits, following], axis=0) != EMPTY, dtype=tf.int32)
    return count <= tf.size(digits)


def join_pictures(
    image: tf.Tensor, digits: tf.Tensor, following_image: tf.Tensor, following: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Two pictures side by side as the picture of one longer number; each is as wide as its share of the digits.

    Args:
        image, following_image: uint8 (height, width, channels).
        digits, following: int32 (max_length,), `EMPTY` past the length. Their lengths add up to at most max_length.

    Returns:
        The picture and the digits of the longer number, in the same shapes.
    """
    height, width, _ = image.shape
    shown, followed = (tf.boolean_mask(slots, slots != EMPTY) for slots in (digits, following))
    left = width * tf.size(shown) // (tf.size(shown) + tf.size(followed))
    parts = [
        tf.image.resize(part, (height, columns), antialias=True)
        for part, columns in ((image, left), (following_image, width - left))
    ]
    both = tf.concat([shown, followed], axis=0)
    both = tf.pad(both, [[0, tf.size(digits) - tf.size(both)]], constant_values=EMPTY)
    joined = tf.cast(tf.round(tf.concat(parts, axis=1)), image.dtype)
    return tf.ensure_shape(joined, image.shape), tf.ensure_shape(both, digits.shape)


def join_boxes(boxes: tf.Tensor, digits: tf.Tensor, followed: tf.Tensor, following: tf.Tensor) -> tf.Tensor:
    """The digits' boxes in the result of `join_pictures`, right to a pixel: float32 (max_length, 4).

    Args:
        boxes, followed: the digits' boxes of both numbers, float32 (max_length, 4) in shares of their own pictures,
            `NOWHERE` if unknown.
        digits, following: int32 (max_length,), `EMPTY` past the length.
    """
    count, added = (tf.math.count_nonzero(slots != EMPTY, dtype=tf.int32) for slots in (digits, following))
    share = tf.cast(count / (count + added), tf.float32)
    left = boxes[:count] * tf.stack([share, 1.0, share, 1.0])
    right = followed[:added] * tf.stack([1 - share, 1.0, 1 - share, 1.0]) + tf.stack([share, 0.0, share, 0.0])
    both = tf.pad(tf.concat([left, right], axis=0), [[0, tf.size(digits) - count - added], [0, 0]])
    return tf.ensure_shape(both, boxes.shape)
