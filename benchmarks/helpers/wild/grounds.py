"""What surrounds the numbers: photos and walls made of real pixels, and the camera's noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from benchmarks.helpers.wild.layers import Layer, blur_edges, join_numbers, paste_layer, scatter_layers
from benchmarks.helpers.wild.scores import Number
from benchmarks.helpers.wild.sources import Digits, Sources, cut_part
from svhn.datasets.synthetic import camera, wall

TILED = 0.3  # share of backgrounds that repeat a part, mirrored, at about its own scale
FILLED = 0.4  # share of layers that fill their picture
LEAST_SIDE = 64  # pixels of a picture's width and height

Corners = Sequence[tuple[float, float]]  # left and top, in pixels


def make_background(rng: np.random.Generator, sources: Sources, size: tuple[int, int]) -> Image.Image:
    """A (width, height) picture of parts of photos without labeled digits."""
    part = cut_part(rng, sources)
    if rng.random() < TILED:
        canvas = _tile_part(part, rng.uniform(1.0, 3.0), size)
    else:
        canvas = part.resize(size, Image.Resampling.BICUBIC)
    for _ in range(rng.integers(0, 9)):
        layer = cut_decoy(rng, sources, rng.uniform(0.1, 0.5) * size[1])
        place = rng.integers(-layer.image.width // 2, size[0]), rng.integers(-layer.image.height // 2, size[1])
        paste_layer(canvas, layer, int(place[0]), int(place[1]))
    return canvas


def _tile_part(part: Image.Image, factor: float, size: tuple[int, int]) -> Image.Image:
    pixels = np.asarray(part.resize((round(factor * part.width), round(factor * part.height))))
    after = [max(0, end - side) for end, side in zip(size[::-1], pixels.shape, strict=False)]
    return Image.fromarray(np.pad(pixels, ((0, after[0]), (0, after[1]), (0, 0)), "symmetric")).crop((0, 0, *size))


def cut_decoy(rng: np.random.Generator, sources: Sources, height: float) -> Layer:
    """A part of a photo without labeled digits, so many pixels high, with edges as those of numbers."""
    part = cut_part(rng, sources)
    size = max(2, round(part.width * height / part.height)), max(2, round(height))
    across, down = 0.2 * size[0], 0.2 * size[1]
    mask = blur_edges(rng, size, (across, down, across, down))
    return Layer(part.resize(size, Image.Resampling.LANCZOS), mask)


def show_layer(
    rng: np.random.Generator, sources: Sources, layer: Layer, filled: float = FILLED
) -> tuple[Image.Image, tuple[Number, ...]]:
    """A picture with a layer in it, which fills it in a share of the draws, and the numbers in the picture."""
    width, height = layer.image.size
    if rng.random() < filled:
        return layer.image.copy(), layer.numbers
    size = max(LEAST_SIDE, round(rng.uniform(1.2, 3) * width)), max(LEAST_SIDE, round(rng.uniform(1.2, 3) * height))
    canvas = make_background(rng, sources, size)
    decoys = [cut_decoy(rng, sources, rng.uniform(0.5, 1.2) * height) for _ in range(rng.integers(0, 4))]
    return canvas, scatter_layers(rng, canvas, [layer, *decoys])


def draw_wall(rng: np.random.Generator, digits: Digits, size: tuple[int, int]) -> Image.Image:
    """A (width, height) wall in the colors around a number."""
    pixels = np.asarray(Image.fromarray(digits.wall).resize(size, Image.Resampling.BICUBIC), np.float32)
    grain = rng.normal(0, 1, (max(1, size[1] // 2), max(1, size[0] // 2))).astype(np.float32)
    grain = np.asarray(Image.fromarray(grain).resize(size, Image.Resampling.BILINEAR))
    return wall.to_image(pixels + digits.noise * grain[..., None])


def compose_digits(rng: np.random.Generator, digits: Digits, corners: Corners, high: float) -> Layer:
    """Digits pasted on their wall at these corners, with borders of .2 to 1.5 times their height `high`, in pixels.

    The layer's numbers are the single digits, in turn.
    """
    borders = [round(share * high) for share in rng.uniform(0.2, 1.5, 4)]
    left, top = borders[0] - min(x for x, _ in corners), borders[1] - min(y for _, y in corners)
    places = [(round(x + left), round(y + top)) for x, y in corners]
    ends = [(x + each.image.width, y + each.image.height) for (x, y), each in zip(places, digits.layers, strict=True)]
    size = max(x for x, _ in ends) + borders[2], max(y for _, y in ends) + borders[3]
    canvas = draw_wall(rng, digits, size)
    pasted = [paste_layer(canvas, layer, *place)[0] for layer, place in zip(digits.layers, places, strict=True)]
    room = borders[0], borders[1], borders[2], borders[3]
    return Layer(canvas, blur_edges(rng, size, room), tuple(pasted))


def join_layer(layer: Layer) -> Layer:
    """The layer with all its digits as one number."""
    return layer._replace(numbers=(join_numbers(layer.numbers),))


def add_noise(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    """The picture with a sensor's noise, mostly slight."""
    return wall.to_image(np.asarray(image, np.float32) + camera.make_sensor_noise(rng, image.size))
