"""Two numbers side by side, as one longer number: which, how, and the same however training is run."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from support.numbered_records import (
    EXAMPLES,
    PIXELS,
    assert_same,
    config,
    labels,
    training,
    write_split,
)

from svhn.labels import TOO_LONG, encode_text
from svhn.pipeline import augment, boxes, joining
from svhn.records import Split
from svhn.spec import NOWHERE, Augmentation

ALWAYS = Augmentation(joining=1.0)


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    return write_split(tmp_path_factory.mktemp("joining"))


def slots(text: str) -> tf.Tensor:
    return tf.constant(encode_text(text, 5), tf.int32)


@pytest.mark.parametrize(("first", "second", "left"), [("12", "34", 16), ("1", "234", 8), ("070", "1", 24)])
def test_each_number_is_as_wide_as_its_share_of_the_digits(first: str, second: str, left: int) -> None:
    one, other = (tf.fill((16, 32, 3), tf.constant(gray, tf.uint8)) for gray in (50, 200))
    image, digits = joining.join_pictures(one, slots(first), other, slots(second))
    assert (image.shape, image.dtype) == ((16, 32, 3), tf.uint8)
    np.testing.assert_array_equal(image, np.where(np.arange(32) < left, 50, 200)[None, :, None] + np.zeros((16, 1, 3)))
    assert digits.numpy().tolist() == encode_text(first + second, 5)


def test_boxes_go_with_their_pictures() -> None:
    known = tf.constant([(0.0, 0.2, 0.5, 0.9), (0.4, 0.0, 1.0, 1.0), NOWHERE, NOWHERE, NOWHERE])
    found = joining.join_boxes(known, slots("12"), known, slots("3"))
    expected = [(0.0, 0.2, 1 / 3, 0.9), (0.8 / 3, 0.0, 2 / 3, 1.0), (2 / 3, 0.2, 2.5 / 3, 0.9), NOWHERE, NOWHERE]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    unknown = joining.join_boxes(known, slots("12"), tf.zeros((5, 4)), slots("3"))
    np.testing.assert_allclose(unknown[:2], expected[:2], atol=1e-6)
    assert boxes.mark_known_boxes(unknown).numpy().tolist() == [1, 1, 0, 0, 0]


def test_pictures_are_squeezed_and_not_cut() -> None:
    pixels = tf.constant(np.tile(np.arange(0, 256, 8, dtype=np.uint8)[None, :, None], (16, 1, 1)))
    image, _ = joining.join_pictures(pixels, slots("1"), pixels, slots("2"))
    for half in (image[:, :16, 0], image[:, 16:, 0]):
        assert np.abs(half[5].numpy().astype(int) - np.arange(4, 256, 16)).max() <= 4
    assert image.dtype == tf.uint8


@pytest.mark.parametrize("longer", [False, True])
def test_only_numbers_that_a_network_can_learn_are_joined(longer: bool) -> None:
    for first, second, fits in (("123", "45", True), ("123", "456", longer), ("1", "2", True), ("12345", "6", longer)):
        assert bool(joining.can_join(slots(first), slots(second), longer)) == fits
    for first, second in (
        ("123456", "1"),
        ("1", "123456"),
        ("", "1"),
        ("1", ""),
    ):  # unknown digits, or none
        assert not joining.can_join(slots(first), slots(second), longer)


def test_a_joined_number_can_be_too_long() -> None:
    picture = tf.zeros((16, 32, 3), tf.uint8)
    _, digits = joining.join_pictures(picture, slots("1234"), picture, slots("56"))
    assert digits.numpy().tolist() == [TOO_LONG] * 5
    known = tf.tile(tf.constant([(0.0, 0.2, 0.5, 0.9)]), (5, 1))
    assert joining.join_boxes(known, slots("1234"), known, slots("56")).shape == (5, 4)


def test_graphs_need_no_autograph() -> None:
    """As under Python 3.13, where a graph's tensors have no `len`."""
    assert tf.function(joining.can_join, autograph=False)(slots("123"), slots("45"), False)
    picture = tf.zeros((16, 32, 3), tf.uint8)
    _, digits = tf.function(joining.join_pictures, autograph=False)(picture, slots("12"), picture, slots("3"))
    tf.function(joining.join_boxes, autograph=False)(tf.zeros((5, 4)), slots("12"), tf.zeros((5, 4)), slots("3"))
    assert digits.numpy().tolist() == encode_text("123", 5)


def test_numbers_are_joined_as_often_as_they_should() -> None:
    noises = [augment.draw_example_noise(0, tf.constant(index, tf.int64)) for index in range(400)]
    share = np.mean([joining.should_join(noise, Augmentation(joining=0.3)) for noise in noises])
    assert share == pytest.approx(0.3, abs=0.07)


def test_a_number_is_joined_with_the_one_that_follows_it_in_training(split: Split) -> None:
    alone = labels(training(split, 25, steps=Augmentation()))
    expected = [one + other if len(one + other) <= 3 else one for one, other in pairwise(alone)]
    found = labels(training(split, 24, steps=ALWAYS))
    assert found == expected[: len(found)]
    assert sum(map(len, found)) > 1.2 * sum(map(len, alone[: len(found)]))
    assert len(found) > 2 * EXAMPLES


def test_the_picture_is_that_of_both(split: Split) -> None:
    alone = labels(training(split, 10, steps=Augmentation()))
    batches = training(split, 9, steps=ALWAYS)
    images = np.concatenate([batch["image"] for batch in batches])
    for (one, other), label, image in zip(pairwise(alone), labels(batches), images, strict=False):
        first, second = (tf.constant(PIXELS[int(text)]) for text in (one, other))
        expected, _ = joining.join_pictures(first, slots(one), second, slots(other)) if label != one else (first, None)
        np.testing.assert_allclose(image, expected, atol=0.01)


@pytest.mark.parametrize("steps", [Augmentation(), ALWAYS])
def test_each_place_is_of_the_digit_that_is_there(split: Split, steps: Augmentation) -> None:
    """Of the digits that share a picture, in four places of eight pixels across."""
    batches = training(split, 9, steps=steps)
    for label, places in zip(labels(batches), np.concatenate([batch["map"] for batch in batches]), strict=True):
        expected = [int(label[len(label) * (1 + 2 * place) // 8]) for place in range(4)]
        assert places.tolist() == [expected, expected]


@pytest.mark.parametrize("start", [1, 9])
def test_joined_numbers_are_the_same_in_a_run_that_goes_on(split: Split, start: int) -> None:
    whole = training(split, start + 3, steps=ALWAYS)
    assert_same(training(split, 3, start=start, steps=ALWAYS), whole[start:])


def test_joined_numbers_are_the_same_on_two_workers(split: Split) -> None:
    whole = training(split, 8, steps=ALWAYS)
    contexts = [tf.distribute.InputContext(2, index, num_replicas_in_sync=2) for index in range(2)]
    workers = [training(split, 8, context=context, steps=ALWAYS) for context in contexts]
    for alone, *halves in zip(whole, *workers, strict=True):
        for name in ("digits", "image", "map"):  # a worker takes each second example
            shared = np.stack([half[name] for half in halves], axis=1).reshape(alone[name].shape)
            np.testing.assert_allclose(shared, alone[name], atol=0.01)


def test_without_augmentation_nothing_is_joined(split: Split) -> None:
    plain, none = training(split, 9, config(augment=False), steps=ALWAYS), training(split, 9, steps=Augmentation())
    assert_same(plain, none)
