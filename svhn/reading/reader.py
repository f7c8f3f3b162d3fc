"""Reading pictures without labels: crops that show a number only, and whole pictures that have to be searched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import tensorflow as tf
from PIL import Image

from svhn.config import Paths
from svhn.errors import UserError
from svhn.evaluation import decoding, views
from svhn.images import expand_box, open_picture
from svhn.labels import Reading
from svhn.models.losses import Network
from svhn.reading import search
from svhn.run import Run
from svhn.runs.load import freeze_model, load_run
from svhn.spec import Box, Info, Size

FINDER_OPTIONS = {"threshold", "mixed_precision"}  # options that the finder takes too; the others are the reader's
Infer = Callable[[np.ndarray], list[Reading]]


def _make_inference(network: Network, run: Run) -> Infer:
    """A function that reads images of a record's size, uint8 (batch, height, width, channels)."""
    read = views.average_views(network, run)
    decode = tf.function(lambda batch: decoding.decode_outputs(read(batch)))
    return lambda images: decoding.list_readings(decode(tf.constant(images)))


def read_crops(network: Network, run: Run, images: Iterable[np.ndarray]) -> Iterator[Reading]:
    """Read any number of images of a record's size, each uint8 (height, width, channels), in batches as they come."""
    infer, images = _make_inference(network, run), iter(images)
    while batch := list(islice(images, run.config.batch_size)):
        missing = run.config.batch_size - len(batch)
        # The last batch is padded to the size of the others: TensorFlow compiles anew for each shape.
        padded = np.pad(np.stack(batch), ((0, missing), (0, 0), (0, 0), (0, 0)))
        yield from infer(padded)[: len(batch)]


def crop_number(image: Image.Image, box: Box, info: Info) -> np.ndarray:
    """Cut a box out of an RGB picture, with the margin, size and channels of a run's records.

    Args:
        image: the picture.
        box: the number's place: left, top, right and bottom, in pixels.
        info: the form of the run's records.

    Returns:
        uint8 (height, width, channels).
    """
    pixels = search.crop_window(image, expand_box(box, info.margin, image.size), info.size)
    return pixels if info.channels == 3 else np.asarray(Image.fromarray(pixels).convert("L"))[..., None]


class Reader:
    """Reads the number in any picture: a first network, the finder, locates the number; a second one reads the box.

    >>> svhn.Reader.load().read(["door.jpg"])
    [Reading(text='210', confidence=0.98, digit_confidences=(0.99, 0.99, 1.0), box=(34.1, 20.5, 80.2, 48.0))]
    """

    def __init__(self, infer: Infer, info: Info, locate: search.Locate, window: Size, threshold: float) -> None:
        """Most callers use `load`.

        Args:
            infer: reads crops of a record's size.
            info: the form of the reader's records.
            locate: the finder's function, from `search.make_locator`.
            window: height and width of the finder's input, in pixels.
            threshold: least probability, 0 to 1, at which a picture has a number.
        """
        self.infer, self.info = infer, info
        self.locate, self.window, self.threshold = locate, window, threshold

    @classmethod
    def load(cls, name: str = "released", finder: str = "finder", checkpoints_dir: str | Path = "checkpoints") -> Self:
        """Load two runs, each at its best checkpoint. By default, they are the two that the package brings.

        Args:
            name: the run that reads.
            finder: the run that locates the number.
            checkpoints_dir: folder of the runs.

        Raises:
            UserError: a run does not exist, its checkpoint can't be read, or `finder` is no finder.
        """
        folder = str(checkpoints_dir)
        return cls.from_runs(
            Paths(name=name, checkpoints_dir=folder).run_folder, Paths(name=finder, checkpoints_dir=folder).run_folder
        )

    @classmethod
    def from_runs(
        cls, folder: Path, finder_folder: Path, given: Mapping[str, Any] | None = None, checkpoint: str = ""
    ) -> Self:
        """As `load`, from the runs' folders.

        Args:
            folder: folder of the run that reads.
            finder_folder: folder of the run that locates the number.
            given: options in place of the stored ones; the finder takes only those in `FINDER_OPTIONS`.
            checkpoint: the reader's, as `steps.resolve_step` takes it; "" for the best.

        Raises:
            UserError: as `load`.
        """
        run, model = load_run(folder, given, checkpoint)
        finder, finder_model = load_run(
            finder_folder, {name: value for name, value in (given or {}).items() if name in FINDER_OPTIONS}
        )
        if "box" not in finder_model.output:
            raise UserError(f"--finder: {finder_folder} locates no numbers: name a run of the model finder")
        locate = search.make_locator(views.average_views(freeze_model(finder_model), finder))
        infer = _make_inference(freeze_model(model), run)
        return cls(infer, run.records, locate, finder.records.size, finder.config.threshold)

    def read(self, images: Any) -> list[Reading]:
        """Read each picture. Returns one `Reading` per picture, with `text` "" where there is no number.

        Args:
            images: one picture or several: paths, bytes of files, PIL images, or arrays, as `images.open_picture` takes
                them. An array with four dimensions holds several pictures.

        Raises:
            OSError: a file is missing, damaged or not a picture.
            ValueError: a picture is too large, or an array has another shape or type.
        """
        alone = isinstance(images, str | bytes | Path | Image.Image)
        alone = alone or (isinstance(images, np.ndarray) and images.ndim < 4)
        return [self.read_one(open_picture(image)) for image in ([images] if alone else images)]

    def read_one(self, image: Image.Image) -> Reading:
        """Read one RGB picture. Without a number, the confidence is the probability that there is none."""
        found = search.find_number(self.locate, image, self.window)
        if not search.is_sure(found, self.threshold):
            return Reading("", 1 - found.probability, ())
        return self.infer(crop_number(image, found.box, self.info)[None])[0]._replace(box=found.box)
