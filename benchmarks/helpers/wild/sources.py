"""Real numbers, their single digits, and parts of photos without labeled digits, from a split of SVHN's Format 1."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.helpers.wild.layers import Layer, blur_edges, expand_pixels
from benchmarks.helpers.wild.scores import Number
from svhn.datasets import svhn_full
from svhn.datasets.svhn import SVHN
from svhn.images import expand_box, measure_picture, open_picture
from svhn.spec import Box, Entry
from svhn.wrangle.draw import Options, Tally, draw_splits

CLEARANCE = 0.4  # share of the number's box that parts of photos keep away from it
LEAST_PART = 48  # pixels of a part's width, and of its picture's height
LARGEST_ZOOM = 2.0  # by which a number or digit is enlarged, if any is large enough
LARGEST_STEP = 0.3  # from the top of one digit to the next where digits are cut apart, as a share of their height
MOST_NOISE = 4.0  # of a wall that is drawn
DIGIT_MARGIN = 0.12  # of a digit that is cut out, as a share of its height; less where a neighbor is close

# Pictures whose parts beside the number may show a digit that nobody labeled. All parts of test were looked at once,
# before any reader had answered them; those of train and valid were not. The names are those of the 3,000 pictures
# behind docs/results.md, so other pictures called test leave others out.
DIGITS_BESIDE = {
    "test": "60 305 321 336 384 435 659 683 750 1013 1058 1266 1725 1765 2041 2049 2181 2216 2255 2301 2920",
}


class Sources(NamedTuple):
    """Entries of one split.

    Args:
        numbers: all of them.
        apart: those of two or more digits, each with a box of its own that touches no other.
        walls: those with room for a part of the photo beside the number, without the pictures of `DIGITS_BESIDE`.
    """

    numbers: list[Entry]
    apart: list[Entry]
    walls: list[Entry]


class Digits(NamedTuple):
    """The digits of one picture, cut apart, each a layer with its own box, and the wall around them.

    Args:
        text: the number's digits.
        layers: one per digit.
        wall: colors above and below each digit, uint8 (2, digits, 3), from which a larger wall can be drawn.
        noise: of the wall's pixels, a standard deviation of 0 to `MOST_NOISE`.
    """

    text: str
    layers: list[Layer]
    wall: np.ndarray
    noise: float


@functools.cache
def list_sources(data_dir: Path, split: str, seed: int = 0) -> Sources:
    """The entries of test, or of train or valid as `svhn wrangle` draws them with this seed.

    Raises:
        UserError: the pictures' digitStruct.mat is missing or can't be read.
    """
    source = "test" if split == "test" else "train"
    options = Options(SVHN.size, SVHN.margin, seed)
    return group_entries(draw_splits(SVHN, data_dir, [source], options, Tally())[split])


def group_entries(entries: Sequence[Entry]) -> Sources:
    """Usable entries, grouped by what they can be used for."""
    shown = {f"{source}/{index}.png" for source, indices in DIGITS_BESIDE.items() for index in indices.split()}
    walls = [entry for entry in entries if entry.name not in shown and _has_wall(entry)]
    return Sources(list(entries), [entry for entry in entries if _stand_apart(entry.boxes)], walls)


def _has_wall(entry: Entry) -> bool:
    size = measure_picture(entry.source[0])
    left, _, right, _ = _sample_part(entry, size, 0)
    return min(right - left, size[1]) >= LEAST_PART


def _stand_apart(boxes: Sequence[Box]) -> bool:
    height = max((bottom - top for _, top, _, bottom in boxes), default=0.0)
    pairs = list(itertools.pairwise(boxes))
    return bool(pairs) and all(
        after[0] >= before[2] and abs(after[1] - before[1]) <= LARGEST_STEP * height for before, after in pairs
    )


def measure_height(entry: Entry) -> float:
    """The height of a number's box, in pixels."""
    return entry.source[1][3] - entry.source[1][1]


def draw_height(rng: np.random.Generator, least: float, most: float) -> float:
    """A height in pixels. Twice as high is as likely as half as high."""
    return float(np.exp(rng.uniform(np.log(least), np.log(most))))


