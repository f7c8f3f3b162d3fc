"""Where pixels go, what becomes of their colors, and on what that depends."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from svhn.pipeline import augment, geometry
from svhn.spec import Augmentation, Size

SIZE = (41, 61)  # odd: the center is a pixel
CENTER = np.array([(SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2])  # x, y
EVERYTHING = Augmentation(
    rotation=20,
    scale=0.3,
    shear=0.2,
    slope=0.1,
    shift=(0.1, 0.1),
    elastic=0.05,
    blur=1.5,
    erasing=0.5,
    saturation=0.8,
    contrast=0.7,
    brightness=0.4,
    tint=0.3,
    inversion=0.5,
)


def random_images(batch: int = 8, size: Size = SIZE, channels: int = 3) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(0, 255, (batch, *size, channels)), tf.float32)


def noises(batch: int, seed: int = 0) -> tf.Tensor:
    return tf.stack([augment.draw_example_noise(seed, tf.constant(index, tf.int64)) for index in range(batch)])


def extreme(value: float) -> tf.Tensor:
    """The noise of one example, every number of it the same."""
    return tf.fill([1, augment.NOISE_SIZE], value)


def coordinates(size: Size = SIZE) -> tf.Tensor:
    """One image whose pixels hold their own x and y."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    return tf.constant(np.stack([x, y, 0 * x], axis=-1)[np.newaxis])


