"""A CSV of pixels, read and saved as Kaggle expects it."""

from __future__ import annotations

from pathlib import Path

from svhn.datasets.formats.pixel_csv import read_pixels
from svhn.errors import UserError
from svhn.models.losses import Network
from svhn.reading.reader import read_crops
from svhn.run import Run
from svhn.runtime import files


def write_submission(network: Network, run: Run, source: Path, target: Path) -> int:
    """Read a CSV of pixels without labels, and write `ImageId,Label` as Kaggle expects it; returns how many.

    Raises:
        UserError: the CSV can't be read, or is what would be written, or the run doesn't read single digits.
    """
    if target.resolve() == source.resolve():
        raise UserError(f"--output={target} is the file that is read: name another")
    form = run.records
    if form.max_length != 1:
        raise UserError(f"this run reads numbers of up to {form.max_length} digits, and {source} holds single ones")
    images = (pixels for _, pixels in read_pixels(source, form.size, channels=form.channels, labeled=False))
    rows = [(index, reading.text) for index, reading in enumerate(read_crops(network, run, images), start=1)]
    files.write_rows(target, ("ImageId", "Label"), rows)
    return len(rows)
