"""Records of single digits that any model can tell apart: each a bright square at a place of its own, in noise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from svhn import records
from svhn.config import Paths
from svhn.errors import Say
from svhn.run import Run
from svhn.runs import stored
from svhn.spec import Info
from svhn.training import loop

SIZE = (12, 12)
COUNTS = {"train": 100, "valid": 20, "test": 23}


def pictures(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Pictures of the digits, uint8 (digits, 12, 12, 1)."""
    images = np.random.default_rng(seed).integers(0, 60, (len(labels), *SIZE, 1), np.uint8)
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = divmod(label, 4)
        image[4 * row : 4 * row + 4, 3 * column : 3 * column + 3] += 180
    return images


def make_info(counts: Mapping[str, int] = COUNTS, **changes: Any) -> Info:
    splits = {name: [count] for name, count in counts.items()}
    fields = {"channels": 1, "max_length": 1, "fixed_length": True, "image_format": "png", **changes}
    return Info("mnist", SIZE, 0.0, splits=splits, sizes={}, lengths={}, sources={}, seed=0, **fields)


def write_digits(folder: Path, counts: Mapping[str, int] = COUNTS) -> Info:
    """Each split in one shard, its digits in turn, beneath `folder`/records."""
    (folder / "records/mnist").mkdir(parents=True)
    sizes = {}
    for seed, (split, count) in enumerate(counts.items()):
        (path,) = records.get_shard_paths(folder / "records", "mnist", split, 1)
        labels = np.arange(count) % 10
        encoded = (tf.io.encode_png(image).numpy() for image in pictures(labels, seed))
        rows = zip(encoded, labels, strict=True)
        records.write_shard(
            path, (records.serialize_example(image, str(label), f"{split}/{label}") for image, label in rows)
        )
        sizes[split] = [path.stat().st_size]
    info = make_info(counts)
    records.write_info(folder / "records", Info(**{**vars(info), "sizes": sizes}))
    return records.read_info(folder / "records", "mnist")


def paths_of(folder: Path, name: str = "demo") -> Paths:
    kinds = ("records", "checkpoints", "results")
    return Paths(name, log_dir=str(folder / "logs"), **{f"{kind}_dir": str(folder / kind) for kind in kinds})


def train_run(folder: Path, say: Say, name: str = "demo", **given: Any) -> Run:
    """Train a run on the folder's digits as they are, or go on with it."""
    info, paths = records.read_info(folder / "records", "mnist"), paths_of(folder, name)
    run = stored.begin_run(paths.run_folder, {"dataset": "mnist", "augment": False, **given}, info)
    loop.train_model(run, paths, say)
    return run


def train_readable_digits(folder: Path) -> None:
    """Digits beneath the folder, and the run `demo`, which reads all of them."""
    write_digits(folder)
    options = {"model": "shallow", "batch_size": 20, "lrate": 3e-3, "warmup_steps": 0, "num_steps": 60}
    train_run(folder, lambda _: None, **options, random_crop=False, average=0.0)
