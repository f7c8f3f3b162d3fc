"""Readers without networks: what one reads depends on the red of a picture's first pixel; another keeps pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image

from svhn.images import open_picture
from svhn.labels import Reading, Refusal
from svhn.reading.reader import Reader

BOX = (10.0, 5.0, 30.0, 15.04)
NUMBER = Reading("1", 0.9, (0.9,), box=(1.0, 2.0, 3.0, 4.0))  # what `SeeingReader` reads everywhere
REFUSED, EMPTY = 0, 1  # levels of red; every other level stands for a number
Finish = Callable[[str, Image.Image, Reading], object]


def read(image: Image.Image) -> Reading:
    red, *_ = image.getpixel((0, 0))  # type: ignore[misc]
    if red == REFUSED:
        return Reading("", 0.0, (), refused=Refusal("61", 0.95, 0.98), size=image.size)
    if red == EMPTY:
        return Reading("", 0.0, (), refused=Refusal("", 0.0123456789, 0.6), size=image.size)
    return Reading("27", 0.8750004, (0.9, 0.95), BOX, size=image.size)


class StubReader:
    """Follows `Reader.stream`, and reads the pictures one after the other.

    Args:
        pause: seconds that a picture takes.
    """

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause

    def stream(self, images: Iterable[str], on_error: str = "raise", finish: Finish | None = None) -> Iterator[Reading]:
        assert on_error == "return"
        for source in images:
            time.sleep(self.pause)
            reading = Reading("", 0.0, ())
            try:
                image = open_picture(source)
                reading = read(image)
                if finish:
                    finish(source, image, reading)
            except (OSError, ValueError) as error:
                reading = reading._replace(error=f"{source}: {error}")
            yield reading


class SeeingReader(Reader):
    """Keeps what its networks would see."""

    def __init__(self) -> None:
        anything: Any = SimpleNamespace(locates=True, threshold=0.5)
        super().__init__(anything, anything, threads=1)
        self.seen: list[Image.Image] = []

    def _read_picture(self, image: Image.Image, each: Any) -> Reading:  # noqa: ARG002 - as the reader calls it
        self.seen.append(image)
        return NUMBER._replace(size=image.size)


def write_picture(path: Path, red: int = 2, size: tuple[int, int] = (60, 40)) -> Path:
    """A picture for the reader, in a folder that is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (red, 0, 0)).save(path)
    return path
