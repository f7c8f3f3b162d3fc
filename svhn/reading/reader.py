"""A run's readings of pictures that have no label: cut out already, or anything that shows a number."""

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

FINDER_OPTIONS = {"threshold", "mixed_precision"}  # options that hold for the network that finds
Infer = Callable[[np.ndarray], list[Reading]]


def _make_inference(network: Network, run: Run) -> Infer:
    """What a run reads in images, uint8 (batch, height, width, channels) of a record's size."""
    read = views.average_views(network, run)
    decode = tf.function(lambda batch: decoding.decode_outputs(read(batch)))
    return lambda images: decoding.list_readings(decode(tf.constant(images)))


def read_crops(network: Network, run: Run, images: Iterable[np.ndarray]) -> Iterator[Reading]:
    """The same of any number of images, each uint8 (height, width, channels)."""
    infer, images = _make_inference(network, run), iter(images)
    while batch := list(islice(images, run.config.batch_size)):
        missing = run.config.batch_size - len(batch)
        padded = np.pad(np.stack(batch), ((0, missing), (0, 0), (0, 0), (0, 0)))  # one shape: compiled once
        yield from infer(padded)[: len(batch)]


def crop_number(image: Image.Image, box: Box, info: Info) -> np.ndarray:
    """A box of an RGB picture as a record shows it: uint8 (height, width, channels)."""
    pixels = search.crop_window(image, expand_box(box, info.margin, image.size), info.size)
    return pixels if info.channels == 3 else np.asarray(Image.fromarray(pixels).convert("L"))[..., None]


class Reader:
    """Reads the number of any picture: a first network finds it, a second one reads what lies there.

    >>> svhn.Reader.load().read(["door.jpg"])
    [Reading(text='210', confidence=0.98, digit_confidences=(0.99, 0.99, 1.0), box=(34.1, 20.5, 80.2, 48.0))]
    """

    def __init__(self, infer: Infer, info: Info, locate: search.Locate, window: Size, threshold: float) -> None:
        """See `load`."""
        self.infer, self.info = infer, info
        self.locate, self.window, self.threshold = locate, window, threshold

    @classmethod
    def load(cls, name: str = "released", finder: str = "finder", checkpoints_dir: str | Path = "checkpoints") -> Self:
        """The reader of two runs, each at its best checkpoint; those that come with the package unless named.

        Raises:
            UserError: there is no such run, or its checkpoint can't be read.
        """
        folder = str(checkpoints_dir)
        return cls.from_runs(
            Paths(name=name, checkpoints_dir=folder).run_folder, Paths(name=finder, checkpoints_dir=folder).run_folder
        )

    @classmethod
    def from_runs(
        cls, folder: Path, finder_folder: Path, given: Mapping[str, Any] | None = None, checkpoint: str = ""
    ) -> Self:
        """As `load`, of two folders. `given` and `checkpoint` are the reader's; the finder takes `FINDER_OPTIONS`."""
        run, model = load_run(folder, given, checkpoint)
        finder, finder_model = load_run(
            finder_folder, {name: value for name, value in (given or {}).items() if name in FINDER_OPTIONS}
        )
        if "box" not in finder_model.output:
            raise UserError(f"{finder_folder} locates no numbers: name a run of the model finder by --finder")
        locate = search.make_locator(views.average_views(freeze_model(finder_model), finder))
        infer = _make_inference(freeze_model(model), run)
        return cls(infer, run.records, locate, finder.records.size, finder.config.threshold)

    def read(self, images: Any) -> list[Reading]:
        """What is read in each picture; `text` is "" where there is no number.

        Args:
            images: paths, bytes of files, PIL images, or arrays as in `pictures.opened`; or one of those.

        Raises:
            OSError, ValueError: one of them can't be read as a picture.
        """
        alone = isinstance(images, str | bytes | Path | Image.Image)
        alone = alone or (isinstance(images, np.ndarray) and images.ndim < 4)
        return [self.read_one(open_picture(image)) for image in ([images] if alone else images)]

    def read_one(self, image: Image.Image) -> Reading:
        """The same of one picture in RGB."""
        found = search.find_number(self.locate, image, self.window)
        if not search.is_sure(found, self.threshold):
            return Reading("", 1 - found.probability, ())
        return self.infer(crop_number(image, found.box, self.info)[None])[0]._replace(box=found.box)
