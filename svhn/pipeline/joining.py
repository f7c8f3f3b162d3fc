"""Two numbers side by side as one longer number, in training: which examples are joined, their pictures and boxes."""

from __future__ import annotations

import tensorflow as tf

from svhn.labels import EMPTY, TOO_LONG
from svhn.pipeline import augment
from svhn.spec import Augmentation


def should_join(noise: tf.Tensor, steps: Augmentation) -> tf.Tensor:
    """Whether an example with this noise, float32 (NOISE_SIZE,), is joined with the next: a bool scalar."""
    return (augment.split_noise(noise).join[0] + 1) / 2 < steps.joining


def can_join(digits: tf.Tensor, following: tf.Tensor, longer: bool) -> tf.Tensor:
    """Whether two numbers may be joined: neither is too long or empty, and max_length slots hold both unless `longer`.

    Args:
        digits, following: int32 (max_length,), `EMPTY` past the length, or all `TOO_LONG`.
        longer: whether the result may be too long.
    """
    both = tf.concat([digits, following], axis=0)
    count = tf.math.count_nonzero(both != EMPTY, dtype=tf.int32)
    given = (digits[0] != EMPTY) & (following[0] != EMPTY)
    return given & tf.reduce_all(both != TOO_LONG) & (longer | (count <= tf.size(digits)))


def join_pictures(
    image: tf.Tensor, digits: tf.Tensor, following_image: tf.Tensor, following: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Two pictures side by side as the picture of one longer number; each is as wide as its share of the digits.

    Args:
        image, following_image: uint8 (height, width, channels).
        digits, following: int32 (max_length,), `EMPTY` past the length.

    Returns:
        The picture and the digits of the longer number, in the same shapes; `TOO_LONG` in all slots if they don't hold
        its digits.
    """
    height, width, _ = image.shape
    shown, followed = (tf.boolean_mask(slots, slots != EMPTY) for slots in (digits, following))
    left = width * tf.size(shown) // (tf.size(shown) + tf.size(followed))
    parts = [
        tf.image.resize(part, (height, columns), antialias=True)
        for part, columns in ((image, left), (following_image, width - left))
    ]
    both = tf.concat([shown, followed], axis=0)
    padding = [[0, tf.maximum(tf.size(digits) - tf.size(both), 0)]]
    fits = tf.size(both) <= tf.size(digits)
    both = tf.where(fits, tf.pad(both, padding, constant_values=EMPTY)[: tf.size(digits)], TOO_LONG)
    joined = tf.cast(tf.round(tf.concat(parts, axis=1)), image.dtype)
    return tf.ensure_shape(joined, image.shape), tf.ensure_shape(both, digits.shape)


def join_boxes(boxes: tf.Tensor, digits: tf.Tensor, followed: tf.Tensor, following: tf.Tensor) -> tf.Tensor:
    """The digits' boxes in the result of `join_pictures`, right to a pixel: float32 (max_length, 4).

    Of a number that is too long, they are those of the first digits; `make_digit_maps` leaves such a number out.

    Args:
        boxes, followed: the digits' boxes of both numbers, float32 (max_length, 4) in shares of their own pictures,
            `NOWHERE` if unknown.
        digits, following: int32 (max_length,), `EMPTY` past the length.
    """
    count, added = (tf.math.count_nonzero(slots != EMPTY, dtype=tf.int32) for slots in (digits, following))
    share = tf.cast(count / (count + added), tf.float32)
    left = boxes[:count] * tf.stack([share, 1.0, share, 1.0])
    right = followed[:added] * tf.stack([1 - share, 1.0, 1 - share, 1.0]) + tf.stack([share, 0.0, share, 0.0])
    both = tf.concat([left, right], axis=0)[: tf.size(digits)]
    both = tf.pad(both, [[0, tf.size(digits) - tf.shape(both)[0]], [0, 0]])
    return tf.ensure_shape(both, boxes.shape)
