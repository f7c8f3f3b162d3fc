"""The reader of whole pictures: it searches each for numbers, and reads what it found."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image

from svhn.config import READER, Paths
from svhn.errors import Say, UserError
from svhn.images import hold_content, is_one_picture, open_reduced
from svhn.labels import Number, Reading
from svhn.reading import search
from svhn.reading.crops import read_detections
from svhn.reading.engine import Network, load_network
from svhn.reading.results import (
    READ_ERRORS,
    Finish,
    OnError,
    enlarge_reading,
    finish_picture,
    make_reading,
    name_source,
    take_reading,
)
from svhn.runtime.processes import count_cores
from svhn.threads import ThreadPool

FINDER_OPTIONS = ("threshold", "mixed_precision")  # options that the finder takes too; the others are the reader's
LOOKAHEAD = 4  # pictures per thread that `stream` takes before the first of them is read


class Reader:
    """Reads the numbers in any picture: a first network, the finder, locates them; a second one reads each box.

    Threads may share a reader. A process that was forked may go on with it, unless TensorFlow computes its networks.

    >>> svhn.Reader.load().read("door.jpg")
    [Reading('210', 0.98, box=(34.1, 20.5, 80.2, 48.0))]
    """

    def __init__(self, network: Network, finder: Network, threads: int | None = None) -> None:
        """Most callers use `load`.

        Args:
            network: reads crops of a record's size.
            finder: locates the numbers.
            threads: pictures that are read at once; None for as many as there are cores.

        Raises:
            UserError: `finder` is no finder, or the number of threads is not above 0.
        """
        if not finder.locates:
            raise UserError(f"--finder={finder.name} locates no numbers: name a run of the model finder")
        self.network, self.finder, self.threshold = network, finder, finder.threshold
        self.threads = count_cores() if threads is None else threads
        if self.threads < 1:
            raise UserError(f"--threads={threads}: expected a number above 0")
        self._pool = ThreadPool(self.threads, "svhn")

    @classmethod
    def load(
        cls,
        name: str = READER,
        finder: str = "finder",
        checkpoints_dir: str | Path = Paths.checkpoints_dir,
        *,
        results_dir: str | Path = Paths.results_dir,
        threshold: float | None = None,
        engine: str = "auto",
        threads: int | None = None,
    ) -> Self:
        """Load two runs, each at its best checkpoint. By default, they are the two that the package brings.

        Args:
            name: the run that reads.
            finder: the run that locates the numbers.
            checkpoints_dir: folder of the runs.
            results_dir: folder in which `svhn export` wrote files of the runs, if it did.
            threshold: least confidence of an answer, 0 to 1, in a small picture; None for the finder's own.
            engine: what computes the networks: `litert`, `onnx`, `tensorflow`, or `auto` for the fastest that can.
            threads: pictures that are read at once; None for as many as there are cores.

        Raises:
            UserError: a run does not exist, no engine can read it, `finder` is no finder, or a value is out of range.
        """
        paths = Paths(name=name, checkpoints_dir=str(checkpoints_dir), results_dir=str(results_dir))
        given = {} if threshold is None else {"threshold": threshold}
        return cls.from_runs(paths, finder, given, engine=engine, threads=threads)

    @classmethod
    def from_runs(
        cls,
        paths: Paths,
        finder: str = "finder",
        given: Mapping[str, Any] | None = None,
        checkpoint: str = "",
        engine: str = "auto",
        threads: int | None = None,
        say: Say = lambda _: None,
    ) -> Self:
        """As `load`, with any options.

        Args:
            paths: folders of the run that reads, and of its results.
            finder: the run that locates the numbers.
            given: options in place of the stored ones; the finder takes only those in `FINDER_OPTIONS`.
            checkpoint: the reader's, as `steps.resolve_step` takes it; "" for the best.
            engine, threads: as `load` takes them.
            say: prints a line where a run is read more slowly than it could be.

        Raises:
            UserError: as `load`.
        """
        from svhn.runs.stored import read_config

        given, finder_paths = given or {}, replace(paths, name=finder)
        for each in (paths, finder_paths):  # a wrong name is answered before a network is loaded
            read_config(each.run_folder)
        network = load_network(paths, given, checkpoint, engine, say)
        finder_options = {option: given[option] for option in FINDER_OPTIONS if option in given}
        locator = load_network(finder_paths, finder_options, "", engine, say)
        return cls(network, locator, threads=threads)

    def read(self, images: Any, on_error: OnError = "raise") -> list[Reading]:
        """Read each picture. Returns one `Reading` per picture, which holds all of its numbers and names the surest.

        Args:
            images: one picture or several, as `images.open_picture` takes them: paths, contents of files, open files,
                PIL images, or arrays. An array with four dimensions holds several pictures.
            on_error: `raise` raises the error of a picture that can't be read; `return` returns a `Reading` with it.

        Raises:
            OSError: a file is missing, damaged or not a picture.
            ValueError: a picture is too large, or of a type or shape that is not taken.
        """
        return list(self.stream([images] if is_one_picture(images) else images, on_error))

    def read_all(self, image: Any) -> list[Number]:
        """All numbers of one picture, in reading order. The picture is given as to `read`, whose errors are raised."""
        (reading,) = self.stream([image])
        return list(reading.numbers)

    def stream(
        self, images: Iterable[Any], on_error: OnError = "raise", finish: Finish | None = None
    ) -> Iterator[Reading]:
        """Read pictures as they come, several at once, and yield the readings in order. A few pictures are in memory.

        Args:
            images: the pictures, each as `read` takes one.
            on_error: as `read` takes it.
            finish: called with each picture as it was given, the same as an upright RGB picture, and its reading, in
                the thread that read it. For a JPEG that was reduced, both are of the reduced picture. An `OSError` or
                `ValueError` that it raises counts as the picture's; the `Reading` that is then returned has its number.

        Raises:
            OSError, ValueError: as `read`.
        """
        if on_error not in ("raise", "return"):
            raise ValueError(f"on_error={on_error!r}: expected 'raise' or 'return'")
        pending: deque[tuple[str, Future[Reading]]] = deque()
        try:
            for index, source in enumerate(images):
                pending.append((name_source(source, index), self._submit_source(source, finish, on_error)))
                if len(pending) >= LOOKAHEAD * self.threads:
                    yield take_reading(*pending.popleft(), on_error)
            while pending:
                yield take_reading(*pending.popleft(), on_error)
        finally:
            for _, future in pending:
                future.cancel()

    def read_video(self, video: Any, rate: float = 10.0, say: Say = lambda _: None) -> Iterator[Reading]:
        """Read a video file or a live stream. Yields a `Reading` per number, once the number has left the view.

        Each has one number, whose `seen` holds its times and frames; its confidence is that of all its frames. A video
        without any number gives one `Reading` without numbers.

        Args:
            video: a path, an address such as `rtsp://…`, the content of a file, or an open file.
            rate: frames a second that are read, at most; 0 for every frame. Of a live stream, the newest frame is read
                each time.
            say: prints a line when a live stream breaks. It is then opened again.

        Raises:
            OSError: the video can't be opened, or, after all that can be decoded was read, a part of it is damaged; a
                `PassingError` if a live stream can't be opened, or not again.
            ValueError: `video` is of another type, or its pictures are too long for their breadth.
            UserError: PyAV is missing, or the rate is below 0.
        """
        from svhn.reading.video import read_video

        return read_video(self, video, rate, say)

    def _submit_source(self, source: Any, finish: Finish | None, on_error: OnError) -> Future[Reading]:
        try:
            held = hold_content(source)  # the caller may close a file, or put the next frame into an array
        except READ_ERRORS as error:
            failed: Future[Reading] = Future()
            failed.set_exception(error)
            return failed
        return self._pool.get().submit(self._read_source, source, held, finish, on_error)

    def _read_source(
        self, source: Any, held: Any, finish: Finish | None, on_error: OnError, threshold: float | None = None
    ) -> Reading:
        picture = open_reduced(held)
        reading = self._read_picture(picture.image, map, threshold)
        if finish:
            reading = finish_picture(finish, source, picture.image, reading, on_error)
        return enlarge_reading(reading, picture)

    def submit(self, source: Any, threshold: float | None = None) -> Future[Reading]:
        """Have a thread read one picture, and return at once. The result raises the picture's errors, as `read` does.

        Args:
            source: the picture, as `read` takes one; it must not change until it is read.
            threshold: least confidence of an answer, 0 to 1, in a small picture; None for the reader's own.
        """
        return self._pool.get().submit(self._read_source, source, source, None, "raise", threshold)

    def read_one(self, image: Image.Image) -> Reading:
        """Read one RGB picture. The windows of a large picture are searched side by side."""
        return self._read_picture(image, self._pool.get().map)

    def _read_picture(self, image: Image.Image, each: search.Each, threshold: float | None = None) -> Reading:
        found = search.find_numbers(self._locate, image, self.finder.records.size, each)
        numbers = read_detections(self.network, image, found.detections)
        return make_reading(numbers, found.windows, self.threshold if threshold is None else threshold, image.size)

    def _locate(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs = self.finder.compute(images)
        return outputs["probability"], outputs["box"]
