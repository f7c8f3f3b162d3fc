"""A few digits of noise in the two forms in which MNIST is passed on."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from svhn.datasets.mnist import IDX_FILES

COUNTS = {"train": 60, "test": 12}


def packed_idx(values: np.ndarray) -> bytes:
    """The array as an idx file's content."""
    return b"\0\0\x08" + struct.pack(f">B{values.ndim}I", values.ndim, *values.shape) + values.tobytes()


def digits(source: str) -> tuple[np.ndarray, np.ndarray]:
    """Images of noise, no two alike, and labels of all ten digits."""
    rng = np.random.default_rng(list(COUNTS).index(source))
    return rng.integers(0, 256, (COUNTS[source], 28, 28), np.uint8), np.arange(COUNTS[source], dtype=np.uint8) % 10


def write_idx(folder: Path) -> Path:
    for source, names in IDX_FILES.items():
        for name, values in zip(names, digits(source), strict=True):
            (folder / name).write_bytes(packed_idx(values))
    return folder


def write_csv(folder: Path) -> Path:
    """Kaggle's two files: train.csv, and test.csv without labels."""
    header = [f"pixel{index}" for index in range(784)]
    for source, labeled in (("train", True), ("test", False)):
        images, labels = digits(source)
        numbered = zip(labels.astype(str).tolist(), images.reshape(-1, 784).astype(str).tolist(), strict=True)
        rows = [[label] * labeled + pixels for label, pixels in numbered]
        lines = [["label"] * labeled + header, *rows]
        (folder / f"{source}.csv").write_text("".join(",".join(line) + "\n" for line in lines))
    return folder
