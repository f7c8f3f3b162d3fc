"""Folders of pictures unlike SVHN's, each beside a JSON file of what its pictures show."""

from __future__ import annotations

import json
import shutil
import zlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.helpers.wild.kinds import KINDS
from benchmarks.helpers.wild.layers import Made
from benchmarks.helpers.wild.scores import Number, Truth
from benchmarks.helpers.wild.sources import Sources, list_sources
from svhn.runtime.files import write_json
from svhn.runtime.processes import count_cores, start_workers

SPLITS = ("test", "valid", "train")
WORTH_PROCESSES = 50  # pictures; fewer are made faster than worker processes start
QUALITIES = (60, 96)  # of JPEG, from the first to below the second


class WildFolder(NamedTuple):
    """A folder of pictures of one kind, and what each may be said to show, by its name."""

    folder: Path
    truths: dict[str, list[Truth]]


def make_folder(parent: Path, data_dir: Path, split: str, kind: str, count: int, seed: int) -> WildFolder:
    """The pictures of one kind, which are made unless they lie in the folder of their split, seed and count already.

    Raises:
        UserError: the split's pictures are missing.
    """
    folder = parent / f"{split}-{seed}-{count}" / kind
    file = folder.with_suffix(".json")
    if not file.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        save = partial(save_picture, folder, list_sources(data_dir, split), kind, seed)
        with start_workers(count_cores() if count >= WORTH_PROCESSES else 1) as parallel_map:
            write_json(file, dict(parallel_map(save, range(count))))
    return WildFolder(folder, _read_truths(file))


def _read_truths(file: Path) -> dict[str, list[Truth]]:
    document = json.loads(file.read_text(encoding="utf-8"))
    return {
        name: [[Number(text, tuple(box)) for text, box in truth] for truth in truths]
        for name, truths in document.items()
    }


def make_picture(sources: Sources, kind: str, seed: int, index: int) -> tuple[Made, np.random.Generator]:
    """A picture, and the generator that drew it. The kind, the seed and the index alone draw it, from the sources."""
    rng = make_rng(seed, kind, index)
    return KINDS[kind](rng, sources), rng


def make_rng(seed: int, kind: str, index: int) -> np.random.Generator:
    """The generator that draws a picture."""
    return np.random.default_rng((seed, zlib.crc32(kind.encode()), index))


def save_picture(
    folder: Path, sources: Sources, kind: str, seed: int, index: int
) -> tuple[str, tuple[tuple[Number, ...], ...]]:
    """Make and save a picture; returns its name and what it may be said to show."""
    made, rng = make_picture(sources, kind, seed, index)
    name = f"{index:05}{'.png' if made.lossless else '.jpg'}"
    made.image.save(folder / name, quality=int(rng.integers(*QUALITIES)))
    return name, made.truths
