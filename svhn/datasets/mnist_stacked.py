"""Rows of handwritten digits of MNIST. Each is turned and shifted in a cell of its own, so that no two touch.

The pictures are drawn from the seed while the records are written. Digits are read left to right, or top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from svhn.datasets import mnist
from svhn.datasets.formats.faults import suggest_copy
from svhn.datasets.mnist import MNIST, read_digits
from svhn.errors import UserError
from svhn.images import resize_crop
from svhn.spec import Augmentation, DatasetSpec, Entry, Size

PICTURES = {"train": 20_000, "valid": 2_000, "test": 5_000}
MNIST_SPLITS = {"train": "train", "valid": "train", "test": "test"}  # the split of MNIST that gives a source its digits
CELL_SIZE: Size = (64, 52)
BORDER = 1  # pixels at each side of a cell that stay without ink
SQUARE_SIDE = 40  # pixels, enough for a digit's 28 x 28 at any angle (their diagonal is 39.6)
MAX_ROTATION = 45.0  # degrees


class StackedDigits(NamedTuple):
    """The digits of a picture, and where they go.

    Args:
        digits: uint8 (n, 28, 28), light on dark.
        degrees: float64 (n,), counterclockwise rotation of each digit.
        places: int64 (n, 2), the top and left pixel of each digit's square.
        size: the picture's height and width, in pixels.
    """

    digits: np.ndarray
    degrees: np.ndarray
    places: np.ndarray
    size: Size


def list_entries(
    lengths: tuple[int, int], vertical: bool, data_dir: str | Path, source: str, seed: int = 0
) -> Iterator[Entry]:
    """Entries of random digits, with all lengths equally often. The same seed gives the same pictures.

    Args:
        lengths: fewest and most digits of a number.
        vertical: whether digits stand one above the other.
        data_dir: folder of MNIST's idx files.
        source: a key of `PICTURES`.
        seed: draws digits, rotations and places.

    Raises:
        UserError: MNIST's files can't be read, or hold too few digits.
    """
    images, labels = _read_own_digits(data_dir, source)
    rng = np.random.default_rng((seed, list(PICTURES).index(source)))
    dealt = _deal_digits(rng, len(images))
    for index in range(1, PICTURES[source] + 1):
        chosen = list(islice(dealt, int(rng.integers(lengths[0], lengths[1] + 1))))
        degrees = rng.uniform(-MAX_ROTATION, MAX_ROTATION, len(chosen))
        places = _draw_places(rng, len(chosen), lengths[1], axis=0 if vertical else 1)
        row = StackedDigits(images[chosen], degrees, places, _compute_natural_size(lengths[1], vertical))
        yield Entry(f"{source}/{index}", "".join(map(str, labels[chosen])), row)


def _deal_digits(rng: np.random.Generator, digits: int) -> Iterator[int]:
    """Indices of digits at random, without end. All come once before any comes again: a network sees all writers."""
    while True:
        yield from rng.permutation(digits).tolist()


def _draw_places(rng: np.random.Generator, digits: int, cells: int, axis: int) -> np.ndarray:
    """Each digit's place, int64 (digits, 2), in a cell of its own. A row with free cells begins anywhere.

    Args:
        cells: cells of the longest number.
        axis: 0 if the cells stand one above the other, 1 if they stand side by side.
    """
    places = BORDER + rng.integers(np.subtract(CELL_SIZE, SQUARE_SIDE + 2 * BORDER) + 1, size=(digits, 2))
    places[:, axis] += rng.integers((cells - digits) * CELL_SIZE[axis] + 1) + CELL_SIZE[axis] * np.arange(digits)
    return places


def _read_own_digits(data_dir: str | Path, source: str) -> tuple[np.ndarray, np.ndarray]:
    """The source's own digits, (n, 28, 28), and their labels, (n,): no digit appears in two sources.

    Raises:
        UserError: MNIST's file can't be read, or holds too few digits to be divided.
    """
    images, labels = read_digits(data_dir, MNIST_SPLITS[source])
    first_of_valid = len(images) * 11 // 12  # the last 5,000 of MNIST's 60,000
    part = {"train": slice(first_of_valid), "valid": slice(first_of_valid, None), "test": slice(None)}[source]
    if not len(images[part]):
        raise UserError(
            f"{data_dir}: MNIST's {MNIST_SPLITS[source]} has too few digits for {source}: {suggest_copy('mnist')}"
        )
    return images[part], labels[part]


def load_picture(entry: Entry, size: Size, _margin: float = 0.0) -> np.ndarray:
    """The picture, uint8 (height, width, 1), drawn at its natural size and then resized to `size`."""
    return resize_crop(_draw_digits(entry.source), size)[..., np.newaxis]


def _draw_digits(row: StackedDigits) -> Image.Image:
    height, width = row.size
    picture = Image.new("L", (width, height))
    for digit, degrees, (top, left) in zip(row.digits, row.degrees, row.places.tolist(), strict=True):
        picture.paste(rotate_digit(digit, degrees), (left, top))
    return picture


def rotate_digit(digit: np.ndarray, degrees: float) -> Image.Image:
    """The digit turned counterclockwise about its center, in a square of `SQUARE_SIDE` pixels."""
    before = (SQUARE_SIDE - len(digit)) // 2
    square = Image.fromarray(np.pad(digit, (before, SQUARE_SIDE - len(digit) - before)))
    return square.rotate(degrees, Image.Resampling.BICUBIC)


def is_present(data_dir: str | Path, source: str) -> bool:
    return mnist.is_present(data_dir, MNIST_SPLITS[source])


def compute_checksum(data_dir: str | Path, source: str) -> str:
    """MNIST's checksum after `dealt:`, which stands for this way of drawing digits."""
    return f"dealt:{mnist.compute_checksum(data_dir, MNIST_SPLITS[source])}"


