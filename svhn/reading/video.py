"""Videos and live streams: each number once, with the time in which it was in view."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from svhn.errors import Say, UserError
from svhn.labels import Number, Reading
from svhn.reading.files import is_live
from svhn.reading.frames import Damage, Frame, decode_frames, open_video, pick_frames, to_image
from svhn.reading.live import receive_frames
from svhn.reading.tracks import Tracker
from svhn.runtime.signals import Terminated

if TYPE_CHECKING:
    from PIL import Image

    from svhn.reading.reader import Reader

LONGEST = 300.0  # seconds after which a number that stays in view of a live stream is answered

Sight = tuple[Frame, Reading]  # a frame without its pixels, and what was read in it


def read_video(reader: Reader, source: Any, rate: float, say: Say) -> Iterator[Reading]:
    """As `Reader.read_video`, whose arguments these are."""
    if not 0 <= rate < math.inf:
        raise UserError(f"a rate of {rate:g} frames a second: expected a number above 0, or 0 for every frame")
    live = is_live(source)
    tracker, size = Tracker(LONGEST if live else math.inf), None
    try:
        for frame, reading in _watch_stream(reader, source, rate, say) if live else _read_file(reader, source, rate):
            size = reading.size or size
            ended = tracker.add(frame.place, frame.seconds, reading.numbers) if reading.size else tracker.finish()
            yield from _make_readings(ended, size)
    except (OSError, ValueError, KeyboardInterrupt, Terminated):
        yield from _make_readings(tracker.finish(), size)
        raise
    yield from _make_readings(tracker.finish(), size)
    if size is None:
        raise OSError("no frame of the video can be decoded")
    if not tracker.answered:
        yield Reading(size=size)


def _make_readings(numbers: Iterable[Number], size: tuple[int, int] | None) -> Iterator[Reading]:
    return (Reading((number,), size=size) for number in numbers)


def _read_file(reader: Reader, source: Any, rate: float) -> Iterator[Sight]:
    """The frames of a file, and their readings. Raises `OSError` at the end if any part is damaged."""
    damage, waiting = Damage(), deque[Frame]()
    with open_video(source) as (container, stream):
        stream.thread_type = "AUTO"  # a thread per core decodes
        frames = pick_frames(decode_frames(container, stream, damage), rate)
        for reading in reader.stream(_take_images(frames, waiting)):
            yield waiting.popleft(), reading
    if damage.places:
        places = f"{damage.places:,} place{'s' * (damage.places > 1)}"
        raise OSError(f"damaged in {places}, first at {damage.first}; all that can be decoded was read")


def _take_images(frames: Iterator[Frame], waiting: deque[Frame]) -> Iterator[Image.Image]:
    """The pictures of frames. Each frame, without its pixels, waits for its reading."""
    for frame in frames:
        waiting.append(frame._replace(pixels=None))
        yield to_image(frame)


def _watch_stream(reader: Reader, address: str, rate: float, say: Say) -> Iterator[Sight]:
    """The newest frame of a live stream, whenever the one before is read. A reading without a size is a break."""
    for frame in pick_frames(receive_frames(address, say), rate):
        yield frame._replace(pixels=None), reader.read_one(to_image(frame)) if frame.pixels else Reading()
