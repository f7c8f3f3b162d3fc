"""The loss of a number against the same by hand, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from svhn.labels import EMPTY, NUM_CLASSES, encode_text
from svhn.models.losses import compute_sequence_loss

NUMBERS = ["210", "7", "90817", "48"]
MAX_LENGTH = 5
SLOTS = np.array([encode_text(number, MAX_LENGTH) for number in NUMBERS], np.int32)

Outputs = dict[str, Any]  # variables, which TensorFlow takes for tensors


@pytest.fixture
def outputs() -> Outputs:
    rng = np.random.default_rng(0)
    digits: Any = rng.normal(0, 3, (len(NUMBERS), MAX_LENGTH, NUM_CLASSES)).astype(np.float32)
    length: Any = rng.normal(0, 3, (len(NUMBERS), MAX_LENGTH + 1)).astype(np.float32)
    return {"digits": tf.Variable(digits), "length": tf.Variable(length)}


def softmax(logits: np.ndarray) -> np.ndarray:
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("heads", [("digits", "length"), ("digits",)])
def test_a_teachers_probabilities_take_the_place_of_part_of_the_labels(
    outputs: Outputs, heads: tuple[str, ...]
) -> None:
    given = {head: outputs[head] for head in heads}
    rng = np.random.default_rng(1)
    logits = {head: rng.normal(0, 2, outputs[head].shape) for head in given}
    taught = {head: tf.constant(logits[head], tf.float32) for head in given}
    targets = {head: softmax(logits[head]) for head in given}
    said = {head: softmax(given[head].numpy()) for head in given}
    of_labels = compute_sequence_loss(tf.constant(SLOTS), given, 0.1).numpy()
    of_teacher = np.zeros(len(NUMBERS))
    for row, number in enumerate(NUMBERS):
        for slot in range(len(number)):
            of_teacher[row] -= targets["digits"][row, slot] @ np.log(said["digits"][row, slot])
        if "length" in given:
            of_teacher[row] -= targets["length"][row] @ np.log(said["length"][row])
    for share in (0.0, 0.3, 1.0):
        loss = compute_sequence_loss(tf.constant(SLOTS), given, 0.1, taught, share)
        assert loss.numpy() == pytest.approx((1 - share) * of_labels + share * of_teacher, rel=1e-4)


def cross_entropy(logits: np.ndarray, true: int, smoothing: float) -> float:
    log_probability = logits - np.log(np.exp(logits).sum())
    return -float((1 - smoothing) * log_probability[true] + smoothing * log_probability.mean())


def by_hand(outputs: Outputs, smoothing: float) -> list[float]:
    digits = outputs["digits"].numpy().astype(np.float64)
    losses = [
        sum(cross_entropy(digits[row, slot], int(digit), smoothing) for slot, digit in enumerate(number))
        for row, number in enumerate(NUMBERS)
    ]
    if "length" in outputs:
        length = outputs["length"].numpy().astype(np.float64)
        for row, number in enumerate(NUMBERS):
            losses[row] += cross_entropy(length[row], len(number), smoothing)
    return losses


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("heads", [("digits", "length"), ("digits",)])
def test_the_loss_is_the_sum_of_cross_entropies(outputs: Outputs, heads: tuple[str, ...], smoothing: float) -> None:
    given = {head: outputs[head] for head in heads}
    loss = compute_sequence_loss(tf.constant(SLOTS), given, smoothing)
    assert loss.dtype == tf.float32
    assert loss.shape == [len(NUMBERS)]
    assert loss.numpy() == pytest.approx(by_hand(given, smoothing), rel=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_no_gradient_flows_from_empty_slots(outputs: Outputs, smoothing: float) -> None:
    with tf.GradientTape() as tape:
        loss = compute_sequence_loss(tf.constant(SLOTS), outputs, smoothing)
    gradients: Any = tape.gradient(loss, [outputs["digits"], outputs["length"]])
    digits, length = (gradient.numpy() for gradient in gradients)
    assert np.all(digits[SLOTS == EMPTY] == 0)
    assert np.all(np.abs(digits[SLOTS != EMPTY]).max(axis=-1) > 0)
    assert np.all(np.abs(length).max(axis=-1) > 0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_number_that_is_too_long_teaches_its_length_alone(smoothing: float) -> None:
    digits: Any = tf.Variable(tf.random.stateless_normal((1, MAX_LENGTH, NUM_CLASSES), (0, 0)))
    length = np.linspace(-1, 2, MAX_LENGTH + 2)
    slots = tf.constant([encode_text("123456", MAX_LENGTH)])
    with tf.GradientTape() as tape:
        outputs: Outputs = {"digits": digits, "length": tf.constant(length[None], tf.float32)}
        loss = compute_sequence_loss(slots, outputs, smoothing)
    assert loss.numpy() == pytest.approx([cross_entropy(length, MAX_LENGTH + 1, smoothing)], rel=1e-4)
    gradient: Any = tape.gradient(loss, digits)
    assert not np.any(gradient)


def test_what_an_empty_slot_says_changes_nothing(outputs: Outputs) -> None:
    before = compute_sequence_loss(tf.constant(SLOTS), outputs, 0.1).numpy()
    empty = (SLOTS == EMPTY)[..., np.newaxis]
    outputs["digits"].assign(tf.where(empty, -1e4 * outputs["digits"], outputs["digits"]))
    assert compute_sequence_loss(tf.constant(SLOTS), outputs, 0.1).numpy() == pytest.approx(before)


def test_certainty_costs_nothing_and_smoothing_makes_it_cost() -> None:
    digits = tf.constant(100.0 * np.eye(NUM_CLASSES)[np.maximum(SLOTS, 0)], tf.float32)
    length = tf.constant(100.0 * np.eye(MAX_LENGTH + 1)[[len(number) for number in NUMBERS]], tf.float32)
    outputs = {"digits": digits, "length": length}
    assert compute_sequence_loss(tf.constant(SLOTS), outputs).numpy() == pytest.approx(0.0, abs=1e-5)
    assert np.all(compute_sequence_loss(tf.constant(SLOTS), outputs, 0.1).numpy() > 10)
