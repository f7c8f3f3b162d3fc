"""A run: its folder, its options and the form of its records, in the one object that all rooms pass on."""

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
    """A network's training, planned or begun: where its files lie, its options, and the form of its records.

    Args:
        folder: the folder of config.json, history.json and the checkpoints.
        config: the options.
        records: the form of the records. Its counts of examples are empty where the records are not at hand.
    """

    folder: Path
    config: Config
    records: Info

    @property
    def input_size(self) -> Size:
        """Height and width of the network's input, in pixels: those of a record's image, or of a crop of it."""
        height, width = self.records.size
        if self.config.random_crop:
            return round(height * CROP_FRACTION), round(width * CROP_FRACTION)
        return height, width

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the network's input."""
        return (*self.input_size, 1 if self.config.grayscale else self.records.channels)

    def with_options(self, **options: Any) -> Self:
        """A copy of the run with other values for some options. Raises `UserError` for a value out of range."""
        return dataclasses.replace(self, config=dataclasses.replace(self.config, **options))
