"""The kinds of pictures that are unlike SVHN's, each made of SVHN's real pictures or drawn, with what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.helpers.large_photos import compose_photo
from benchmarks.helpers.wild.grounds import add_noise, cut_decoy, make_background, show_layer
from benchmarks.helpers.wild.layers import (
    Layer,
    Made,
    enclose_numbers,
    expand_pixels,
    join_numbers,
    scatter_layers,
    turn_layer,
)
from benchmarks.helpers.wild.pages import SIGNS, draw_page, draw_screenshot
from benchmarks.helpers.wild.rearranged import make_apart, make_long, make_rows, make_vertical
from benchmarks.helpers.wild.scores import Number
from benchmarks.helpers.wild.signs import draw_sign
from benchmarks.helpers.wild.sources import Sources, cut_number, cut_part, draw_height, pick_entry
from svhn.datasets.synthetic.wall import to_image
from svhn.images import open_picture

SCENE_SIZE, EMPTY_SIZE = (960, 720), (1600, 1200)  # width and height in pixels
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZabcdefhk"  # without I, O, l and others that nobody can tell from a digit
SURROUNDINGS = 5.0  # sides of a number's box that a large photo shows around it, at most


Make = Callable[[np.random.Generator, Sources], Made]


def make_scene(rng: np.random.Generator, sources: Sources) -> Made:
    """Two to four real numbers, each 30 to 90 pixels high."""
    canvas = make_background(rng, sources, SCENE_SIZE)
    heights = rng.uniform(30, 90, rng.integers(2, 5))
    numbers = [cut_number(rng, pick_entry(rng, sources.numbers, height), height) for height in heights]
    decoys = [cut_decoy(rng, sources, rng.uniform(40, 180)) for _ in range(rng.integers(1, 6))]
    shown = scatter_layers(rng, canvas, [*numbers, *decoys])
    return Made(add_noise(rng, canvas), (shown,))


def make_small(rng: np.random.Generator, sources: Sources) -> Made:
    """A real number of 8 to 14 pixels."""
    width = int(rng.integers(320, 641))
    canvas, height = make_background(rng, sources, (width, 3 * width // 4)), rng.uniform(8, 14)
    number = cut_number(rng, pick_entry(rng, sources.numbers, 2 * height), height)
    decoys = [cut_decoy(rng, sources, rng.uniform(12, 60)) for _ in range(rng.integers(0, 4))]
    shown = scatter_layers(rng, canvas, [number, *decoys])
    return Made(canvas, (shown,))


def make_slanted(rng: np.random.Generator, sources: Sources) -> Made:
    """A real number turned by 10° to 30° to either side. Its box is the upright one around the turned one."""
    return show_turned(rng, sources, *cut_slanted(rng, sources))


def cut_slanted(rng: np.random.Generator, sources: Sources) -> tuple[Layer, float]:
    """The number of such a picture before it is turned, and by how many degrees it is turned counterclockwise."""
    height = draw_height(rng, 20, 90)
    number = cut_number(rng, pick_entry(rng, sources.numbers, height), height)
    return number, rng.choice((-1, 1)) * rng.uniform(10, 30)


def show_turned(rng: np.random.Generator, sources: Sources, layer: Layer, degrees: float) -> Made:
    image, numbers = show_layer(rng, sources, turn_layer(layer, degrees), filled=0.0)
    return Made(add_noise(rng, image), (numbers,))


def make_letter(rng: np.random.Generator, sources: Sources) -> Made:
    """A drawn number of one to four digits with a letter after or before it, whose box may have the letter in it."""
    digits = str(int(10 ** rng.uniform(0, 4)))
    letter, after, small = str(rng.choice(list(LETTERS))), rng.random() < 0.75, rng.choice((1.0, 1.0, 0.7))
    text, place = (digits + letter, slice(len(digits))) if after else (letter + digits, slice(1, None))
    scales = [1.0 if character.isdigit() else small for character in text]
    image, shown = show_layer(rng, sources, draw_sign(rng, text, draw_height(rng, 28, 160), scales))
    number = join_numbers(shown[place])
    return Made(add_noise(rng, image), ((number,), (Number(number.text, enclose_numbers(shown)),)))


def make_empty(rng: np.random.Generator, sources: Sources) -> Made:
    """Parts of photos beside the numbers, and signs with words."""
    canvas = make_background(rng, sources, EMPTY_SIZE)
    words = [str(rng.choice(SIGNS)) for _ in range(rng.integers(0, 5))]
    signs = [draw_sign(rng, word, rng.uniform(30, 120)) for word in words]
    decoys = [cut_decoy(rng, sources, rng.uniform(60, 400)) for _ in range(rng.integers(2, 9))]
    scatter_layers(rng, canvas, [*signs, *decoys])
    return Made(add_noise(rng, canvas), ((),))


def make_page(rng: np.random.Generator, _sources: Sources) -> Made:
    return Made(add_noise(rng, draw_page(rng)), ((),))


def make_screenshot(rng: np.random.Generator, sources: Sources) -> Made:
    return Made(draw_screenshot(rng, sources), ((),), lossless=True)


def make_whole(rng: np.random.Generator, sources: Sources) -> Made:
    """A picture as it was published. It may show numbers that nobody labeled."""
    entry = sources.numbers[int(rng.integers(len(sources.numbers)))]
    return Made(open_picture(entry.source[0]), ((Number(entry.label, entry.source[1]),),), lossless=True)


def make_night(rng: np.random.Generator, sources: Sources) -> Made:
    """A published picture with little light, in the color of a lamp, and with a sensor's noise."""
    picture = make_whole(rng, sources)
    light = rng.uniform(0.12, 0.4) * np.array([1.0, rng.uniform(0.75, 1.0), rng.uniform(0.5, 1.1)], np.float32)
    pixels = np.asarray(picture.image, np.float32) * light
    noise = rng.normal(0, rng.uniform(1, 5), pixels.shape).astype(np.float32)
    return Made(to_image(pixels + noise), picture.truths)


