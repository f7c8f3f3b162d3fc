"""Street View House Numbers, Format 2: single digits, cut out to 32 x 32 pixels. Neighboring digits are partly visible.

Netzer et al. 2011, Reading Digits in Natural Images with Unsupervised Feature Learning. For non-commercial use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from svhn import labels
from svhn.datasets.formats.faults import LayoutError, explain_faults
from svhn.datasets.svhn import SVHN
from svhn.errors import UserError
from svhn.images import resize_crop
from svhn.runtime import files
from svhn.spec import Archive, DatasetSpec, Entry, Size

PICTURE_SHAPE = (32, 32, 3)  # height, width, channels
LAYOUT = "X uint8 (32, 32, 3, n) and y, a row or a column of n numbers"


def list_entries(data_dir: str | Path, source: str, _seed: int = 0) -> Iterator[Entry]:
    """The digits of a source's file, in its order. An entry's source is its pixels, uint8 (32, 32, 3).

    Raises:
        UserError: the file is missing, damaged or not of Format 2; or SciPy is not installed.
    """
    pictures, digits = _read_arrays(data_dir, SVHN_CROPPED.sources[source][0])
    for index, value in enumerate(digits.tolist()):
        label, problem = _read_label(value)
        yield Entry(f"{source}/{index + 1}", label, pictures[..., index], problem)


def _read_label(value: float) -> tuple[str, str]:
    """The digit and "", or "" and the reason why it can't be used."""
    try:
        return labels.parse_svhn_label(value), ""
    except ValueError as error:
        return "", str(error)


def _read_arrays(data_dir: str | Path, archive: Archive) -> tuple[np.ndarray, np.ndarray]:
    """The pictures, uint8 (32, 32, 3, n), and their labels as stored, numbers (n,), where 10 stands for 0."""
    from svhn.datasets.formats.matlab5 import read_matlab5  # worker processes would slow down every command's start

    path = Path(data_dir) / archive.filename
    if not path.is_file():
        raise UserError(f"{path} is missing: run `svhn download --dataset=svhn_cropped`")
    with explain_faults(path, "svhn_cropped", archive):
        found = read_matlab5(path, ["X", "y"])
        missing = [name for name in ("X", "y") if name not in found]
        if missing:
            raise LayoutError(f"no {' and no '.join(missing)}", LAYOUT)
        digits = _flatten_labels(found["y"])
        return _check_pictures(found["X"], len(digits)), digits


def _flatten_labels(found: Any) -> np.ndarray:
    """Labels, a row or a column of numbers of any type, as an array (n,)."""
    plain = isinstance(found, np.ndarray) and found.dtype.kind in "uif"
    if not plain or max(found.shape) != found.size:
        raise LayoutError(f"y {found.dtype} {found.shape}{'' if plain else f' ({type(found).__name__})'}", LAYOUT)
    return found.ravel()


def _check_pictures(found: Any, count: int) -> np.ndarray:
    """Pictures, uint8 (32, 32, 3, n). MATLAB drops the last axis of an array of one picture."""
    single = count == 1 and found.shape == PICTURE_SHAPE
    shape = (*PICTURE_SHAPE, count)
    if found.dtype != np.uint8 or not (single or found.shape == shape):
        raise LayoutError(f"X {found.dtype} {found.shape}", f"uint8 {shape} for {count} labels")
    return found.reshape(shape)


def load_picture(entry: Entry, size: Size, _margin: float) -> np.ndarray:
    """The digit's pixels, uint8 (height, width, 3); unchanged if `size` is that of the published ones."""
    return resize_crop(Image.fromarray(entry.source), size)


def _get_archive_path(data_dir: str | Path, source: str) -> Path:
    return Path(data_dir) / SVHN_CROPPED.sources[source][0].filename


def is_present(data_dir: str | Path, source: str) -> bool:
    return _get_archive_path(data_dir, source).is_file()


def compute_checksum(data_dir: str | Path, source: str) -> str:
    return files.compute_sha256(_get_archive_path(data_dir, source))


def describe_arrays(data_dir: str | Path, sources: Sequence[str]) -> Iterator[str]:
    """A line for each file that is read."""
    for source in sources:
        yield f"{_get_archive_path(data_dir, source)}: pictures X of 32 x 32 pixels and labels y, where 10 stands for 0"


SVHN_CROPPED = DatasetSpec(
    name="svhn_cropped",
    size=PICTURE_SHAPE[:2],
    margin=0.0,
    channels=3,
    max_length=1,
    fixed_length=True,
    image_format="png",
    sources={  # sizes and sha256 as pinned by tensorflow/datasets
        "train": (
            Archive("train_32x32.mat", 182_040_794, "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
        ),
        "test": (
            Archive("test_32x32.mat", 64_275_384, "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
        ),
        "extra": (
            Archive(
                "extra_32x32.mat", 1_329_278_602, "a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3"
            ),
        ),
    },
    valid_from=("train", "extra"),
    entries=list_entries,
    load=load_picture,
    present=is_present,
    checksum=compute_checksum,
    describe=describe_arrays,
    # Digits of one picture follow one another in the file. With rows of 20, few validation examples have a digit of the
    # same picture in train.
    neighbors=20,
    # Color varies as for whole numbers. A horizontal shift would show more of the neighboring digits. Blurred or erased
    # pixels leave too little of 32 x 32: a residual network read 94.7 % of valid with them and 95.7 % without.
    augmentation=replace(
        SVHN.augmentation, rotation=8, scale=0.05, shear=0.1, shift=(0.1, 0.0), joining=0.0, blur=0.0, erasing=0.0
    ),
    url=SVHN.url,
)
