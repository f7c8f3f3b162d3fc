"""A run: the one object that everything from wrangled records to a published model is given."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from svhn.config import Config
from svhn.spec import Info, Size

CROP_FRACTION = 27 / 32  # 54 of 64 pixels, as in Goodfellow et al. 2014 (arXiv 1312.6082)


@dataclass(frozen=True)
class Run:
    """A run: where it lies, its options, and the form of the records that it learns from.

    Args:
        folder: holds its config.json, its history and its checkpoints.
        config: its options.
        records: the form of its records; without counts of examples where the records are not at hand.
    """

    folder: Path
    config: Config
    records: Info

    @property
    def input_size(self) -> Size:
        """Height and width of the network's input, in pixels: a record's image, or the center that a crop leaves."""
        height, width = self.records.size
        if self.config.random_crop:
            return round(height * CROP_FRACTION), round(width * CROP_FRACTION)
        return height, width

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the network's input."""
        return (*self.input_size, 1 if self.config.grayscale else self.records.channels)

    def with_options(self, **options: Any) -> Self:
        """The same run with other options. Raises `UserError` for a value that an option can't have."""
        return dataclasses.replace(self, config=dataclasses.replace(self.config, **options))
