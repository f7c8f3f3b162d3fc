"""Layers: pieces of pictures with soft or hard edges and the numbers in them, that are turned and pasted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.helpers.wild.scores import Number
from svhn.spec import Box

HARD_EDGES = 0.35  # share of pieces with hard edges, as those of a plate
TRIES = 200  # places that are tried for a layer before it is left out


class Layer(NamedTuple):
    """A piece of a picture.

    Args:
        image: its pixels in RGB.
        mask: how much of each pixel covers what is below, "L" of the image's size.
        numbers: the numbers in it.
    """

    image: Image.Image
    mask: Image.Image
    numbers: tuple[Number, ...] = ()


class Made(NamedTuple):
    """A picture that was made.

    Args:
        image: its pixels.
        truths: what it may be said to show, in one way or in several.
        lossless: whether it is saved with these very pixels.
    """

    image: Image.Image
    truths: tuple[tuple[Number, ...], ...]
    lossless: bool = False


def expand_pixels(box: Box, margin: float, size: tuple[int, int]) -> Box:
    """A box with so many pixels on each side, clipped to a (width, height) picture; it keeps two pixels."""
    left, top = (min(max(side - margin, 0.0), end - 2.0) for side, end in zip(box[:2], size, strict=True))
    right, bottom = (min(max(side + margin, 2.0), float(end)) for side, end in zip(box[2:], size, strict=True))
    return left, top, max(right, left + 2), max(bottom, top + 2)


def enclose_numbers(numbers: Iterable[Number]) -> Box:
    """The smallest box around all numbers."""
    left, top, right, bottom = zip(*(number.box for number in numbers), strict=True)
    return min(left), min(top), max(right), max(bottom)


def join_numbers(numbers: Sequence[Number]) -> Number:
    """All digits in turn as one number, in the smallest box around them."""
    return Number("".join(number.text for number in numbers), enclose_numbers(numbers))


def shift_numbers(numbers: Iterable[Number], left: float, top: float) -> tuple[Number, ...]:
    return tuple(Number(text, (box[0] + left, box[1] + top, box[2] + left, box[3] + top)) for text, box in numbers)


def blur_edges(rng: np.random.Generator | None, size: tuple[int, int], room: Box) -> Image.Image:
    """A mask that fades to its sides.

    Args:
        rng: draws hard or soft edges, and how far they reach inward; None for edges that fade over all the room.
        size: width and height, in pixels.
        room: pixels at the left, top, right and bottom that may fade.
    """
    share = 1.0 if rng is None else 0.0 if rng.random() < HARD_EDGES else rng.uniform(0.3, 1.0)
    left, top, right, bottom = (max(1.0, share * side) for side in room)
    across, down = _fade_ends(size[0], left, right), _fade_ends(size[1], top, bottom)
    return Image.fromarray(np.rint(255 * down[:, None] * across).astype(np.uint8))


def _fade_ends(count: int, first: float, last: float) -> np.ndarray:
    """Values that rise to 1 over the first pixels and fall over the last, float64 (count,)."""
    place = np.arange(count) + 0.5
    return np.clip(np.minimum(place / first, (count - place) / last), 0, 1)


def paste_layer(canvas: Image.Image, layer: Layer, left: int, top: int) -> tuple[Number, ...]:
    """Paste a layer, in place; returns its numbers in pixels of the canvas."""
    canvas.paste(layer.image, (left, top), layer.mask)
    return shift_numbers(layer.numbers, left, top)


def turn_layer(layer: Layer, degrees: float) -> Layer:
    """A layer turned counterclockwise. A number's box becomes the upright box around its turned box."""
    image = layer.image.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    mask = layer.mask.rotate(degrees, Image.Resampling.BILINEAR, expand=True)
    numbers = (Number(text, _turn_box(box, degrees, layer.image.size, image.size)) for text, box in layer.numbers)
    return Layer(image, mask, tuple(numbers))


def _turn_box(box: Box, degrees: float, before: tuple[int, int], after: tuple[int, int]) -> Box:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = np.array([(x, y) for x in box[::2] for y in box[1::2]]) - np.array(before) / 2
    turned = corners @ np.array([[cos, -sin], [sin, cos]]) + np.array(after) / 2
    (left, top), (right, bottom) = turned.min(axis=0), turned.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def scatter_layers(rng: np.random.Generator, canvas: Image.Image, layers: Iterable[Layer]) -> tuple[Number, ...]:
    """Paste layers where they touch no other, in place; returns their numbers. A layer without room is left out."""
    taken: list[Box] = []
    numbers: tuple[Number, ...] = ()
    for layer in layers:
        place = _find_place(rng, canvas.size, layer.image.size, taken)
        if place:
            taken.append(place)
            numbers += paste_layer(canvas, layer, int(place[0]), int(place[1]))
    return numbers


def _find_place(
    rng: np.random.Generator, canvas: tuple[int, int], size: tuple[int, int], taken: Sequence[Box]
) -> Box | None:
    if size[0] > canvas[0] or size[1] > canvas[1]:
        return None
    for _ in range(TRIES):
        left, top = (float(rng.integers(end - side + 1)) for end, side in zip(canvas, size, strict=True))
        place = left, top, left + size[0], top + size[1]
        if not any(
            place[0] < right and left < place[2] and place[1] < bottom and top < place[3]
            for left, top, right, bottom in taken
        ):
            return place
    return None
