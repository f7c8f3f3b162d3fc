"""What comes of a picture that was given to the reader: its reading, or the error that ended it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Literal

from PIL import Image

from svhn.errors import PassingError
from svhn.images import Picture
from svhn.labels import Reading, enlarge_number

READ_ERRORS = (OSError, ValueError)  # of a picture that can't be opened; all others are faults of this package

OnError = Literal["raise", "return"]
Finish = Callable[[Any, Image.Image, Reading], object]


def name_source(source: Any, index: int) -> str:
    """The path of a picture, or its place among all pictures where it has none."""
    return os.fspath(source) if isinstance(source, str | os.PathLike) else f"picture {index}"


def enlarge_reading(reading: Reading, picture: Picture) -> Reading:
    """The reading of a reduced picture, with its boxes in pixels of the picture's file."""
    numbers = tuple(enlarge_number(number, picture.reduction) for number in reading.numbers)
    return reading._replace(numbers=numbers, size=picture.size)


def finish_picture(finish: Finish, source: Any, image: Image.Image, reading: Reading, on_error: OnError) -> Reading:
    """Call `finish`, and return the reading, with the error that it raised if it raised one."""
    try:
        finish(source, image, reading)
    except READ_ERRORS as error:
        if on_error == "raise":
            raise
        return reading._replace(error=str(error), passing=isinstance(error, PassingError))
    return reading


def take_reading(name: str, future: Future[Reading], on_error: OnError) -> Reading:
    """The result of a thread. Raises its error, with the picture's name, or returns a `Reading` with it."""
    try:
        reading = future.result()
    except READ_ERRORS as error:
        message = f"{name}: {error}"
        if on_error == "return":
            return Reading(error=message, passing=isinstance(error, PassingError))
        kinds = (FileNotFoundError, PassingError, OSError, ValueError)
        raise next(kind for kind in kinds if isinstance(error, kind))(message) from error
    return reading._replace(error=f"{name}: {reading.error}") if reading.error else reading
