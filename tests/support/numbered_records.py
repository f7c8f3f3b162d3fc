"""A split of 37 examples in three shards, each labeled with its place, in pictures of noise; and batches of it."""

from __future__ import annotations

from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from svhn import records
from svhn.config import Config
from svhn.labels import decode_slots
from svhn.pipeline.batches import make_training_batches
from svhn.records import Split
from svhn.run import Run
from svhn.spec import Augmentation, Box, Info

EXAMPLES = 37
SIZE = (16, 32)
BATCH = 4
LABELS = [str(index) for index in range(EXAMPLES)]
STEPS = Augmentation(rotation=10, scale=0.2, shear=0.1, shift=(0.1, 0.1), contrast=0.3, brightness=0.2, inversion=0.5)
PIXELS = np.random.default_rng(0).integers(0, 256, (EXAMPLES, *SIZE, 3), np.uint8)
INFO = Info(
    dataset="svhn",
    size=SIZE,
    margin=0.3,
    channels=3,
    max_length=3,
    image_format="png",
    splits={"train": [13, 20, 4]},
    sizes={"train": [0, 0, 0]},
    lengths={"train": {"1": 10, "2": 27}},
    sources={},
    seed=0,
)

Batch = Any  # dict[str, np.ndarray], which as_numpy_iterator does not tell


def write_split(folder: Path) -> Split:
    """The i-th example is labeled i, named i.png and holds `PIXELS[i]`, which its digits are said to share."""
    (folder / "svhn").mkdir()
    encoded = (tf.io.encode_png(pixels).numpy() for pixels in PIXELS)
    serialized = (
        records.serialize_example(image, label, f"{label}.png", side_by_side(len(label)))
        for image, label in zip(encoded, LABELS, strict=True)
    )
    paths = records.get_shard_paths(folder, "svhn", "train", 3)
    written = [records.write_shard(path, islice(serialized, n)) for path, n in zip(paths, [13, 20, 4], strict=True)]
    assert written == INFO.splits["train"]
    return records.open_split(folder, INFO, "train")


def side_by_side(count: int) -> list[Box]:
    """The boxes of digits that share a picture."""
    return [(place / count, 0.0, (place + 1) / count, 1.0) for place in range(count)]


def config(**options: Any) -> Config:
    return Config(**{"batch_size": BATCH, "random_crop": False, **options})


def training(
    split: Split,
    batches: int,
    options: Config | None = None,
    start: int = 0,
    context: Any = None,
    steps: Augmentation = STEPS,
) -> list[Batch]:
    """The first batches of training, from the step `start` on."""
    ds = make_training_batches(Run(Path(), options or config(), INFO), split, steps, start, context)
    return list(islice(ds.as_numpy_iterator(), batches))


def labels(batches: list[Batch]) -> list[str]:
    return [decode_slots(slots) for batch in batches for slots in batch["digits"]]


def by_label(batches: list[Batch]) -> dict[str, np.ndarray]:
    return dict(zip(labels(batches), chain.from_iterable(batch["image"] for batch in batches), strict=True))


def assert_same(found: list[Batch], expected: list[Batch]) -> None:
    assert labels(found) == labels(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one["image"], other["image"], atol=0.01)
        np.testing.assert_array_equal(one["map"], other["map"])
