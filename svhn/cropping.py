"""Pictures cropped and encoded by several processes.

The processes import this module and not TensorFlow, which would cost each of them seconds and 400 MB.
"""

from __future__ import annotations

import io
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from svhn.spec import Entry, Size

ENCODINGS: dict[str, dict[str, Any]] = {"jpeg": {"quality": 95, "subsampling": 0}, "png": {}}


@contextmanager
def croppers(processes: int) -> Iterator[Any]:
    """An ordered, lazy `map`, over several processes if there is more than one."""
    if processes == 1:
        yield map
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy TensorFlow's threads in an unknown state
    with context.Pool(processes, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)) as pool:
        yield partial(pool.imap, chunksize=32)


def cropped(
    load: Callable[[Entry, Size, float], np.ndarray], size: Size, margin: float, image_format: str, entry: Entry
) -> bytes | str:
    """The entry's picture, cropped and encoded; or, as text, why it can't be used."""
    try:
        image = load(entry, size, margin)
    except (OSError, ValueError) as error:
        return str(error)
    buffer = io.BytesIO()
    Image.fromarray(image.squeeze()).save(buffer, image_format, **ENCODINGS[image_format])
    return buffer.getvalue()
