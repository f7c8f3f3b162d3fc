"""Real digits in new forms: stacked, in long rows, in two rows, and far apart."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from benchmarks.helpers.wild.grounds import Corners, add_noise, compose_digits, join_layer, show_layer
from benchmarks.helpers.wild.layers import Layer, Made, join_numbers
from benchmarks.helpers.wild.sources import Digits, Sources, cut_digits, draw_height, pick_entry
from svhn.datasets.synthetic.wall import to_image

ONE_PICTURE = 0.6  # share of long numbers whose digits are all of one picture


def make_vertical(rng: np.random.Generator, sources: Sources) -> Made:
    """Two to four real digits of one number, stacked."""
    height = draw_height(rng, 20, 90)
    digits = cut_digits(pick_entry(rng, sources.apart, height, int(rng.integers(2, 5))), height)
    return _show_digits(rng, sources, digits, _stack(rng, digits.layers, height), height)


def make_long(rng: np.random.Generator, sources: Sources) -> Made:
    """Six to eight real digits in a row, of one number or, in other pictures, of several."""
    height, count = draw_height(rng, 20, 90), int(rng.integers(6, 9))
    digits = cut_digits(pick_entry(rng, sources.apart, height, 3), height)
    if rng.random() < ONE_PICTURE:
        layers = [digits.layers[index] for index in rng.integers(0, len(digits.layers), count)]
    else:
        layers = list(digits.layers)
        while len(layers) < count:
            layers += _match_wall(cut_digits(pick_entry(rng, sources.apart, height), height), digits)
        layers = layers[:count]
    corners = _line_up(rng, layers, height, (0.0, 0.2))
    return _show_digits(rng, sources, digits._replace(layers=layers), corners, height)


def _match_wall(digits: Digits, other: Digits) -> list[Layer]:
    """The digits with the colors of their wall shifted to those of another."""
    shift = other.wall.mean(axis=(0, 1)) - digits.wall.mean(axis=(0, 1))
    return [
        each._replace(image=to_image(np.asarray(each.image, np.float32) + shift.astype(np.float32)))
        for each in digits.layers
    ]


def make_apart(rng: np.random.Generator, sources: Sources) -> Made:
    """Two to four real digits of one number in a row, with gaps of .6 to 1.5 of their height."""
    height = draw_height(rng, 20, 90)
    digits = cut_digits(pick_entry(rng, sources.apart, height, int(rng.integers(2, 5))), height)
    return _show_digits(rng, sources, digits, _line_up(rng, digits.layers, height, (0.6, 1.5)), height)


def make_rows(rng: np.random.Generator, sources: Sources) -> Made:
    """Real digits of one picture in two rows of two or three, five at most. One number, or one per row, is right."""
    height, first = draw_height(rng, 20, 90), int(rng.integers(2, 4))
    count = first + (2 if first == 3 else int(rng.integers(2, 4)))
    digits = cut_digits(pick_entry(rng, sources.apart, height), height)
    layers = [digits.layers[index] for index in rng.integers(0, len(digits.layers), count)]
    rows = layers[:first], layers[first:]
    down = max(each.image.height for each in layers) + rng.uniform(0.05, 0.4) * height
    gaps = (0.0, 0.2)
    corners = [*_line_up(rng, rows[0], height, gaps), *((x, y + down) for x, y in _line_up(rng, rows[1], height, gaps))]
    layer = compose_digits(rng, digits._replace(layers=layers), corners, height)
    image, shown = show_layer(rng, sources, layer)
    one, two = (join_numbers(shown),), (join_numbers(shown[:first]), join_numbers(shown[first:]))
    return Made(add_noise(rng, image), (one, two))


def _show_digits(rng: np.random.Generator, sources: Sources, digits: Digits, corners: Corners, height: float) -> Made:
    image, numbers = show_layer(rng, sources, join_layer(compose_digits(rng, digits, corners, height)))
    return Made(add_noise(rng, image), (numbers,))


def _line_up(
    rng: np.random.Generator, layers: Iterable[Layer], height: float, gaps: tuple[float, float]
) -> list[tuple[float, float]]:
    """Corners of layers in a row, with one gap, in shares of the height, beside what the layers show around digits."""
    gap, left, corners = rng.uniform(*gaps) * height, 0.0, []
    for layer in layers:
        corners.append((left, rng.normal(0, 0.02) * height - layer.numbers[0].box[1]))
        left += layer.image.width + gap
    return corners


def _stack(rng: np.random.Generator, layers: Iterable[Layer], height: float) -> list[tuple[float, float]]:
    """Corners of layers in a column, about one middle."""
    gap, top, corners = rng.uniform(0.0, 0.4) * height, 0.0, []
    for layer in layers:
        left, _, right, _ = layer.numbers[0].box
        corners.append((rng.normal(0, 0.03) * height - (left + right) / 2, top))
        top += layer.image.height + gap
    return corners
