"""What a label is, and how a network's outputs become a number again."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from svhn.evaluation.decoding import decode_outputs, list_numbers
from svhn.labels import (
    EMPTY,
    NUM_CLASSES,
    TOO_LONG,
    TRUNCATED_TEXT,
    Number,
    Reading,
    compute_lengths,
    decode_slots,
    encode_text,
    enlarge_number,
    list_corners,
    make_number,
    parse_svhn_label,
    show_slots,
)

Outputs = dict[str, np.ndarray]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def most_probable(outputs: Outputs, example: int) -> tuple[str, float]:
    """The best of all numbers that there are, and its probability: each of them is tried."""
    digit_log = log_softmax(outputs["digits"][example])
    max_length = len(digit_log)
    lengths = range(max_length + 1) if "length" in outputs else [max_length]
    length_log = log_softmax(outputs["length"][example]) if "length" in outputs else np.zeros(max_length + 1)
    scored = {
        "".join(map(str, number)): length_log[n] + sum(digit_log[slot, digit] for slot, digit in enumerate(number))
        for n in lengths
        for number in itertools.product(range(NUM_CLASSES), repeat=n)
    }
    best = max(scored, key=scored.__getitem__)
    return best, math.exp(scored[best])


def random_outputs(max_length: int, examples: int = 60, length_head: bool = True) -> Outputs:
    rng = np.random.default_rng(max_length)
    outputs = {"digits": rng.normal(0, 2, (examples, max_length, NUM_CLASSES)).astype(np.float32)}
    if length_head:
        outputs["length"] = rng.normal(0, 1, (examples, max_length + 1)).astype(np.float32)
    return outputs


def tensors(outputs: Outputs) -> dict[str, tf.Tensor]:
    return {name: tf.constant(values) for name, values in outputs.items()}


@pytest.mark.parametrize("label", range(1, 10))
def test_svhn_writes_digits_as_they_are(label: int) -> None:
    assert parse_svhn_label(label) == str(label)
    assert parse_svhn_label(float(label)) == str(label)


def test_svhn_writes_the_digit_0_as_10() -> None:
    assert parse_svhn_label(10) == "0"
    assert parse_svhn_label(np.float64(10)) == "0"


@pytest.mark.parametrize("label", [0, 11, -1, 1.5, math.nan, math.inf])
def test_any_other_label_is_refused(label: float) -> None:
    with pytest.raises(ValueError, match="expected a whole number") as error:
        parse_svhn_label(label)
    assert str(error.value) == f"label {label:g}: expected a whole number from 1 to 10, which stands for 0"


@pytest.mark.parametrize(
    ("text", "slots"),
    [("210", [2, 1, 0, EMPTY, EMPTY]), ("0", [0] + 4 * [EMPTY]), ("", 5 * [EMPTY]), ("90817", [9, 0, 8, 1, 7])],
)
def test_a_number_fills_the_first_slots(text: str, slots: list[int]) -> None:
    assert encode_text(text, max_length=5) == slots
    assert decode_slots(np.array(slots)) == text


def test_an_empty_slot_is_no_digit() -> None:
    assert EMPTY not in range(NUM_CLASSES)
    assert not tf.reduce_any(tf.one_hot(EMPTY, NUM_CLASSES) != 0)


@pytest.mark.parametrize("length_head", [True, False])
@pytest.mark.parametrize("max_length", [1, 3])
def test_decode_finds_the_most_probable_of_all_numbers(max_length: int, length_head: bool) -> None:
    outputs = random_outputs(max_length, length_head=length_head)
    found = list_numbers(decode_outputs(tensors(outputs)))
    expected = [most_probable(outputs, example) for example in range(len(found))]
    assert [reading.text for reading in found] == [text for text, _ in expected]
    assert [reading.confidence for reading in found] == pytest.approx([value for _, value in expected], rel=1e-4)
    if length_head:
        assert {len(reading.text) for reading in found} == set(range(max_length + 1))


def test_length_and_digits_are_decided_jointly() -> None:
    """Two digits are likelier than one; but nothing is known of the second, so that each such number is less likely."""
    digits = np.zeros((1, 2, NUM_CLASSES), np.float32)
    digits[0, 0, 7] = 9.0
    outputs = {"digits": digits, "length": np.log(np.array([[0.01, 0.39, 0.6]], np.float32))}
    assert outputs["length"].argmax() == 2
    (found,) = list_numbers(decode_outputs(tensors(outputs)))
    assert found.text == most_probable(outputs, 0)[0] == "7"


def test_without_a_length_head_every_slot_is_filled() -> None:
    outputs = {"digits": np.zeros((2, 3, NUM_CLASSES), np.float32)}
    outputs["digits"][:, [0, 1, 2], [4, 0, 9]] = 1.0
    found = list_numbers(decode_outputs(tensors(outputs)))
    assert [reading.text for reading in found] == ["409", "409"]


@pytest.mark.parametrize("length_head", [True, False])
def test_a_reading_tells_the_softmax_probabilities(length_head: bool) -> None:
    outputs = random_outputs(max_length=5, length_head=length_head)
    probabilities = {name: np.exp(log_softmax(values)) for name, values in outputs.items()}
    for example, number in enumerate(list_numbers(decode_outputs(tensors(outputs)))):
        text, confidence, digit_confidences, *others = number
        digits = [probabilities["digits"][example, slot, int(digit)] for slot, digit in enumerate(text)]
        length = probabilities["length"][example, len(text)] if length_head else 1.0
        assert others == [None, False, None]
        assert digit_confidences == pytest.approx(digits, rel=1e-4)
        assert confidence == pytest.approx(length * math.prod(digits), rel=1e-4)
        assert {type(value) for value in (confidence, *digit_confidences)} == {float}


def test_the_surest_number_of_a_reading_speaks_for_it() -> None:
    sure, doubtful = (Number(text, value, (value,) * 2) for text, value in (("27", 0.9), ("61", 0.6)))
    for numbers in ((sure, doubtful), (doubtful, sure), (sure,)):
        reading = Reading(numbers)
        assert (reading.text, reading.confidence, reading.digit_confidences) == ("27", 0.9, (0.9, 0.9))
    assert Reading((doubtful, doubtful._replace(text="62"))).text == "61"
    nothing = Reading()
    assert (nothing.text, nothing.confidence, nothing.digit_confidences, nothing.box) == ("", 0.0, (), None)


def test_the_box_of_a_turned_number_is_the_upright_one_around_it() -> None:
    turned = Number("8", 0.9, (0.9,), ((40.0, 20.0), (48.0, 26.0), (45.0, 30.0), (37.0, 24.0)))
    assert turned.box == (37.0, 20.0, 48.0, 30.0)
    assert enlarge_number(turned, 2).corners == ((80.0, 40.0), (96.0, 52.0), (90.0, 60.0), (74.0, 48.0))
    box = (1.5, 2.5, 3.5, 4.5)
    assert turned._replace(corners=list_corners(box)).box == box
    unlocated = turned._replace(corners=None)
    assert enlarge_number(unlocated, 2) == unlocated


def test_decode_works_in_a_graph_with_any_batch() -> None:
    outputs = random_outputs(max_length=3)
    signature = {
        "digits": tf.TensorSpec([None, 3, NUM_CLASSES], tf.float32),
        "length": tf.TensorSpec([None, 4], tf.float32),
    }
    in_graph = tf.function(decode_outputs, input_signature=[signature])(tensors(outputs))
    assert in_graph.digits.dtype == tf.int32
    assert list_numbers(in_graph) == list_numbers(decode_outputs(tensors(outputs)))


def test_a_number_of_more_digits_than_slots_is_too_long() -> None:
    slots = np.array(encode_text("1234567", 5))
    assert slots.tolist() == [TOO_LONG] * 5
    number = make_number(slots, 0.9, np.full(5, 0.5))
    assert number == Number("", 0.9, (), truncated=True)
    assert (number.shown, repr(number)) == (TRUNCATED_TEXT, "Number('', 0.900, truncated=True)")
    assert show_slots(slots) == TRUNCATED_TEXT


def test_lengths_have_a_class_of_their_own_for_longer_numbers() -> None:
    slots = tf.constant([encode_text(text, 3) for text in ("", "7", "123", "1234", "12345")])
    assert compute_lengths(slots).numpy().tolist() == [0, 1, 3, 4, 4]


@pytest.mark.parametrize(("too_long", "expected"), [(3.0, [TOO_LONG] * 2), (-3.0, [1, 2])])
def test_a_number_is_too_long_if_that_is_most_probable(too_long: float, expected: list[int]) -> None:
    digits = 9 * tf.one_hot([[1, 2]], 10)
    decoded = decode_outputs({"digits": digits, "length": tf.constant([[-9.0, -9.0, 1.0, too_long]])})
    assert decoded.digits.numpy().tolist() == [expected]
    shares = np.exp([-9.0, -9.0, 1.0, too_long]) / np.exp([-9.0, -9.0, 1.0, too_long]).sum()
    if too_long > 0:  # no digit counts
        np.testing.assert_allclose(decoded.confidence, shares[3:], rtol=1e-5)