def moved(offset: tuple[float, float], steps: Augmentation, value: float = 1.0) -> np.ndarray:
    """Where a dot at this offset (x, y) from the center goes, as an offset from the center."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    at = CENTER + offset
    dot = 255 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 4)
    image = augment.augment_images(
        tf.constant(dot[np.newaxis, ..., np.newaxis], tf.float32), extreme(value), steps, SIZE
    )
    ink = image.numpy()[0, :, :, 0]
    return np.array([(ink * x).sum(), (ink * y).sum()]) / ink.sum() - CENTER


def test_magnitude_scales_all_ranges_and_leaves_negatives_as_frequent() -> None:
    doubled = augment.scale_augmentation(EVERYTHING, 2.0)
    for field in dataclasses.fields(Augmentation):
        before, after = getattr(EVERYTHING, field.name), getattr(doubled, field.name)
        assert after == (before if field.name in ("inversion", "cells") else pytest.approx(np.multiply(2, before)))
    assert augment.scale_augmentation(EVERYTHING, 1.0) == EVERYTHING
    assert augment.scale_augmentation(EVERYTHING, 0.0) == Augmentation(inversion=0.5)


@pytest.mark.parametrize("cells", [(1, 4), (3, 1), (2, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_cells_change_places_and_their_digits_with_them(cells: Size, channels: int) -> None:
    rows, columns = cells
    numbered = np.arange(rows * columns).reshape(cells)
    image = np.kron(numbered, np.ones((5, 7)))[..., None] + 10 * np.arange(1, 1 + channels)  # a cell is of its number
    images, digits = tf.repeat(tf.constant(image[None], tf.float32), 200, 0), tf.repeat(numbered.reshape(1, -1), 200, 0)
    moved, following = augment.rearrange_cells(images, digits, noises(200), Augmentation(cells=cells))
    assert moved.shape == images.shape
    for picture, order in zip(moved.numpy(), following.numpy(), strict=True):
        np.testing.assert_array_equal(picture[2::5, 3::7, 0].ravel() - 10, order)
        np.testing.assert_array_equal(picture[2::5, 3::7], picture[::5, ::7])
    assert (np.sort(following, axis=1) == np.arange(rows * columns)).all()
    for place in range(rows * columns):
        often = np.bincount(following.numpy()[:, place], minlength=rows * columns)
        assert often == pytest.approx(200 / (rows * columns), abs=35)


def test_one_cell_stays_where_it_is() -> None:
    images, digits = random_images(), tf.zeros([8, 5], tf.int32)
    assert augment.rearrange_cells(images, digits, noises(8), EVERYTHING) == (images, digits)


@pytest.mark.parametrize("channels", [1, 3])
def test_without_augmentation_nothing_changes(channels: int) -> None:
    images = random_images(channels=channels)
    same = augment.augment_images(images, noises(8), Augmentation(), SIZE)
    np.testing.assert_allclose(same, images, atol=1e-3)


def test_the_window_is_a_part_of_the_picture_at_any_place() -> None:
    size = (35, 52)
    images = tf.repeat(coordinates(), 64, axis=0)
    windows = augment.augment_images(images, noises(64), Augmentation(), size).numpy()
    assert windows.shape == (64, *size, 3)
    left, top = windows[:, 0, 0, 0], windows[:, 0, 0, 1]
    np.testing.assert_allclose(windows, coordinates(size) + np.stack([left, top, 0 * top], 1)[:, None, None], atol=1e-2)
    for corner, slack in ((left, SIZE[1] - size[1]), (top, SIZE[0] - size[0])):
        assert corner.min() >= 0
        assert corner.max() <= slack
        assert corner.max() - corner.min() > 0.8 * slack
    assert abs(np.corrcoef(left, top)[0, 1]) < 0.5


@pytest.mark.parametrize(("value", "place"), [(-1.0, (0, 0)), (0.0, (3, 4.5)), (1.0, (6, 9))])
def test_the_window_reaches_from_corner_to_corner(value: float, place: tuple[float, float]) -> None:
    window = augment.augment_images(coordinates(), extreme(value), Augmentation(), (SIZE[0] - 6, SIZE[1] - 9)).numpy()
    assert (window[0, 0, 0, 1], window[0, 0, 0, 0]) == pytest.approx(place, abs=1e-3)


@pytest.mark.parametrize("value", [-1.0, 0.5, 1.0])
def test_rotation_turns_counterclockwise(value: float) -> None:
    turn = value * math.radians(40)
    expected = 15 * math.cos(turn), -15 * math.sin(turn)  # y points down
    assert moved((15, 0), Augmentation(rotation=40), value) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("value", [-1.0, 0.5, 1.0])
def test_scale_zooms_about_the_center(value: float) -> None:
    zoom = math.exp(-0.5 * value)
    assert moved((8, -6), Augmentation(scale=0.5), value) == pytest.approx((8 * zoom, -6 * zoom), abs=0.1)


def test_height_and_width_are_scaled_independently() -> None:
    scaled = augment.augment_images(tf.repeat(coordinates(), 16, axis=0), noises(16), Augmentation(scale=0.3), SIZE)
    middle_y, middle_x = SIZE[0] // 2, SIZE[1] // 2
    x_factor = (scaled[:, middle_y, middle_x + 1, 0] - scaled[:, middle_y, middle_x, 0]).numpy()
    y_factor = (scaled[:, middle_y + 1, middle_x, 1] - scaled[:, middle_y, middle_x, 1]).numpy()
    for factor in (x_factor, y_factor):
        assert np.all(np.abs(np.log(factor)) <= 0.3 + 1e-3)
        assert np.ptp(factor) > 0.2
    assert np.abs(x_factor - y_factor).max() > 0.1


def test_shear_moves_rows_sideways() -> None:
    assert moved((0, 10), Augmentation(shear=0.3)) == pytest.approx((-3, 10), abs=0.1)


def test_slope_moves_columns_up_and_down() -> None:
    assert moved((10, 0), Augmentation(slope=0.3)) == pytest.approx((10, -3), abs=0.1)


def test_shift_is_a_share_of_the_height_and_one_of_the_width() -> None:
    down, across = 0.25, 0.125
    expected = pytest.approx((-across * SIZE[1], -down * SIZE[0]), abs=0.1)
    assert moved((0, 0), Augmentation(shift=(down, across))) == expected


@pytest.mark.parametrize(
    ("amplitude", "direction", "length", "phase"),
    [(1.0, 0.0, 1.0, 0.0), (0.5, 0.5, -1.0, 0.25), (-1.0, 0.25, 0.0, -0.5), (0.0, 0.1, 0.2, 0.3)],
)
def test_elastic_moves_pixels_by_two_waves(amplitude: float, direction: float, length: float, phase: float) -> None:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    angle, wavelength = math.pi * direction, SIZE[0] * {-1.0: 0.5, 0.0: 0.75, 0.2: 0.8, 1.0: 1.0}[length]
    along = x * math.cos(angle) + y * math.sin(angle)
    expected = 0.05 * SIZE[0] * amplitude * np.sin(2 * math.pi * (along / wavelength + phase))
    wave, none = [amplitude, direction, length, phase], [0.0] * 4
    steps = Augmentation(elastic=0.05)
    for numbers, moved_x, moved_y in ((wave + none, expected, 0), (none + wave, 0, expected)):
        places = geometry.bend_grid(SIZE, tf.constant([numbers], tf.float32), steps)
        np.testing.assert_allclose(places[0][0] - x, moved_x + 0 * x, atol=1e-4)
        np.testing.assert_allclose(places[1][0] - y, moved_y + 0 * y, atol=1e-4)


def test_elastic_pictures_come_from_where_the_waves_say() -> None:
    steps = Augmentation(elastic=0.05)
    bent = augment.augment_images(coordinates(), noises(1), steps, SIZE).numpy()
    x, y = geometry.bend_grid(SIZE, augment.split_noise(noises(1)).bend, steps)
    np.testing.assert_allclose(bent[..., 0], tf.clip_by_value(x, 0, SIZE[1] - 1), atol=1e-3)
    np.testing.assert_allclose(bent[..., 1], tf.clip_by_value(y, 0, SIZE[0] - 1), atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_both_ways_of_sampling_agree(channels: int) -> None:
    """The one that can bend, where nothing is bent, and TensorFlow's."""
    images, size = random_images(channels=channels), (30, 50)
    drawn = augment.split_noise(noises(8))
    transforms = geometry.make_transforms(drawn.warp, drawn.slope, EVERYTHING, SIZE, size)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    straight = tf.constant(x[None]), tf.constant(y[None])
    sampled = geometry.sample_images(images, transforms, straight).numpy()
    np.testing.assert_allclose(sampled, geometry.project_images(images, transforms, size), atol=0.05)
    assert np.abs(sampled - images.numpy()[:, :30, :50]).max() > 50  # they were moved