def pick_entry(rng: np.random.Generator, entries: Sequence[Entry], height: float, length: int = 0) -> Entry:
    """An entry, of a number of this many digits unless 0, whose digits reach a height without much enlargement."""
    entries = [entry for entry in entries if length in (0, len(entry.label))] or entries
    large = [entry for entry in entries if LARGEST_ZOOM * measure_height(entry) >= height]
    large = large or sorted(entries, key=measure_height)[-3:]
    return large[int(rng.integers(len(large)))]


def _sample_part(entry: Entry, size: tuple[int, int], draw: int) -> Box:
    """A part beside an entry's number, clear of it, in pixels of its (width, height) picture."""
    around = expand_box(entry.source[1], CLEARANCE, size)
    return svhn_full.sample_background_box(f"{entry.name} {draw}", around, size)


def cut_part(rng: np.random.Generator, sources: Sources) -> Image.Image:
    """A part of a photo beside its number."""
    entry = sources.walls[int(rng.integers(len(sources.walls)))]
    picture = open_picture(entry.source[0])
    left, top, right, bottom = map(round, _sample_part(entry, picture.size, int(rng.integers(1000))))
    return picture.crop((left, top, right, bottom))


def cut_number(rng: np.random.Generator, entry: Entry, height: float) -> Layer:
    """A number with some of the wall around it, resized in one step so that its box is so many pixels high."""
    box = entry.source[1]
    picture = open_picture(entry.source[0])
    margin = rng.uniform(0.2, 0.6) * (box[3] - box[1])
    part = expand_pixels(box, margin, picture.size)
    image, inside = _resize_part(picture, part, box, height / (box[3] - box[1]))
    return Layer(image, blur_edges(rng, image.size, _find_room(inside, image.size)), (Number(entry.label, inside),))


def _resize_part(picture: Image.Image, part: Box, box: Box, factor: float) -> tuple[Image.Image, Box]:
    """A part of a picture, resized, and where a box of the picture lies in the result."""
    width, height = (max(2, round(factor * side)) for side in (part[2] - part[0], part[3] - part[1]))
    image = picture.resize((width, height), Image.Resampling.LANCZOS, part)
    across, down = width / (part[2] - part[0]), height / (part[3] - part[1])
    left, top, right, bottom = expand_pixels(box, 0.0, picture.size)
    return image, (
        across * (left - part[0]),
        down * (top - part[1]),
        across * (right - part[0]),
        down * (bottom - part[1]),
    )


def _find_room(box: Box, size: tuple[int, int]) -> Box:
    """Pixels between a box and each side of its picture."""
    return box[0], box[1], size[0] - box[2], size[1] - box[3]


def cut_digits(entry: Entry, height: float) -> Digits:
    """The digits of one of `Sources.apart`, resized in one step so that the highest is so many pixels high."""
    picture, boxes = open_picture(entry.source[0]), entry.boxes
    high = max(bottom - top for _, top, _, bottom in boxes)
    layers = []
    for index, (text, box) in enumerate(zip(entry.label, boxes, strict=True)):
        before = box[0] - boxes[index - 1][2] if index else np.inf
        after = boxes[index + 1][0] - box[2] if index + 1 < len(boxes) else np.inf
        margin = min(DIGIT_MARGIN * high, before / 2, after / 2)
        part = expand_pixels(box, margin, picture.size)
        image, inside = _resize_part(picture, part, box, height / high)
        mask = blur_edges(None, image.size, _find_room(inside, image.size))
        layers.append(Layer(image, mask, (Number(text, inside),)))
    return Digits(entry.label, layers, *_measure_wall(layers))


def _measure_wall(layers: Sequence[Layer]) -> tuple[np.ndarray, float]:
    """The colors at the upper and lower edge of each digit's layer, and the noise of the pixels there."""
    pixels = [np.asarray(layer.image, np.float32) for layer in layers]
    edges = [[each[rows] for each in pixels] for rows in (slice(2), slice(-2, None))]
    colors = [[np.median(edge, axis=(0, 1)) for edge in row] for row in edges]
    steps = [np.median(np.abs(np.diff(edge, axis=1))) for row in edges for edge in row]
    return np.rint(colors).astype(np.uint8), float(min(MOST_NOISE, np.median(steps)))
