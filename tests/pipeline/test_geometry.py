"""Boxes go where the pixels within them go, and stay in sight if they are to."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from svhn.pipeline import augment, geometry
from svhn.spec import NOWHERE, Augmentation, Size

IMAGES = (60, 100)
BOX = (0.3, 0.25, 0.7, 0.6)
STEPS = Augmentation(rotation=15, scale=0.5, shear=0.2, slope=0.1, shift=(0.3, 0.3))


def noises(batch: int = 40) -> tf.Tensor:
    return tf.stack([augment.draw_example_noise(0, tf.constant(index, tf.int64)) for index in range(batch)])


def varied(steps: Augmentation, size: Size, digits: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of as many white ellipses, which fill a box, on black, and where they are said to be."""
    y, x = np.mgrid[:60, :100] + 0.5
    drawn = np.hypot(((x - 30) % 10 - 5) / 5, (y - 25.5) / 10.5) < 1
    drawn &= (x > 30) & (x < 30 + 10 * digits)
    images = tf.repeat(255 * tf.constant(drawn[None, ..., None], tf.float32), 40, axis=0)
    boxes = tf.constant([(0.3, 0.25, 0.3 + 0.1 * digits, 0.6)] * 40)
    seen = augment.augment_images(images, noises(), steps, size, boxes).numpy()[..., 0]
    return seen, augment.augment_boxes(boxes, images, noises(), steps, size).numpy()


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("size", [IMAGES, (40, 80)])
@pytest.mark.parametrize("digits", [1, 4])
def test_a_box_is_around_the_number_that_was_within_it(inside: bool, size: Size, digits: int) -> None:
    """Where the box is cut off, or its corners are, there is less to see than is said, but never more."""
    steps = dataclasses.replace(STEPS, inside=inside)
    for image, (left, top, right, bottom) in zip(*varied(steps, size, digits), strict=True):
        rows, columns = (np.flatnonzero(image.max(axis=axis) > 100) for axis in (1, 0))
        if not len(rows):
            assert not inside
            continue
        said = np.array([left * size[1], top * size[0], right * size[1], bottom * size[0]])
        shown = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        cut_off = np.array([left, top, 1 - right, 1 - bottom]).min() <= 0
        assert (said[:2] - 3 < shown[:2]).all()
        assert (shown[2:] < said[2:] + 3).all()
        assert cut_off or shown == pytest.approx(said, abs=3)


def test_a_box_that_is_to_stay_inside_does() -> None:
    steps = dataclasses.replace(STEPS, scale=1.5, shift=(0.4, 0.4))
    drawn, boxes = augment.split_noise(noises()), tf.constant([BOX] * 40)
    for size in (IMAGES, (40, 80)):
        reached = {}
        for inside in (True, False):
            options = dataclasses.replace(steps, inside=inside)
            transforms = geometry.make_transforms(drawn.warp, drawn.slope, options, IMAGES, size, boxes)
            reached[inside] = geometry.compute_bounds(boxes, transforms, IMAGES, size).numpy()
        assert ((reached[False] < 0) | (reached[False] > 1)).any(axis=1).mean() > 0.25  # cut off
        assert reached[True].min() >= -1e-4
        assert reached[True].max() <= 1 + 1e-4
        widths = reached[True][:, 2] - reached[True][:, 0]
        assert widths.max() > 0.95  # zoomed in as far as that


def test_a_mirrored_number_is_where_its_pixels_are() -> None:
    """Variations many times as far as the data sets list can turn a picture over."""
    mirror = tf.constant([[-1.0, 0, 99, 0, 1, 0, 0, 0]])
    boxes = tf.constant([[0.1, 0.2, 0.3, 0.6]])
    np.testing.assert_allclose(
        geometry.compute_bounds(boxes, mirror, IMAGES, IMAGES)[0], [0.7, 0.2, 0.9, 0.6], atol=1e-5
    )


def test_what_needs_no_room_is_left_where_it_was() -> None:
    gentle = Augmentation(rotation=3, scale=0.1, shift=(0.05, 0.05))
    (seen, boxes), (free, free_boxes) = (
        varied(dataclasses.replace(gentle, inside=inside), IMAGES) for inside in (1, 0)
    )
    np.testing.assert_allclose(seen, free, atol=0.1)
    np.testing.assert_allclose(boxes, free_boxes, atol=1e-5)


def test_nowhere_stays_nowhere_and_moves_nothing() -> None:
    images = tf.constant(np.random.default_rng(0).uniform(0, 255, (40, *IMAGES, 3)), tf.float32)
    boxes, steps = tf.constant([NOWHERE] * 40), dataclasses.replace(STEPS, inside=True)
    assert not augment.augment_boxes(boxes, images, noises(), steps, IMAGES).numpy().any()
    free = augment.augment_images(images, noises(), STEPS, IMAGES)
    np.testing.assert_allclose(augment.augment_images(images, noises(), steps, IMAGES, boxes), free, atol=0.1)


def test_without_steps_a_window_shows_the_middle() -> None:
    images, boxes = tf.zeros([1, *IMAGES, 3]), tf.constant([BOX])
    same = augment.augment_boxes(boxes, images, tf.zeros([1, augment.NOISE_SIZE]), Augmentation(), IMAGES)
    np.testing.assert_allclose(same, [BOX], atol=1e-5)
    window = augment.augment_boxes(boxes, images, tf.zeros([1, augment.NOISE_SIZE]), Augmentation(), (30, 50))
    np.testing.assert_allclose(window, [(0.1, 0.0, 0.9, 0.7)], atol=1e-5)