@pytest.mark.parametrize(("times", "variance"), [(1.0, 2.0), (2.0, 4.0)])
def test_blur_spreads_a_dot(times: float, variance: float) -> None:
    dot = np.zeros((1, *SIZE, 1), np.float32)
    dot[0, 20, 30] = 200
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] - CENTER[::-1, None, None]
    for noise, expected in ((1.0, variance), (0.5, variance / 2), (0.0, 0), (-1.0, 0)):  # of two independent sums
        ink = augment.blur_images(tf.constant(dot), tf.constant([[noise]]), Augmentation(blur=times)).numpy()[
            0, :, :, 0
        ]
        assert ink.sum() == pytest.approx(200, rel=1e-4)
        assert (ink * x**2).sum() / 200 == pytest.approx((ink * y**2).sum() / 200) == pytest.approx(expected, abs=1e-3)


def test_blur_leaves_one_color_as_it_is_up_to_the_border() -> None:
    image = tf.fill([1, *SIZE, 3], 100.0)
    np.testing.assert_allclose(augment.blur_images(image, tf.ones([1, 1]), Augmentation(blur=2.0)), image, rtol=1e-5)


@pytest.mark.parametrize(
    ("noise", "rows", "columns"),
    [
        ((1.0, 0.0, 0.0), slice(10, 31), slice(20, 41)),  # half of 41 rows about the center
        ((0.5, 0.0, 0.0), slice(15, 26), slice(25, 36)),
        ((1.0, -1.0, 1.0), slice(0, 10), slice(51, 61)),  # about a corner
        ((0.0, 0.0, 0.0), slice(0), slice(0)),
        ((-1.0, 0.0, 0.0), slice(0), slice(0)),
    ],
)
def test_erasing_paints_a_square_over(noise: tuple[float, ...], rows: slice, columns: slice) -> None:
    images = random_images(1)
    expected = images.numpy()
    expected[:, rows, columns] = expected.mean(axis=(1, 2), keepdims=True)
    erased = augment.erase_squares(images, tf.constant([noise]), Augmentation(erasing=0.5))
    np.testing.assert_allclose(erased, expected, rtol=1e-5)


def test_half_of_the_pictures_are_blurred_and_half_lose_a_square() -> None:
    images = random_images(1, (20, 30))
    for steps in (Augmentation(blur=2.0), Augmentation(erasing=1.0)):
        varied = augment.augment_images(tf.repeat(images, 400, axis=0), noises(400), steps, (20, 30))
        changed = tf.reduce_max(tf.abs(varied - images), axis=[1, 2, 3]).numpy() > 1
        assert changed.mean() == pytest.approx(0.5, abs=0.08)


