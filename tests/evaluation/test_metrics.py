"""What is counted, and what is divided by what."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from svhn.evaluation.metrics import Counts, compute_scores, count_batch, sum_counts
from svhn.labels import EMPTY, encode_text

TRUE = ["210", "7", "48", "35", "123", "90817"]
READ = ["210", "73", "49", "35", "1", "90817"]  # right, too long, one digit wrong, right but padding, too short, right
LOSS = [0.5, 2.0, 1.0, 100.0, 3.0, 0.25]
WEIGHT = [1, 1, 1, 0, 1, 1]
COUNTED = Counts(
    examples=5,
    loss=6.75,
    sequences_right=2,  # 210, 90817
    lengths_right=3,  # and 48, read as 49
    digits=14,
    digits_right=11,  # 3 + 1 + 1 + 1 + 5
    slots=25,
    slots_right=25 - 1 - 1 - 2,  # 73 has a digit in an empty slot, 49 a wrong one, 1 lacks two
)


def slots(numbers: list[str]) -> tf.Tensor:
    return tf.constant([encode_text(number, 5) for number in numbers], tf.int32)


def count_rows(rows: slice) -> Counts:
    weight = tf.constant(WEIGHT[rows], tf.float32)
    return count_batch(slots(TRUE[rows]), slots(READ[rows]), tf.constant(LOSS[rows], tf.float32), weight)


def test_a_batch_is_counted_as_by_hand() -> None:
    counted = count_rows(slice(None))
    assert sum_counts([counted]) == COUNTED
    assert all(value.dtype == tf.float32 and value.shape == [] for value in counted)


@pytest.mark.parametrize("field", Counts._fields)
def test_padding_is_not_counted(field: str) -> None:
    assert float(getattr(count_rows(slice(3, 4)), field)) == 0


def test_batches_of_any_size_add_up_to_the_same() -> None:
    parts = [count_rows(slice(0, 1)), count_rows(slice(1, 5)), count_rows(slice(5, 6))]
    assert sum_counts(parts) == sum_counts([count_rows(slice(None))])
    assert compute_scores(sum_counts(parts)) == compute_scores(COUNTED)


def test_the_total_outgrows_float32() -> None:
    large, one = (Counts(*[tf.constant(value, tf.float32)] * 10) for value in (2.0**24, 1.0))
    assert sum_counts([large, one, one, one]) == Counts(*[2**24 + 3] * 10)


def test_boxes_count_where_they_are_known() -> None:
    box, half = [0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.25]
    true = tf.constant([box, box, [0.0] * 4, box, box])
    predicted = tf.constant([box, half, box, [0.0, 0.0, 0.5, 0.24], box])
    weight = tf.constant([1.0, 1.0, 1.0, 1.0, 0.0])
    numbers = slots(["1", "2", "", "4", "5"])
    counted = sum_counts([count_batch(numbers, numbers, tf.zeros(5), weight, (true, predicted))])
    assert (counted.boxes, counted.boxes_found) == (3, 2)  # beside the number, and padding, are none
    assert compute_scores(counted)["box_accuracy"] == pytest.approx(2 / 3)
    assert "box_accuracy" not in compute_scores(COUNTED)


def test_a_split_without_a_digit_has_scores() -> None:
    counted = sum_counts([count_batch(slots(["", ""]), slots(["", "7"]), tf.zeros(2), tf.ones(2))])
    assert compute_scores(counted) == pytest.approx(
        {"digit_accuracy": 0, "sequence_accuracy": 0.5, "length_accuracy": 0.5, "slot_accuracy": 0.9, "loss": 0}
    )


def test_scores_are_shares_of_what_they_are_named_after() -> None:
    assert compute_scores(COUNTED) == pytest.approx(
        {
            "digit_accuracy": 11 / 14,
            "sequence_accuracy": 2 / 5,
            "length_accuracy": 3 / 5,
            "slot_accuracy": 21 / 25,
            "loss": 6.75 / 5,
        }
    )
    assert list(compute_scores(COUNTED)) == [
        "digit_accuracy",
        "sequence_accuracy",
        "length_accuracy",
        "slot_accuracy",
        "loss",
    ]


def test_answering_nothing_earns_no_digit_accuracy() -> None:
    """The reference's "digit accuracy" gave 60.2 % for it on test: it counts empty slots, as our slot_accuracy does."""
    true = slots(TRUE)
    ones = tf.ones([len(TRUE)])
    found = compute_scores(sum_counts([count_batch(true, tf.fill(true.shape, EMPTY), ones, ones)]))
    assert found["digit_accuracy"] == found["sequence_accuracy"] == found["length_accuracy"] == 0
    assert found["slot_accuracy"] == pytest.approx(np.mean(true.numpy() == EMPTY)) == pytest.approx(14 / 30)


def test_a_digit_in_an_empty_slot_costs_slots_but_no_digits() -> None:
    one = tf.ones([1])
    found = compute_scores(sum_counts([count_batch(slots(["7"]), slots(["73"]), one, one)]))
    assert found["digit_accuracy"] == 1.0
    assert found["slot_accuracy"] == pytest.approx(0.8)
    assert found["sequence_accuracy"] == found["length_accuracy"] == 0.0


def test_nothing_counted_has_no_scores() -> None:
    with pytest.raises(ValueError, match="no examples were counted"):
        compute_scores(sum_counts([count_rows(slice(3, 4))]))


@pytest.mark.parametrize(
    ("true", "read", "right"), [("123456", "654321", 1), ("123456", "12345", 0), ("12345", "123456", 0)]
)
def test_a_number_that_is_too_long_is_right_as_that_alone(true: str, read: str, right: int) -> None:
    counted = sum_counts([count_batch(slots([true]), slots([read]), tf.zeros(1), tf.ones(1))])
    assert (counted.sequences_right, counted.lengths_right) == (right, right)
    assert (counted.digits, counted.digits_right) == (0 if len(true) > 5 else 5, 0)
