"""Which digit covers which place: as drawn by hand, as the pixels move, and what is learned of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from svhn.labels import EMPTY, encode_text
from svhn.models import losses
from svhn.pipeline import augment, digit_maps
from svhn.pipeline.digit_maps import NO_DIGIT, PLACE_SIZE, UNKNOWN
from svhn.spec import NOWHERE, Augmentation, Box, Size

SIZE = (24, 40)  # three rows of five places
STAY = tf.constant([[1.0, 0, 0, 0, 1, 0, 0, 0]])
N = NO_DIGIT


def maps(text: str, *boxes: Box, size: Size = SIZE, transforms: tf.Tensor = STAY) -> np.ndarray:
    """Of one picture of `SIZE`, its digits' boxes in pixels."""
    shares = np.zeros((1, 5, 4), np.float32)
    shares[0, : len(boxes)] = np.array(boxes, np.float32).reshape(-1, 4) / [*SIZE[::-1], *SIZE[::-1]]
    digits = tf.constant([encode_text(text, 5)], tf.int32)
    found = digit_maps.make_digit_maps(digits, tf.constant(shares), transforms, SIZE, size).numpy()
    assert found.dtype == np.int32
    return found[0]


@pytest.mark.parametrize(
    ("size", "places"), [(SIZE, (3, 5)), ((48, 80), (6, 10)), ((54, 54), (7, 7)), ((8, 9), (1, 2))]
)
def test_places_cover_a_picture(size: Size, places: Size) -> None:
    assert digit_maps.compute_grid_size(size) == places


def test_a_place_is_of_the_digit_in_whose_box_its_middle_lies() -> None:
    found = maps("20", (3, 5, 14, 20), (21, 3, 35, 13))
    assert found.tolist() == [[N, N, N, 0, N], [2, 2, N, 0, N], [N, N, N, N, N]]


def test_the_middle_of_a_place_is_known_to_a_quarter_of_a_pixel() -> None:
    """The second place reaches from pixel 8 to pixel 16."""
    assert maps("7", (0, 0, 12.25, 24))[1].tolist() == [7, 7, N, N, N]
    assert maps("7", (0, 0, 11.75, 24))[1].tolist() == [7, N, N, N, N]
    assert maps("7", (0, 0, 40, 12.25))[:, 1].tolist() == [7, 7, N]
    assert maps("7", (0, 0, 40, 11.75))[:, 1].tolist() == [7, N, N]


def test_of_two_digits_it_is_the_one_whose_middle_is_nearer() -> None:
    """By shares of each box: a wide digit reaches further than a narrow one."""
    assert maps("73", (0, 0, 24, 24), (14, 0, 40, 24))[1].tolist() == [7, 7, 3, 3, 3]
    assert maps("73", (0, 0, 32, 24), (18, 0, 40, 24))[1].tolist() == [7, 7, 7, 3, 3]


def test_without_digits_there_is_none_and_without_a_box_nobody_knows() -> None:
    assert (maps("") == NO_DIGIT).all()
    assert (maps("12") == UNKNOWN).all()
    assert (maps("12", (0, 0, 20, 24)) == UNKNOWN).all()
    assert (maps("12", (0, 0, 20, 24), NOWHERE) == UNKNOWN).all()
    assert (maps("12", (0, 0, 20, 24), (20, 0, 40, 24)) != UNKNOWN).all()


def test_a_number_that_is_too_long_has_no_map() -> None:
    assert (maps("123456", (0, 0, 40, 24)) == UNKNOWN).all()
    assert (maps("123456", *[(0, 0, 8, 24)] * 5) == UNKNOWN).all()


def test_places_are_those_of_the_result() -> None:
    """Of a window, and of a picture that was moved two places to the right."""
    window = tf.constant([[1.0, 0, 8, 0, 1, 8, 0, 0]])
    whole = maps("12", (0, 0, 20, 24), (22, 7, 40, 24))
    np.testing.assert_array_equal(
        maps("12", (0, 0, 20, 24), (22, 7, 40, 24), size=(16, 24), transforms=window), whole[1:, 1:4]
    )
    right = tf.constant([[1.0, 0, -16, 0, 1, 0, 0, 0]])
    moved = maps("12", (0, 0, 20, 24), (22, 7, 40, 24), transforms=right)
    np.testing.assert_array_equal(moved[:, 2:], whole[:, :3])
    assert (moved[:, :2] == NO_DIGIT).all()


def test_digits_go_where_their_pixels_go() -> None:
    """A digit is a rectangle of a gray of its own; where a place's middle is well within one, it is of that digit."""
    height, width, count = 60, 100, 64
    boxes = np.array([(0.1, 0.2, 0.3, 0.9), (0.3, 0.1, 0.6, 0.8), (0.7, 0.3, 0.9, 0.7)], np.float32)
    picture = np.full((height, width), 250, np.float32)
    for digit, (left, top, right, bottom) in enumerate(boxes, start=4):
        picture[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = 20 * digit
    steps = Augmentation(rotation=15, scale=0.4, shear=0.2, slope=0.1, shift=(0.3, 0.3))
    noise = tf.stack([augment.draw_example_noise(0, tf.constant(index, tf.int64)) for index in range(count)])
    images = tf.repeat(tf.constant(picture[None, ..., None]), count, axis=0)
    padded = tf.constant(np.repeat(np.pad(boxes, [(0, 2), (0, 0)])[None], count, axis=0))
    digits = tf.constant([[4, 5, 6, EMPTY, EMPTY]] * count)
    seen = augment.augment_images(images, noise, steps, (48, 80)).numpy()[..., 0]
    said = augment.augment_digit_maps(digits, padded, images, noise, steps, (48, 80)).numpy()
    assert said.shape == (count, 6, 10)
    middles = [slice(PLACE_SIZE // 2 - 1, None, PLACE_SIZE), slice(PLACE_SIZE // 2 - 1, None, PLACE_SIZE)]
    around = np.stack([np.roll(seen, (-y, -x), axis=(1, 2))[:, *middles] for y in (-1, 0, 1, 2) for x in (-1, 0, 1, 2)])
    clear = (around == around[0]).all(axis=0)
    shown = np.where(around[0] == 250, NO_DIGIT, around[0] / 20)
    assert clear.mean() > 0.5
    assert {4, 5, 6, NO_DIGIT} <= set(shown[clear])
    np.testing.assert_array_equal(said[clear], shown[clear])


def test_the_loss_is_the_mean_over_places_and_the_sum_over_predictions() -> None:
    true = tf.constant([[[3, NO_DIGIT]], [[UNKNOWN, UNKNOWN]]])
    even = tf.zeros([2, 1, 2, NO_DIGIT + 1])
    sure = 100 * tf.one_hot(tf.constant([[[3, 3]]] * 2), NO_DIGIT + 1)
    assert losses.compute_map_loss(true, []).numpy().tolist() == [0, 0]
    assert losses.compute_map_loss(true, [even]).numpy() == pytest.approx([math.log(11), 0])
    assert losses.compute_map_loss(true, [even, sure]).numpy() == pytest.approx([math.log(11) + 50, 0])
    halves = tf.cast(even, tf.bfloat16)
    assert losses.compute_map_loss(true, [halves]).dtype == tf.float32
