"""Digits set upright by the moments of their ink, and the cells that they stand in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from svhn.models import MODELS
from svhn.models.layers.upright import LONG_AXIS, Upright
from svhn.pipeline import geometry

HEIGHT, WIDTH = 64, 52


def ellipse(x: float, y: float, longer: float, shorter: float, degrees: float) -> np.ndarray:
    """Its axes are twice as many standard deviations; at 0 degrees the longer one is upright; clockwise."""
    across, down = np.meshgrid(np.arange(WIDTH) - x, np.arange(HEIGHT) - y)
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    along, beside = cosine * down - sine * across, cosine * across + sine * down
    return ((along / (2 * longer)) ** 2 + (beside / (2 * shorter)) ** 2 < 1).astype(np.float32)[..., None]


def written(digit: str, degrees: float, size: int, place: tuple[int, int]) -> np.ndarray:
    """A digit turned about its place, counter-clockwise."""
    image = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(image).text(place, digit, 255, ImageFont.load_default(size), "mm")
    return np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC, center=place), np.float32)[..., None] / 255


def upright(*digits: np.ndarray) -> np.ndarray:
    return Upright(1, 1)(np.stack(digits)).numpy()


def moments(image: np.ndarray) -> tuple[float, float, float, float, float]:
    """The mean x and y, the standard deviations across and down, and their correlation."""
    ink = image[..., 0] / image.sum()
    across, down = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    x, y = (ink * across).sum(), (ink * down).sum()
    deviations = [np.sqrt((ink * (values - mean) ** 2).sum()) for values, mean in ((across, x), (down, y))]
    return x, y, *deviations, (ink * (across - x) * (down - y)).sum() / np.prod(deviations)


@pytest.mark.parametrize("degrees", [-80, -45, -10, 0, 25, 60, 85])
@pytest.mark.parametrize(("x", "y", "longer"), [(26, 32, 6.0), (20, 25, 8.0), (33, 40, 5.0)])
def test_the_longer_axis_is_upright_in_the_middle_and_of_one_length(
    degrees: float, x: float, y: float, longer: float
) -> None:
    middle_x, middle_y, across, down, correlation = moments(upright(ellipse(x, y, longer, 0.55 * longer, degrees))[0])
    assert (middle_x, middle_y) == (pytest.approx((WIDTH - 1) / 2, abs=0.5), pytest.approx((HEIGHT - 1) / 2, abs=0.5))
    assert down == pytest.approx(LONG_AXIS * HEIGHT, rel=0.04)
    assert across == pytest.approx(0.55 * down, rel=0.05)
    assert abs(correlation) < 0.05


def test_a_narrow_digit_becomes_wider_and_stays_narrow() -> None:
    wide, narrow = (moments(found) for found in upright(ellipse(26, 32, 8, 4.4, 0), ellipse(26, 32, 8, 2, 0)))
    assert 2 / 8 + 0.05 < narrow[2] / narrow[3] < wide[2] / wide[3] - 0.1


@pytest.mark.parametrize("digit", ["4", "7", "9"])
def test_a_digit_looks_alike_at_any_angle_place_and_size(digit: str) -> None:
    first, *others = upright(
        written(digit, 0, 30, (26, 32)),
        written(digit, 40, 30, (26, 32)),
        written(digit, -40, 30, (20, 27)),
        written(digit, 15, 24, (30, 38)),
    )
    assert first.mean() > 0.05
    assert max(np.abs(other - first).mean() for other in others) < 0.05


@pytest.mark.parametrize(("rows", "columns"), [(slice(32), slice(26)), (slice(32, 64), slice(26, 52))])
def test_a_digit_is_neither_mirrored_nor_upside_down(rows: slice, columns: slice) -> None:
    image = ellipse(25.5, 31.5, 9, 5, 0)
    image[rows, columns] *= 2
    (found,) = upright(image)
    quarters = {
        (up.start, left.start): found[up, left].sum()
        for up in (slice(0, 32), slice(32, 64))
        for left in (slice(0, 26), slice(26, 52))
    }
    assert max(quarters, key=quarters.__getitem__) == (rows.start or 0, columns.start or 0)


def test_each_cell_is_set_upright_by_itself_and_an_empty_one_stays_empty() -> None:
    parts = [written("4", 30, 30, (20, 30)), np.zeros((HEIGHT, WIDTH, 1), np.float32), written("7", -20, 24, (30, 40))]
    expected = upright(*parts)
    assert not expected[1].any()
    row = Upright(1, 3)(np.concatenate(parts, axis=1)[None]).numpy()[0]
    np.testing.assert_allclose(row, np.concatenate(expected, axis=1), atol=1e-6)
    column = Upright(3, 1)(np.concatenate(parts, axis=0)[None]).numpy()[0]
    np.testing.assert_allclose(column, np.concatenate(expected, axis=0), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "lengths", "expected"),
    [
        ((64, 208, 1), 0, (1, 4)),
        ((256, 52, 1), 0, (4, 1)),
        ((64, 208, 1), 5, None),
        ((64, 210, 1), 0, None),
        ((64, 64, 1), 0, None),  # side by side, or one above the other
        ((64, 208, 3), 0, None),
    ],
)
def test_the_recurrent_network_sets_digits_upright_where_each_has_a_cell(
    shape: tuple[int, int, int], lengths: int, expected: tuple[int, int] | None
) -> None:
    found = [layer for layer in MODELS["gru_rows"].build(shape, 4, lengths).layers if isinstance(layer, Upright)]
    assert [(layer.rows, layer.columns) for layer in found] == [expected] * (expected is not None)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")  # Keras
def test_a_keras_file_gives_a_network_back_that_sets_digits_upright(tmp_path: Path) -> None:
    row = tf.constant(255 * np.concatenate([written(digit, 20, 28, (24, 30)) for digit in "4791"], axis=1)[None])
    model = MODELS["gru_rows"].build((64, 208, 1), 4, 0)
    model.save(tmp_path / "model.keras")
    again: Any = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(row)["digits"], model(row)["digits"], atol=1e-6)


def test_in_mixed_precision_digits_are_set_upright_in_float32() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = MODELS["gru_rows"].build((64, 208, 1), 4, 0)
    finally:
        keras.config.set_dtype_policy("float32")
    (layer,) = (layer for layer in model.layers if isinstance(layer, Upright))
    assert layer.compute_dtype == "float32"
    assert model(np.zeros((1, 64, 208, 1), np.float32))["digits"].dtype == tf.float32


def test_cells_come_row_by_row_and_are_joined_again() -> None:
    images = tf.reshape(tf.range(2 * 4 * 6 * 3), [2, 4, 6, 3])
    parts = geometry.split_cells(images, 2, 3)
    assert parts.shape == (2, 6, 2, 2, 3)
    np.testing.assert_array_equal(parts[:, 1], images[:, :2, 2:4])
    np.testing.assert_array_equal(parts[:, 3], images[:, 2:, :2])
    np.testing.assert_array_equal(geometry.join_cells(parts, 2, 3), images)
