"""Reading a CSV of pixels, and writing the numbers in the form that Kaggle expects."""

from __future__ import annotations

from pathlib import Path

from svhn.errors import UserError
from svhn.reading.crops import read_crops
from svhn.reading.engine import Network
from svhn.runtime import files

BATCH_SIZE = 64  # images per call of the network


def write_submission(network: Network, source: Path, target: Path) -> int:
    """Read a CSV of pixels without labels, and write a CSV with the columns `ImageId,Label`.

    Images count from 1, in the order of the file. See kaggle.com/c/digit-recognizer.

    Args:
        network: the network of a run that reads single digits.
        source: the CSV of pixels.
        target: the CSV to write; on an error, an earlier file stays.

    Returns:
        The number of images.

    Raises:
        UserError: the source can't be read, source and target are the same file, or the run reads longer numbers.
    """
    from svhn.datasets.formats.pixel_csv import read_pixels

    if target.resolve() == source.resolve():
        raise UserError(f"--output={target} is the CSV to be read: name another file for the result")
    form = network.records
    if form.max_length != 1:
        raise UserError(
            f"{source} holds single digits, but the run {network.name} reads up to {form.max_length}: "
            "name a run of single digits with --name"
        )
    images = (pixels for _, pixels in read_pixels(source, form.size, channels=form.channels, labeled=False))
    rows = [(index, reading.text) for index, reading in enumerate(read_crops(network, images, BATCH_SIZE), start=1)]
    files.write_rows(target, ("ImageId", "Label"), rows)
    return len(rows)
