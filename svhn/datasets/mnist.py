"""MNIST: single handwritten digits, as its publishers' idx files or as Kaggle's train.csv.

LeCun, Bottou, Bengio and Haffner 1998, Gradient-Based Learning Applied to Document Recognition. The publishers' page no
longer serves the files, so they come from the mirror that torchvision uses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path

import numpy as np
from PIL import Image

from svhn.datasets.formats.csv_rows import describe_end
from svhn.datasets.formats.faults import FormatError, explain_faults, suggest_copy
from svhn.datasets.formats.idx import read_idx
from svhn.datasets.formats.pixel_csv import PixelRow, read_pixel_rows
from svhn.errors import UserError
from svhn.images import resize_crop
from svhn.runtime import files
from svhn.spec import Archive, Augmentation, DatasetSpec, Entry, Size

IMAGE_SIZE = (28, 28)
IDX_FILES = {  # files of images and of labels, by source
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
CSV_FILE = "train.csv"  # Kaggle's test.csv has no labels


def list_entries(data_dir: str | Path, source: str, _seed: int = 0) -> Iterator[Entry]:
    """The digits of a source, in the file's order. An entry's source is its pixels, uint8 (28, 28).

    Raises:
        UserError: a file is missing, damaged or not of MNIST; or the folder holds both idx files and Kaggle's CSV.
    """
    for index, (label, pixels, problem) in enumerate(_read_rows(Path(data_dir), source), start=1):
        yield Entry(f"{source}/{index}", label, pixels[..., 0], problem)


def _read_rows(folder: Path, source: str) -> Iterable[PixelRow]:
    """The digits of a source, from Kaggle's CSV where it holds the source, or else from the two idx files."""
    if _is_from_kaggle(folder, source):
        return read_pixel_rows(folder / CSV_FILE, IMAGE_SIZE, labeled=True)
    images, labels = read_digits(folder, source)
    return map(PixelRow, map(str, labels.tolist()), images[..., np.newaxis], repeat(""))


def read_digits(data_dir: str | Path, source: str) -> tuple[np.ndarray, np.ndarray]:
    """The images, uint8 (n, 28, 28) with light ink on black, and the labels, uint8 (n,), of a source's two idx files.

    Raises:
        UserError: a file is missing or damaged, or holds other shapes or labels.
    """
    images_path, labels_path = (_require_idx(Path(data_dir), stem) for stem in IDX_FILES[source])
    images, labels = _read_values(images_path, IMAGE_SIZE), _read_values(labels_path, ())
    if len(images) != len(labels):
        raise UserError(
            f"{images_path} has {len(images)} images and {labels_path} {len(labels)} labels, expected the same number: "
            f"{suggest_copy('mnist')}"
        )
    return images, labels


def _read_values(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The values of an idx file, uint8 (n, *shape); labels, of the shape (), from 0 to 9."""
    archives = {archive.filename: archive for archive in chain(*MNIST.sources.values())}
    with explain_faults(path, "mnist", archives.get(path.name)):
        values = read_idx(path)
        if values.shape[1:] != shape:
            found, wanted = (" x ".join(map(str, sides)) for sides in (values.shape, ("n", *shape)))
            raise FormatError(f"holds {found} values, expected {wanted}")
        if not shape and values.max() > 9:
            first = int(np.argmax(values > 9))
            raise FormatError(f"has {values[first]} as label {first + 1}, expected 0 to 9")
        return values


def _require_idx(folder: Path, stem: str) -> Path:
    path = _find_idx(folder, stem)
    if path is not None:
        return path
    command = "svhn download --dataset=mnist --data_dir="
    if (folder / CSV_FILE).is_file():  # idx files beside it would be refused, so they need another folder
        remedy = f"run `{command}FOLDER` with a folder of its own"
        raise UserError(f"{folder} has Kaggle's {CSV_FILE}, expected {stem}: {remedy}")
    raise UserError(f"{folder / stem} (or .gz) is missing: run `{command}{folder}`")


def _find_idx(folder: Path, stem: str) -> Path | None:
    """The idx file under any of its usual names: with - or . before idx, packed or not."""
    names = (name + suffix for name in (stem, stem.replace("-idx", ".idx")) for suffix in ("", ".gz"))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _is_from_kaggle(folder: Path, source: str) -> bool:
    """Whether the folder holds the source as Kaggle's CSV. Raises `UserError` if it holds idx files, too."""
    if not (folder / CSV_FILE).is_file():
        return False
    for stem in (stem for stems in IDX_FILES.values() for stem in stems):
        path = _find_idx(folder, stem)
        if path:
            raise UserError(
                f"{folder} has both {CSV_FILE} and {path.name}: Kaggle shuffled train and t10k together, so t10k holds "
                "pictures of train.csv: keep them in two folders, and name one with --data_dir"
            )
    return source == "train"


def is_present(data_dir: str | Path, source: str) -> bool:
    """Whether the folder holds a file of the source. `list_entries` reports a file that is missing beside it."""
    folder = Path(data_dir)
    return _is_from_kaggle(folder, source) or any(_find_idx(folder, stem) for stem in IDX_FILES[source])


def compute_checksum(data_dir: str | Path, source: str) -> str:
    """The sha256 of the CSV, or of the idx files' values, which don't depend on packing. The kind comes first.

    The kind tells the two divisions into train and test apart, which put the same digits into different sources.
    """
    folder = Path(data_dir)
    if _is_from_kaggle(folder, source):
        return f"kaggle:{files.compute_sha256(folder / CSV_FILE)}"
    digest = hashlib.sha256()
    for values in read_digits(folder, source):
        digest.update(values.data)
    return f"idx:{digest.hexdigest()}"


def describe_digits(data_dir: str | Path, sources: Sequence[str]) -> Iterator[str]:
    """A line for each file that is read."""
    folder = Path(data_dir)
    for source in dict.fromkeys(sources):
        if _is_from_kaggle(folder, source):
            yield f"{folder / CSV_FILE}: label and pixel0 to pixel783 of each digit"
            yield from describe_end(folder / CSV_FILE)
        else:
            for stem, content in zip(IDX_FILES[source], ("pictures", "labels"), strict=True):
                yield f"{_require_idx(folder, stem)}: {content} of {source}"


def load_picture(entry: Entry, size: Size, _margin: float) -> np.ndarray:
    """The digit's pixels, uint8 (height, width, 1); unchanged if `size` is that of the published ones."""
    return resize_crop(Image.fromarray(entry.source), size)[..., np.newaxis]


MNIST = DatasetSpec(
    name="mnist",
    size=IMAGE_SIZE,
    margin=0.0,  # the published digits have one: 20 x 20 pixels within 28 x 28
    channels=1,
    max_length=1,
    fixed_length=True,
    image_format="png",
    sources={  # sha256 as pinned by TensorFlow Datasets
        "train": (
            Archive(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            Archive(
                "train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
            ),
        ),
        "test": (
            Archive(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            Archive(
                "t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
            ),
        ),
    },
    valid_from=("train",),
    entries=list_entries,
    load=load_picture,
    present=is_present,
    checksum=compute_checksum,
    describe=describe_digits,
    augmentation=Augmentation(rotation=12, scale=0.12, shear=0.15, shift=(0.1, 0.1)),
    url="https://ossci-datasets.s3.amazonaws.com/mnist",
)
