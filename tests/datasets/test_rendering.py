"""The parts of a drawn picture: ink where it should be, walls and paint in range, and what a camera may take away."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from svhn.datasets.synthetic import camera, digits, fonts
from svhn.datasets.synthetic.digits import DIGIT_HEIGHT
from svhn.datasets.synthetic.wall import (
    LUMA,
    PLATES,
    WALL_KINDS,
    add_clutter,
    add_plate,
    keep_plain,
    paint_number,
    pick_contrasting_color,
)

pytest.importorskip("matplotlib", reason="matplotlib, whose fonts are drawn with, is not installed")

SIZE = (120, 70)  # width, height


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawn_masks(text: str, seed: int = 0) -> list[Image.Image]:
    inks, corners = digits.place_digits(rng(seed), text, fonts.find_readable_fonts()[0])
    return digits.draw_masks(inks, corners, (20, 20, 20, 20))


@pytest.mark.parametrize("stroke", [0, 3])
def test_glyphs_are_cropped_and_of_one_height(stroke: int) -> None:
    for digit in fonts.DIGITS:
        ink = np.asarray(digits.draw_glyph(fonts.find_readable_fonts()[0], digit, stroke))
        assert len(ink) == DIGIT_HEIGHT
        assert all(side.any() for side in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))


def test_a_stroke_makes_digits_bolder() -> None:
    thin, bold = (np.asarray(digits.draw_glyph(fonts.find_readable_fonts()[0], "1", stroke)) for stroke in (0, 3))
    assert (bold > 128).mean() > (thin > 128).mean()


def test_digits_never_touch_and_keep_their_order() -> None:
    for seed in range(60):
        boxes = [digits.find_ink_box(np.asarray(mask)) for mask in drawn_masks("80241", seed)]
        across = all(one[2] <= other[0] for one, other in itertools.pairwise(boxes))
        down = all(one[3] <= other[1] for one, other in itertools.pairwise(boxes))
        assert across or down


def test_some_numbers_read_from_top_to_bottom() -> None:
    lefts = [
        [x for x, _ in digits.place_digits(rng(seed), "111", fonts.find_readable_fonts()[0])[1]] for seed in range(400)
    ]
    vertical = sum(max(left) - min(left) < DIGIT_HEIGHT / 8 for left in lefts)
    assert 1 <= vertical <= 24


def test_the_number_has_its_borders() -> None:
    left, top, right, bottom = digits.enclose_boxes(
        [digits.find_ink_box(np.asarray(mask)) for mask in drawn_masks("35", 3)]
    )
    width, height = drawn_masks("35", 3)[0].size
    assert (left, top, width - right, height - bottom) == pytest.approx((20, 20, 20, 20), abs=2)


def test_every_viewpoint_looks_at_the_center() -> None:
    center = np.array(SIZE) / 2
    views = [digits.sample_viewpoint(rng(seed), SIZE) for seed in range(20)]
    for a, b, c, d, e, f, g, h in views:
        below = g * center[0] + h * center[1] + 1
        assert (a * center[0] + b * center[1] + c) / below == pytest.approx(center[0])
        assert (d * center[0] + e * center[1] + f) / below == pytest.approx(center[1])
    assert np.std(views, axis=0).min() > 0  # and each from another side


def test_the_view_from_straight_ahead_changes_nothing() -> None:
    picture = Image.fromarray(rng().integers(0, 256, (*SIZE[::-1], 3), np.uint8))
    assert digits.project_picture(picture, (1, 0, 0, 0, 1, 0, 0, 0)).tobytes() == picture.tobytes()


@pytest.mark.parametrize("kind", WALL_KINDS)
def test_walls_have_a_texture_of_the_pictures_size(
    kind: Callable[[np.random.Generator, np.ndarray], np.ndarray],
) -> None:
    flat = np.full((*SIZE[::-1], 3), 120, np.float32)
    textured = kind(rng(), flat)
    assert (textured.shape, textured.dtype) == (flat.shape, np.float32)
    assert (textured.std() > 1) == (kind is not keep_plain)


def test_paint_stands_out_from_its_ground() -> None:
    for gray, least in itertools.product((0, 60, 128, 200, 255), (35, 90)):
        ground = np.full(3, gray, np.float32)
        for seed in range(20):
            assert abs((pick_contrasting_color(rng(seed), ground, least) - ground) @ LUMA) >= least


@pytest.mark.parametrize("ground", PLATES)
def test_the_ink_of_a_plate_stands_out(ground: tuple[tuple[int, int, int], tuple[int, int, int], int]) -> None:
    plate, ink, often = ground
    assert abs(np.subtract(plate, ink) @ LUMA) > 80
    assert often > 0


def test_a_plate_reaches_around_the_number() -> None:
    before = np.full((*SIZE[::-1], 3), (0, 255, 0), np.float32)  # no plate is as green
    for seed in range(20):
        pixels, _ = add_plate(rng(seed), before, (40, 25, 80, 45))
        assert not (pixels[23:47, 38:82] == before[0, 0]).all(axis=2).any()


def test_clutter_never_covers_the_number() -> None:
    before = rng().integers(0, 256, (*SIZE[::-1], 3)).astype(np.float32)
    changed = np.zeros(SIZE[::-1], bool)
    for seed in range(40):
        pixels = add_clutter(rng(seed), before, (40, 25, 80, 45))
        np.testing.assert_array_equal(pixels[25:45, 40:80], before[25:45, 40:80])
        changed |= (pixels != before).any(axis=2)
    assert changed.sum() > 0.5 * changed.size


def test_paint_takes_its_color() -> None:
    ink = np.zeros(SIZE[::-1], np.float32)
    ink[20:50, 40:80] = 1
    ground, color = np.full((*SIZE[::-1], 3), 200, np.float32), np.array([20, 30, 120], np.float32)
    for seed in range(20):
        pixels = paint_number(rng(seed), ground, ink, color)
        assert pixels[30:40, 50:70].mean(axis=(0, 1)) == pytest.approx(color, abs=15)
        assert pixels[0, 0] == pytest.approx(ground[0, 0], abs=1)


def test_a_camera_may_only_take_pixels_away() -> None:
    pixels = rng().uniform(0, 255, (*SIZE[::-1], 3)).astype(np.float32)
    factors = []
    for seed in range(60):
        picture, factor = camera.take_photo(rng(seed), pixels)
        assert picture.size == tuple(round(factor * side) for side in SIZE)
        factors.append(factor)
    assert camera.MIN_DIGIT_HEIGHT / DIGIT_HEIGHT <= min(factors) < 0.5
    assert max(factors) == 1


def test_low_digits_are_as_frequent_as_in_svhn() -> None:
    """Half of the train split's are lower than 30 pixels, a quarter than 22; those above 32 are drawn as if at 32."""
    wall = np.full((*SIZE[::-1], 3), 128, np.float32)
    heights = DIGIT_HEIGHT * np.array([camera.take_photo(rng(seed), wall)[1] for seed in range(300)])
    assert np.mean(heights < 22) == pytest.approx(0.25, abs=0.06)
    assert np.mean(heights < 30) == pytest.approx(0.5, abs=0.07)


def test_noise_is_stronger_in_some_pictures() -> None:
    strengths = [camera.make_sensor_noise(rng(seed), SIZE).std() for seed in range(40)]
    assert min(strengths) < 1 < 4 < max(strengths)
    assert camera.make_sensor_noise(rng(), SIZE).shape == (*SIZE[::-1], 3)
