"""Readers without networks: what one reads depends on the red of a picture's first pixel; another keeps pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image

from svhn.images import open_picture
from svhn.labels import Number, Reading, Refusal, list_corners
from svhn.reading.reader import Reader

BOX = (10.0, 5.0, 30.0, 15.04)
FOUND = Number("27", 0.8750004, (0.9, 0.95), list_corners(BOX))
TURNED = Number("8", 0.96, (0.96,), ((40.0, 20.0), (48.0, 26.0), (45.0, 30.0), (37.0, 24.0)))  # 10 x 5, by 37 degrees
SEVERAL = (FOUND, TURNED, Number("061", 0.6, (0.9, 0.8, 0.7), list_corners((2.0, 30.0, 26.0, 38.0))))
LONG = Number("", 0.75, (), list_corners(BOX), truncated=True)
# Levels of red: no number twice, the three of `SEVERAL`, and `LONG`; all others: `FOUND`.
REFUSED, EMPTY, THREE, MANY = 0, 1, 3, 4
Finish = Callable[[str, Image.Image, Reading], object]


def read(image: Image.Image) -> Reading:
    red, *_ = image.getpixel((0, 0))  # type: ignore[misc]
    if red == REFUSED:
        return Reading(refused=Refusal("61", 0.95, 0.98), size=image.size)
    if red == EMPTY:
        return Reading(refused=Refusal("", 0.0123456789, 0.6), size=image.size)
    return Reading({THREE: SEVERAL, MANY: (LONG,)}.get(red, (FOUND,)), size=image.size)


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
            reading = Reading()
            try:
                image = open_picture(source)
                reading = read(image)
                if finish:
                    finish(source, image, reading)
            except (OSError, ValueError) as error:
                reading = reading._replace(error=f"{source}: {error}")
            yield reading


class SeeingReader(Reader):
    """Keeps what its networks would see, and reads `SEVERAL` everywhere."""

    def __init__(self) -> None:
        anything: Any = SimpleNamespace(locates=True, threshold=0.5)
        super().__init__(anything, anything, threads=1)
        self.seen: list[Image.Image] = []

    def _read_picture(self, image: Image.Image, each: Any, threshold: float | None = None) -> Reading:  # noqa: ARG002
        self.seen.append(image)
        return Reading(SEVERAL, size=image.size)


def write_picture(path: Path, red: int = 2, size: tuple[int, int] = (60, 40)) -> Path:
    """A picture for the reader, in a folder that is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (red, 0, 0)).save(path)
    return path
