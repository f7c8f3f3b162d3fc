"""Street View House Numbers, Format 2: single digits, cut out to 32 x 32 pixels. Neighboring digits are partly visible.

Netzer et al. 2011, Reading Digits in Natural Images with Unsupervised Feature Learning. For non-commercial use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from svhn import labels
from svhn.datasets.svhn import SVHN
from svhn.errors import UserError, suggest_extra
from svhn.images import resize_crop
from svhn.runtime import files
from svhn.spec import Archive, DatasetSpec, Entry, Size

PICTURE_SHAPE = (32, 32, 3)  # height, width, channels
LAYOUT = "X uint8 (32, 32, 3, n) and y uint8 (n, 1)"
VERSION_BYTES = slice(124, 128)  # version and byte order in the header of a MATLAB file
MATLAB_5 = (b"\x00\x01IM", b"\x01\x00MI")  # little-endian and big-endian
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
HEADER_BYTES = 520  # read to tell the kinds apart: in a MATLAB 7.3 file, HDF5_MAGIC follows 512 bytes
DOWNLOAD = "run `python -m svhn.download --dataset=svhn_cropped`"


def list_entries(data_dir: str | Path, source: str, _seed: int = 0) -> Iterator[Entry]:
    """The digits of a source's file, in its order. An entry's source is its pixels, uint8 (32, 32, 3).

    Raises:
        UserError: the file is missing, damaged or not of Format 2; or SciPy is not installed.
    """
    pictures, digits = _read_matlab(_get_archive_path(data_dir, source))
    for index, value in enumerate(digits.tolist()):
        label, problem = _read_label(value)
        yield Entry(f"{source}/{index + 1}", label, pictures[..., index], problem)


def _read_label(value: int) -> tuple[str, str]:
    """The digit and "", or "" and the reason why it can't be used."""
    try:
        return labels.parse_svhn_label(value), ""
    except ValueError as error:
        return "", str(error)


def _read_matlab(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The pictures, uint8 (32, 32, 3, n), and their labels as stored, uint8 (n,), where 10 stands for 0."""
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise UserError(f"reading MATLAB 5 files needs SciPy: {suggest_extra('digits')}") from error
    _check_matlab_header(path)
    try:
        found = loadmat(path, variable_names=["X", "y"], spmatrix=False)
    except Exception as error:  # a damaged file makes SciPy raise almost anything, even UnboundLocalError
        raise UserError(f"{path} is damaged or cut short ({type(error).__name__}: {error}): {DOWNLOAD}") from error
    _check_variables(path, found)
    return found["X"], found["y"].ravel()


def _check_matlab_header(path: Path) -> None:
    """Raises `UserError` if the file is missing or does not begin as a MATLAB 5 file."""
    if not path.is_file():
        raise UserError(f"{path} is missing: {DOWNLOAD}")
    with path.open("rb") as file:
        start = file.read(HEADER_BYTES)
    if HDF5_MAGIC in start:
        remedy = f"save it again with MATLAB's `save -v7`, or {DOWNLOAD}"
        raise UserError(f"{path} is a MATLAB 7.3 file (HDF5), expected MATLAB 5: {remedy}")
    if start[VERSION_BYTES] not in MATLAB_5:
        raise UserError(f"{path} begins with {start[:16]!r}, expected a MATLAB 5 file: {DOWNLOAD}")


def _check_variables(path: Path, found: dict[str, np.ndarray]) -> None:
    """Raises `UserError` if the file does not hold the two arrays of Format 2."""
    missing = [name for name in ("X", "y") if name not in found]
    if missing:
        raise UserError(f"{path} has no {' and no '.join(missing)}, expected {LAYOUT}: {DOWNLOAD}")
    count = found["y"].size
    for name, shape in (("y", (count, 1)), ("X", (*PICTURE_SHAPE, count))):
        array = found[name]
        if array.dtype != np.uint8 or array.shape != shape:
            expected = f"expected uint8 {shape} for {count} labels"
            raise UserError(f"{path}: {name} is {array.dtype} {array.shape}, {expected}: {DOWNLOAD}")


def load_picture(entry: Entry, size: Size, _margin: float) -> np.ndarray:
    """The digit's pixels, uint8 (height, width, 3); unchanged if `size` is that of the published ones."""
    return resize_crop(Image.fromarray(entry.source), size)


def _get_archive_path(data_dir: str | Path, source: str) -> Path:
    return Path(data_dir) / SVHN_CROPPED.sources[source][0].filename


def is_present(data_dir: str | Path, source: str) -> bool:
    return _get_archive_path(data_dir, source).is_file()


def compute_checksum(data_dir: str | Path, source: str) -> str:
    return files.compute_sha256(_get_archive_path(data_dir, source))


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