def test_saturation_is_the_distance_to_gray() -> None:
    image = tf.constant(np.full((1, *SIZE, 3), (90, 120, 150)), tf.float32)
    for value, expected in ((1.0, (75, 120, 165)), (-1.0, (105, 120, 135))):
        changed = augment.augment_images(image, extreme(value), Augmentation(saturation=0.5), SIZE)
        np.testing.assert_allclose(changed, np.full((1, *SIZE, 3), expected), atol=1e-3)


def test_contrast_is_the_distance_to_the_mean() -> None:
    image = np.full((1, *SIZE, 3), 100, np.float32)
    image[:, :20], image[:, 21:] = 80, 120
    for value in (1.0, -1.0):
        changed = augment.augment_images(tf.constant(image), extreme(value), Augmentation(contrast=0.5), SIZE)
        np.testing.assert_allclose(changed, 100 + (image - 100) * math.exp(0.5 * value), atol=1e-2)


def test_brightness_moves_all_channels_and_tint_each() -> None:
    image = tf.fill([16, *SIZE, 3], 128.0)
    brighter = augment.augment_images(image, noises(16), Augmentation(brightness=0.2), SIZE).numpy()[:, 0, 0]
    tinted = augment.augment_images(image, noises(16), Augmentation(tint=0.2), SIZE).numpy()[:, 0, 0]
    np.testing.assert_allclose(brighter, brighter[:, :1].repeat(3, axis=1), atol=1e-3)
    assert np.ptp(tinted, axis=1).min() > 1
    for values in (brighter, tinted):
        assert np.abs(values - 128).max() <= 0.2 * 255
        assert np.ptp(values[:, 0]) > 0.2 * 255
    assert augment.augment_images(image[:1], extreme(1.0), Augmentation(brightness=0.2), SIZE)[0, 0, 0, 0] == 128 + 51


def test_inversion_gives_the_negative() -> None:
    images = random_images()
    negative = augment.augment_images(images, noises(8), Augmentation(inversion=1.0), SIZE)
    np.testing.assert_allclose(negative, 255 - images, atol=1e-3)


def test_inversion_comes_as_often_as_it_should() -> None:
    images = tf.zeros([400, 2, 2, 1])
    share = np.mean(augment.augment_images(images, noises(400), Augmentation(inversion=0.25), (2, 2)).numpy() == 255)
    assert share == pytest.approx(0.25, abs=0.07)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("value", [-1.0, None, 1.0])
def test_values_stay_those_of_a_picture(channels: int, value: float | None) -> None:
    images = random_images(channels=channels)
    noise = noises(8) if value is None else tf.repeat(extreme(value), 8, axis=0)
    varied = augment.augment_images(images, noise, EVERYTHING, (30, 50))
    assert varied.shape == (8, 30, 50, channels)
    assert varied.dtype == tf.float32
    assert 0 <= float(tf.reduce_min(varied)) <= float(tf.reduce_max(varied)) <= 255


def test_noise_depends_on_seed_and_place_alone() -> None:
    ds = tf.data.Dataset.range(3, 6).map(lambda index: augment.draw_example_noise(7, index), num_parallel_calls=2)
    direct = [augment.draw_example_noise(7, tf.constant(index, tf.int64)).numpy() for index in (3, 4, 5)]
    np.testing.assert_array_equal(np.stack(list(ds.as_numpy_iterator())), direct)
    every = np.stack([noises(40, seed).numpy() for seed in range(3)]).reshape(-1, augment.NOISE_SIZE)
    assert len(np.unique(every, axis=0)) == len(every)
    assert -1 <= every.min() < -0.9
    assert 0.9 < every.max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_an_examples_result_does_not_depend_on_its_neighbors(channels: int) -> None:
    images, noise = random_images(channels=channels), noises(8)
    together = augment.augment_images(images, noise, EVERYTHING, (30, 50))
    for index in (0, 3, 7):
        alone = augment.augment_images(images[index : index + 1], noise[index : index + 1], EVERYTHING, (30, 50))
        np.testing.assert_allclose(together[index], alone[0], atol=1e-2)
    assert float(tf.reduce_max(tf.abs(together[0] - together[1]))) > 1