def make_glare(rng: np.random.Generator, sources: Sources) -> Made:
    """A published picture with a light that shines over the number, which keeps a fifth of its contrast or more."""
    picture = make_whole(rng, sources)
    left, top, right, bottom = picture.truths[0][0].box
    wide = rng.uniform(0.4, 1.2) * max(right - left, bottom - top)
    x, y = (
        rng.uniform(left, right) - np.arange(picture.image.width),
        rng.uniform(top, bottom) - np.arange(picture.image.height),
    )
    share = rng.uniform(0.5, 0.8) * np.exp(-(x**2 + y[:, None] ** 2) / wide**2).astype(np.float32)[..., None]
    pixels = np.asarray(picture.image, np.float32)
    return Made(to_image(pixels * (1 - share) + 250 * share), picture.truths)


def make_large(rng: np.random.Generator, sources: Sources) -> Made:
    """A photo of 12 megapixels with a real number 3 % as wide."""
    entry = sources.numbers[int(rng.integers(len(sources.numbers)))]
    picture, box = open_picture(entry.source[0]), entry.source[1]
    box = expand_pixels(box, 0.0, picture.size)
    left, top, right, bottom = expand_pixels(box, SURROUNDINGS * max(box[2] - box[0], box[3] - box[1]), picture.size)
    left, top, right, bottom = round(left), round(top), round(right), round(bottom)
    inside = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
    photo, place = compose_photo(picture.crop((left, top, right, bottom)), inside, cut_part(rng, sources), rng)
    return Made(photo, ((Number(entry.label, place),),))


KINDS: Mapping[str, Make] = {
    "scene": make_scene,
    "vertical": make_vertical,
    "long": make_long,
    "letter": make_letter,
    "empty": make_empty,
    "large": make_large,
    "whole": make_whole,
    "slanted": make_slanted,
    "rows": make_rows,
    "apart": make_apart,
    "small": make_small,
    "night": make_night,
    "glare": make_glare,
    "page": make_page,
    "screenshot": make_screenshot,
}