def describe_digits(data_dir: str | Path, sources: Sequence[str]) -> Iterator[str]:
    """A line for each of MNIST's files that is read."""
    return mnist.describe_digits(data_dir, [MNIST_SPLITS[source] for source in sources])


def _compute_natural_size(cells: int, vertical: bool) -> Size:
    height, width = CELL_SIZE
    return (cells * height, width) if vertical else (height, cells * width)


def _count_cells(lengths: tuple[int, int], vertical: bool) -> Size:
    """Rows and columns of cells that training can shuffle. One cell, so no shuffling, if some may have no digit."""
    cells = lengths[1] if lengths[0] == lengths[1] else 1
    return (cells, 1) if vertical else (1, cells)


def _make_spec(name: str, lengths: tuple[int, int] = (4, 4), vertical: bool = False) -> DatasetSpec:
    """A data set of numbers from the fewest to the most digits, side by side or one above the other."""
    height, width = _compute_natural_size(lengths[1], vertical)
    return DatasetSpec(
        name=name,
        size=(height, width),
        margin=0.0,
        channels=1,
        max_length=lengths[1],
        fixed_length=lengths[0] == lengths[1],
        image_format="png",
        sources={source: MNIST.sources[split] for source, split in MNIST_SPLITS.items()},
        valid_from=(),  # each source is a split of its own, so that digits of train never appear in valid or test
        entries=partial(list_entries, lengths, vertical),
        load=load_picture,
        present=is_present,
        checksum=compute_checksum,
        describe=describe_digits,
        augmentation=Augmentation(  # of the whole picture. Stronger values push the outer digits out of it
            cells=_count_cells(lengths, vertical),
            rotation=3,
            scale=0.05,
            shear=0.1,
            shift=(2 / height, 2 / width),
            elastic=0.04,
        ),
        url=MNIST.url,
    )


MNIST_STACKED = _make_spec("mnist_stacked")
MNIST_STACKED_VERTICAL = _make_spec("mnist_stacked_vertical", vertical=True)
MNIST_STACKED_VARIED = _make_spec("mnist_stacked_varied", lengths=(1, 6))
