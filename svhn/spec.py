"""What a data set and a model are to the rest of the package: frozen records that hold values and functions."""

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
Point = tuple[float, float]  # x, y
Corners = tuple[Point, Point, Point, Point]  # of a box that may be turned: its top left, and clockwise from there
NOWHERE: Box = (0.0, 0.0, 0.0, 0.0)  # the box of a digit that is absent, or whose place is unknown
SCHEMA = 2  # of info.json and the records beside it
DRAWN = "DRAWN.txt"  # marks a folder whose pictures were drawn by this package, not published
SIDE = {"least": 1, "most": 9999}  # limits of a picture's height and width, as `runtime.schema` reads them
COUNT = {"least": 0, "most": 10**15}  # limits of a number of examples or bytes


class Entry(NamedTuple):
    """One labeled picture of a source, before its pixels are read.

    Args:
        name: its name in messages and tables, for example `train/1.png`.
        label: the number as digits, for example `"210"`.
        source: whatever the data set's `load` needs to read the pixels; picklable and small.
        problem: why the entry can't be used, or "" if it can.
        picture: a key shared by all entries that are cut from one picture. Such entries follow one another, and all
            of them go to the same split. "" for an entry with a picture of its own.
        boxes: the boxes of its digits, in the number's order, in pixels of the picture; empty if they are unknown.
    """

    name: str
    label: str
    source: Any
    problem: str = ""
    picture: str = ""
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Archive:
    """A file that a publisher serves: its name, and, if they are known, its size in bytes and its sha256."""

    filename: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Augmentation:
    """How training varies a picture. Values are drawn anew for every example; 0, or one cell, leaves a step out.

    Args:
        cells: rows and columns of equal cells. The cells are shuffled, and the label's digits with them. Only for
            numbers of fixed length in which each digit has a cell of its own.
        joining: probability that the next example's number is put to its right, if the slots hold both numbers.
        rotation: degrees, to either side.
        scale: natural logarithm of the largest zoom, in or out, of height and width independently.
        shear: horizontal shift per row, in pixels, to either side.
        slope: vertical shift per column, in pixels, up or down.
        inside: whether zoom and shift are limited so that a number whose boxes are known stays inside the picture.
        shift: largest shift as a share of the height and a share of the width, to either side.
        elastic: largest amplitude of the waves that move pixels across and down, as a share of the shorter side; they
            replace the smoothed random fields of Simard et al. 2003, Best Practices for Convolutional Neural
            Networks. Above 0.08 a picture may fold over itself.
        blur: how often 5 x 5 pixels are averaged at most, in half of the pictures. Once is a standard deviation of
            1.4 pixels, twice is 2 pixels.
        erasing: largest side of the square that is erased in half of the pictures, as a share of the height.
        saturation: largest relative change of the distance to gray.
        contrast: natural logarithm of the largest factor on the distance to the mean color.
        brightness: largest change, as a share of 255.
        tint: largest change of each color channel by itself, as a share of 255.
        inversion: probability of the negative, which turns dark digits on light ground into light digits on dark.
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
        margin: share of the box's height and width that is added on each side by default.
        channels: channels of a record's image: 1 or 3.
        max_length: digits of the longest number that is read.
        fixed_length: whether all its numbers have `max_length` digits. Networks then predict no length.
        longer: whether numbers of more digits are kept, too. Networks learn that they are too long.
        image_format: encoding of a record's pixels: `jpeg` (small) or `png` (exact).
        sources: the publisher's splits, each with its archives: a .tar.gz, which is unpacked, or files that are kept.
        valid_from: names of the `sources` that give a share of their examples to the split `valid`.
        entries: `(data_dir, source, seed)` to the source's entries. The seed matters only for generated entries.
            Raises `UserError` if the source can't be read.
        load: `(entry, size, margin)` to uint8 pixels (height, width, channels). Raises `OSError` or `ValueError`,
            with the reason, for a picture that can't be used.
        locate: `(entry, margin)` to the box of each digit, in shares of the width and height of the pixels that `load`
            returns. Raises the errors of `load`. None for a data set without boxes of digits.
        present: `(data_dir, source)` to whether the folder holds the source.
        checksum: `(data_dir, source)` to the sha256 of the files or values that define the source. If one source can
            come in two kinds of files, which divide the same examples differently, the kind and a colon come first.
        describe: `(data_dir, sources)` to lines for the user about what is read: which files, columns and units, and
            what lies beside them and is not read. Raises `UserError` if a source can't be read.
        pictures: `(data_dir, source)` to the folder in which the source's entries should name each picture. None if
            the files that `checksum` covers hold the pixels.
        path: `(entry)` to the path of its picture. None if the files that `checksum` covers hold the pixels.
        neighbors: entries in a row that may show parts of one picture. Validation takes or leaves them together.
        url: address of the folder that serves the archives; "" if nobody serves them.
        render: `(data_dir, pictures)` draws the sources, for a data set that is drawn and not fetched. `pictures` is
            the number of training pictures; 0 stands for the data set's own number.
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
    describe: Callable[[Path, Sequence[str]], Iterable[str]]
    locate: Callable[[Entry, float], Sequence[Box]] | None = None
    path: Callable[[Entry], str] | None = None
    pictures: Callable[[Path, str], Path] | None = None
    fixed_length: bool = False
    longer: bool = False
    neighbors: int = 1
    url: str = ""
    render: Callable[[Path, int], None] | None = None
    augmentation: Augmentation = Augmentation()


@dataclass(frozen=True)
class ModelSpec:
    """A model: how to build it, and the hyperparameters it is trained with unless flags change them.

    Args:
        name: its key in `MODELS`.
        build: `(image_shape, max_length, lengths)` to a functional model. Its input is float32 (batch, height, width,
            channels) in 0…255. Its output is a dict of float32 logits: `digits` (batch, max_length, 10) and, unless
            `lengths` is 0, `length` (batch, lengths): see `Info.length_classes`.
        parameters: number of its weights on the data set it was designed for.
        reference: the paper or page that describes it.
        dataset: the data set it was designed for.
        maps: names of layers with outputs (batch, height, width, channels). Training adds a layer to each of them that
            predicts which digit lies where, if the records have boxes of digits.
        pretrain: copies published weights into a new model's layers named `PRETRAINED`…; returns a line for the user.
        fit: `(model, images, digits, seed)` computes the weights at once, for a model without gradient descent. Images
            are float32 as the model gets them, digits int32 (examples, max_length). Returns a line for the user.
        defaults: the model's own values for fields of `Config`.
    """

    name: str
    build: Callable[[tuple[int, int, int], int, int], keras.Model]
    parameters: int
    reference: str
    dataset: str = "svhn"
    maps: tuple[str, ...] = ()
    pretrain: Callable[[keras.Model], str] | None = None
    fit: Callable[[keras.Model, np.ndarray, np.ndarray, int], str] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Info:
    """What a data set's records hold and how they were made; stored as `info.json`.

    Args:
        dataset: its key in `DATASETS`.
        size: height and width of the images, in pixels.
        margin: share of the box's height and width that was added on each side.
        channels: channels of the images: 1 or 3.
        max_length: slots of a label.
        image_format: encoding of the images: `jpeg` or `png`.
        splits: examples in each shard, by split.
        sizes: bytes of each shard, by split.
        lengths: examples by length of the number ("1", "2", …), by split.
        sources: checksum of each source, as `DatasetSpec.checksum` computes it.
        seed: the seed that drew the validation examples and the order.
        fixed_length: whether all numbers have `max_length` digits.
        longer: whether longer numbers were kept, as too long. Otherwise they were left out.
        schema: number of this layout of `info.json` and records.
        lost: corrupt records that `wrangle --salvage` left out, by split.
        encoders: what encoded the pictures, with its version, by split; none for records of earlier versions.
    """

    dataset: str
    size: tuple[int, int] = field(metadata=SIDE)
    margin: float = field(metadata={"least": 0, "most": 10})
    channels: int = field(metadata={"choices": (1, 3)})
    max_length: int = field(metadata={"least": 1, "most": 20})
    image_format: str = field(metadata={"choices": ("jpeg", "png", "")})  # "" where no records are at hand
    splits: Mapping[str, list[int]] = field(metadata=COUNT)
    sizes: Mapping[str, list[int]] = field(metadata=COUNT)
    lengths: Mapping[str, dict[str, int]] = field(metadata=COUNT)
    sources: Mapping[str, str]
    seed: int = field(metadata={"least": 0})
    fixed_length: bool = False
    longer: bool = False  # as in records of earlier versions
    schema: int = SCHEMA
    lost: Mapping[str, int] = field(default_factory=dict, metadata=COUNT)
    encoders: Mapping[str, str] = field(default_factory=dict)

    def has_split(self, split: str) -> bool:
        return sum(self.splits.get(split, [])) > 0

    def count_drawn(self, split: str) -> int:
        """Examples that the split held when it was written, before any of them was lost."""
        return sum(self.splits.get(split, [])) + self.lost.get(split, 0)

    @property
    def length_classes(self) -> int:
        """Classes of the length: 0 to `max_length`, and with `longer` one for all others; none of a fixed length."""
        return 0 if self.fixed_length else self.max_length + 1 + self.longer

    @property
    def form(self) -> dict[str, object]:
        """What a network trained on these records depends on."""
        names = ("dataset", "size", "margin", "channels", "max_length", "fixed_length", "longer")
        return {name: getattr(self, name) for name in names}

    @property
    def draw(self) -> dict[str, int]:
        """What identifies the draw of the training and validation examples. Lost records count as drawn."""
        return {"wrangle_seed": self.seed, **{name: self.count_drawn(name) for name in ("train", "valid")}}
