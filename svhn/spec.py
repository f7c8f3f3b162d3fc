"""What a data set and a model are to the rest of the system: frozen records, without behaviour of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # worker processes import this module and need neither TensorFlow nor Keras
    import keras
    import numpy as np


Size = tuple[int, int]  # height, width, in pixels
Box = tuple[float, float, float, float]  # left, top, right, bottom
NOWHERE: Box = (0.0, 0.0, 0.0, 0.0)  # of what is not there, or nobody knows where
SCHEMA = 2  # of records
DRAWN = "DRAWN.txt"  # in a folder of pictures that were drawn here and not published


class Entry(NamedTuple):
    """One labelled picture of a source, before its pixels are read.

    Args:
        name: what a report calls it, for example `train/1.png`.
        label: the number as digits, for example `"210"`.
        source: whatever the data set's `load` needs to read the pixels; picklable and small.
        problem: why the entry can't be used, or "" where nothing is wrong with it.
        picture: what entries that show one picture have in common; they come one after another, and validation takes
            them together. "" for an entry with a picture of its own.
        boxes: of its digits, in their order, in pixels of the picture; none where nobody knows them.
    """

    name: str
    label: str
    source: Any
    problem: str = ""
    picture: str = ""
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Archive:
    """A file that a publisher serves: its name, and its size in bytes and sha256 where they are known."""

    filename: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Augmentation:
    """How training varies a picture; drawn anew for every example; 0, or one cell, leaves a step out.

    Args:
        cells: rows and columns of equal cells that change places, each with its digit of the label; a picture of one
            cell stays as it is. For numbers of fixed length whose digits have a cell each.
        joining: probability that the number that follows is put to its right, where the slots hold both.
        rotation: degrees, to either side.
        scale: natural logarithm of the largest zoom, in or out, of height and width independently.
        shear: horizontal shift a row, in pixels a pixel, to either side.
        slope: vertical shift a column, in pixels a pixel, up or down.
        inside: whether a number whose place is known is kept whole: pictures are zoomed and shifted no further.
        shift: share of the height and share of the width, to either side.
        elastic: largest amplitude of the waves that move pixels across and down, as a share of the shorter side; they
            stand in for the smoothed random fields of Simard et al. 2003, Best Practices for Convolutional Neural
            Networks. Above 0.08 a picture may be folded.
        blur: most times that 5 x 5 pixels are averaged, for half of the pictures; a standard deviation of
            1.4 pixels once, of 2 twice.
        erasing: largest side of a square that half of the pictures lose, as a share of the height.
        saturation: largest relative change of the distance to grey.
        contrast: natural logarithm of the largest factor on the distance to the mean colour.
        brightness: largest change, of 255.
        tint: largest change of each colour channel on its own, of 255.
        inversion: probability of the negative: light digits on dark ground for dark ones on light.
    """

    cells: tuple[int, int] = (1, 1)
    joining: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    slope: float = 0.0
    inside: bool = False
    shift: tuple[float, float] = (0.0, 0.0)
    elastic: float = 0.0
    blur: float = 0.0
    erasing: float = 0.0
    saturation: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0
    tint: float = 0.0
    inversion: float = 0.0


@dataclass(frozen=True)
class DatasetSpec:
    """A data set: where it comes from, the shape of its records, and how an entry becomes pixels.

    Args:
        name: its key in `DATASETS`.
        size: height and width of a record's image by default.
        margin: share of the box's height and width that is added on each of its sides by default.
        channels: of a record's image: 1 or 3.
        max_length: digits of the longest number that is kept.
        fixed_length: whether all its numbers have `max_length` digits, so that a network need not find out how many.
        image_format: how a record holds the pixels: `jpeg` (small) or `png` (exact).
        sources: splits of the source, each with the archives that hold it: a .tar.gz, or files that stay as they are.
        valid_from: those of `sources` that give a share of their examples to the split `valid`.
        entries: `(data_dir, source, seed)` to its entries; the seed matters where they are generated. Raises
            `UserError` where the source can't be read.
        load: `(entry, size, margin)` to uint8 pixels (height, width, channels). Raises `OSError` or `ValueError`,
            with the reason, for a picture that can't be used.
        locate: `(entry, margin)` to the box of each of its digits, in shares of the width and height of the pixels that
            `load` gives; None where nobody knows them. Raises what `load` does.
        present: `(data_dir, source)` to whether the folder holds that source.
        checksum: `(data_dir, source)` to the sha256 of what defines the source; after a kind and a colon where sources
            of two kinds share examples.
        neighbors: entries in a row that may show parts of one picture; validation takes them together.
        url: folder that serves the archives; "" where there is none.
        render: `(data_dir, pictures)` makes the sources here, for a data set that is drawn rather than fetched; so many
            pictures for training, 0: as many as it has by itself.
        augmentation: how training varies its pictures.
    """

    name: str
    size: Size
    margin: float
    channels: int
    max_length: int
    image_format: str
    sources: Mapping[str, tuple[Archive, ...]]
    valid_from: tuple[str, ...]
    entries: Callable[[Path, str, int], Iterable[Entry]]
    load: Callable[[Entry, Size, float], np.ndarray]
    present: Callable[[Path, str], bool]
    checksum: Callable[[Path, str], str]
    locate: Callable[[Entry, float], Sequence[Box]] | None = None
    fixed_length: bool = False
    neighbors: int = 1
    url: str = ""
    render: Callable[[Path, int], None] | None = None
    augmentation: Augmentation = Augmentation()


@dataclass(frozen=True)
class ModelSpec:
    """A model: how to build it, and the hyper-parameters it is trained with unless flags say otherwise.

    Args:
        name: its key in `MODELS`.
        build: `(image_shape, max_length, fixed_length)` to a functional model. Its input is float32 (batch, height,
            width, channels) in 0…255; its output a dict of float32 logits: `digits` (batch, max_length, 10) and,
            unless the length is fixed, `length` (batch, max_length + 1).
        parameters: count on the data set it was designed for.
        reference: the paper or the page it comes from.
        dataset: the data set it was designed for.
        maps: layers whose outputs (batch, height, width, channels), of strides from 8 on, are to tell in training which
            digit lies where, if the data set knows.
        fit: `(model, images, digits, seed)` gives the model its weights at once, where no gradient descent does;
            images as the model gets them, digits int32 (examples, max_length). Returns a line that says what was found.
        defaults: values of those fields of `Config` in which its recipe differs.
    """

    name: str
    build: Callable[[tuple[int, int, int], int, bool], keras.Model]
    parameters: int
    reference: str
    dataset: str = "svhn"
    maps: tuple[str, ...] = ()
    fit: Callable[[keras.Model, np.ndarray, np.ndarray, int], str] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Info:
    """What a data set's records are.

    Args:
        size: height and width of the images, in pixels.
        margin: share of the box's height and width that was added on each of its sides.
        channels: of the images.
        max_length: digits of the longest number that was kept; slots of a label.
        fixed_length: whether all numbers have that many digits.
        splits: examples in each shard, by split.
        sizes: bytes of each shard, by split.
        lengths: examples by length of the number ("1", "2", …), by split.
        sources: sha256 of what each source was read from.
        seed: which drew the validation examples and the order.
        lost: corrupt records that salvaging left out, by split.
    """

    dataset: str
    size: tuple[int, int]
    margin: float
    channels: int
    max_length: int
    image_format: str
    splits: Mapping[str, list[int]]
    sizes: Mapping[str, list[int]]
    lengths: Mapping[str, dict[str, int]]
    sources: Mapping[str, str]
    seed: int
    fixed_length: bool = False
    schema: int = SCHEMA
    lost: Mapping[str, int] = field(default_factory=dict)

    def has_split(self, split: str) -> bool:
        return sum(self.splits.get(split, [])) > 0

    def count_drawn(self, split: str) -> int:
        """Examples that the split held when it was written, before any of them was lost."""
        return sum(self.splits.get(split, [])) + self.lost.get(split, 0)

    @property
    def form(self) -> dict[str, object]:
        """What a network trained on these records relies on."""
        names = ("dataset", "size", "margin", "channels", "max_length", "fixed_length")
        return {name: getattr(self, name) for name in names}

    @property
    def draw(self) -> dict[str, int]:
        """What tells one draw of the training and validation examples from another."""
        return {"wrangle_seed": self.seed, **{name: self.count_drawn(name) for name in ("train", "valid")}}
