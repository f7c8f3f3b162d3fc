"""Boxes against one another, with figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from svhn.models import losses
from svhn.pipeline import boxes

SQUARE = (0.2, 0.2, 0.6, 0.6)


@pytest.mark.parametrize(
    ("other", "iou", "generalised"),
    [
        (SQUARE, 1, 1),
        ((0.2, 0.2, 0.6, 0.4), 0.5, 0.5),
        ((0.4, 0.4, 0.8, 0.8), 0.04 / 0.28, 0.04 / 0.28 - 0.08 / 0.36),
        ((0.6, 0.2, 1.0, 0.6), 0, 0),  # side by side: nothing between them
        ((0.8, 0.2, 1.0, 0.6), 0, -0.08 / 0.32),
        ((0.0, 0.0, 0.0, 0.0), 0, -0.2 / 0.36),
    ],
)
def test_overlap_is_as_worked_out_by_hand(other: tuple[float, ...], iou: float, generalised: float) -> None:
    one, two = tf.constant([SQUARE]), tf.constant([other])
    for first, second in ((one, two), (two, one)):
        found = boxes.compute_iou_and_giou(first, second)
        assert [float(value[0]) for value in found] == pytest.approx([iou, generalised], abs=1e-6)


def test_a_union_is_around_all_boxes_that_are_known() -> None:
    rows = [
        [(0.0,) * 4, (0.5, 0.4, 0.6, 0.9), (0.1, 0.5, 0.2, 0.8)],
        [SQUARE, (0.0,) * 4, (0.0,) * 4],
        [(0.0,) * 4] * 3,
    ]
    found = boxes.merge_known_boxes(tf.constant(rows))
    np.testing.assert_array_equal(found, np.array([(0.1, 0.4, 0.6, 0.9), SQUARE, (0.0,) * 4], np.float32))


def test_the_loss_is_nothing_where_the_box_is_right_or_unknown() -> None:
    true, predicted = tf.constant([SQUARE, (0.0,) * 4, SQUARE]), tf.constant([SQUARE, SQUARE, (0.2, 0.2, 0.6, 0.41)])
    assert losses.compute_box_loss(true, predicted).numpy().tolist() == pytest.approx(
        [0, 0, 5 * 0.19 + 2 * 0.475], abs=1e-5
    )
    assert boxes.mark_found_boxes(true, predicted).numpy().tolist() == [1, 0, 1]
    assert boxes.mark_known_boxes(true).numpy().tolist() == [1, 0, 1]


def test_the_loss_has_a_finite_gradient_wherever_the_box_is() -> None:
    predicted = tf.Variable(tf.constant([SQUARE, (0.8, 0.8, 0.8, 0.8), (0.9, 0.9, 0.1, 0.1), (0.0,) * 4]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(losses.compute_box_loss(tf.constant([SQUARE] * 4), predicted))
    gradient = tape.gradient(loss, predicted).numpy()  # pyright: ignore[reportAttributeAccessIssue]
    assert abs(gradient).max() < 100
    assert abs(gradient[1:]).min(axis=1).max() > 0
