"""Frames of videos: files and streams opened with PyAV, their damage, their times, and frames turned upright."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from PIL import Image

from svhn.errors import UserError, find_remote_error_type, shorten, suggest_extra
from svhn.images import import_fsspec, is_remote
from svhn.images.sources import open_content
from svhn.reading.outputs import format_time

MOST_PIXELS = 100_000_000  # of a frame, as of a picture
MISSING_SECONDS, MISSING_SHARE = 0.5, 0.01  # at a video's end, from both of which it counts as broken off
LIVE_OPTIONS = {
    "rtsp_transport": "tcp",  # by UDP, frames come in pieces
    "analyzeduration": "1000000",  # microseconds that FFmpeg looks at before the first frame; 5 s unless told
}
DECLARING = ("mov", "matroska", "avi")  # kinds of files, as FFmpeg calls them, that hold a video's length
# How a frame is turned, by the signs of a, b, c and d: the picture's pixel (x, y) is shown at (ax + cy, bx + dy).
TURNS = {
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}


class Frame(NamedTuple):
    """A frame of a video.

    Args:
        place: its place in the video, from 0.
        seconds: its time.
        pixels: PyAV's `VideoFrame`; None where a live stream broke, and where the pixels are not needed any more.
    """

    place: int
    seconds: float
    pixels: Any


@dataclass
class Damage:
    """What could not be decoded.

    Args:
        places: number of places.
        first: the time of the first place, and what was wrong there.
        reached: seconds of the video that have been decoded.
    """

    places: int = 0
    first: str = ""
    reached: float = 0.0

    def note(self, problem: object) -> None:
        """Count the place that has been reached."""
        self.first = self.first or f"{format_time(self.reached)} ({shorten(problem)})"
        self.places += 1


def import_av(source: object) -> Any:
    """The package that decodes videos. Raises `UserError` if it is missing."""
    try:
        import av
    except ImportError as error:
        raise UserError(f"{source}: videos are read with PyAV: {suggest_extra('video')}") from error
    return av


@contextmanager
def open_video(source: Any, timeout: float | None = None) -> Iterator[tuple[Any, Any]]:
    """PyAV's container of a video, and its video stream.

    Args:
        source: a path, the content of a file, an open file, or an address; one of a live stream if there is a timeout.
        timeout: seconds that a live stream may be silent; None for a file.

    Raises:
        OSError: the file is missing or no video, or the address does not answer.
        ValueError: `source` is of another type.
        UserError: a package is missing.
    """
    av = import_av(source if isinstance(source, str) else "a video")
    try:
        with _open_source(source, timeout) as opened, av.open(opened, "r", **_list_options(timeout)) as container:
            yield container, _choose_stream(container)
    except av.FFmpegError as error:
        raise OSError(_explain_error(av, error, timeout)) from error


@contextmanager
def _open_source(source: Any, timeout: float | None) -> Iterator[Any]:
    """What PyAV takes: an address, or else an open file, since FFmpeg takes `a:b.mp4` for an address."""
    if timeout is not None:
        yield source
    elif is_remote(source):
        with _open_remote(source) as file:
            yield file
    else:
        with open_content(source) as file:
            yield file


def _open_remote(address: str) -> Any:
    """An open file on another machine, of which only the parts that are needed are fetched."""
    opener = import_fsspec(address)
    try:
        return opener.open(address, "rb").open()
    except Exception as error:  # each file system raises errors of its own
        raise find_remote_error_type(error)(f"the video can't be fetched: {shorten(error)}") from error


def _list_options(timeout: float | None) -> dict[str, Any]:
    tags = {"metadata_errors": "replace"}  # PyAV refuses a file whose title is not UTF-8 unless told
    return tags if timeout is None else {**tags, "timeout": timeout, "options": LIVE_OPTIONS}


def _choose_stream(container: Any) -> Any:
    """The video's stream. A cover picture of music is none."""
    from av.stream import Disposition

    stream = container.streams.best("video")
    if stream is None or stream.disposition & Disposition.attached_pic:
        sound = " but sound" if container.streams.audio else ""
        raise OSError(f"the file holds no video{sound}")
    if stream.codec_context is None:
        raise OSError("PyAV has no decoder for its video: convert it, to H.264 for example")
    if stream.width * stream.height > MOST_PIXELS:
        size = f"{stream.width} x {stream.height}"
        raise OSError(f"its frames have {size} pixels, expected at most {MOST_PIXELS:,}: scale the video down")
    stream.codec_context.options = {"max_pixels": str(2 * MOST_PIXELS)}  # a size may change on the way, and has edges
    return stream


def _explain_error(av: Any, error: Any, timeout: float | None) -> str:
    if isinstance(error, av.error.ExitError):
        return f"no answer in {timeout:g} s"
    if isinstance(error, av.error.InvalidDataError | av.error.EOFError) and timeout is None:
        return "the file is no video, of no known kind, or without the part that says where its frames are"
    return shorten(error.strerror or error)


def decode_frames(container: Any, stream: Any, damage: Damage) -> Iterator[Frame]:
    """The frames in the order in which they are shown. What can't be decoded is noted, and left out.

    A time counts from the first frame. Where a frame has no time of its own, it follows the one before.
    """
    start = None
    for place, pixels in enumerate(_decode_packets(container, stream, damage)):
        start = (pixels.time or 0.0) if start is None else start
        seconds = damage.reached if pixels.time is None else max(0.0, pixels.time - start)
        if pixels.is_corrupt:
            damage.note("a damaged frame")
        else:
            yield Frame(place, seconds, pixels)
        damage.reached = seconds + _find_duration(pixels, stream)
    missing = _find_length(container, stream) - damage.reached
    if missing > MISSING_SECONDS and missing > MISSING_SHARE * damage.reached:
        damage.note(f"the video breaks off {format_time(missing)} before its end")


def _decode_packets(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
    av = import_av(container.name)
    try:
        for packet in container.demux(stream):
            try:
                decoded = packet.decode()
            except av.FFmpegError as error:
                damage.note(error.strerror)
            else:
                yield from decoded
    except av.error.InvalidDataError as error:
        damage.note(error.strerror)


def _find_duration(pixels: Any, stream: Any) -> float:
    """Seconds for which a frame is shown."""
    if pixels.duration and pixels.time_base:
        return float(pixels.duration * pixels.time_base)
    return 1 / float(stream.average_rate or 25)


def _find_length(container: Any, stream: Any) -> float:
    """Seconds that the file declares for its video; 0 if it declares none, where FFmpeg may guess."""
    if not container.format.name.startswith(DECLARING):
        return 0.0
    if stream.duration:
        return float(stream.duration * stream.time_base)
    try:
        hours, minutes, seconds = map(float, stream.metadata.get("DURATION", "").split(":"))
    except ValueError:
        return 0.0
    return 3600 * hours + 60 * minutes + seconds


def pick_frames(frames: Iterator[Frame], rate: float) -> Iterator[Frame]:
    """At most so many frames a second, by their times; all for a rate of 0."""
    last = None
    for frame in frames:
        slot = math.floor(frame.seconds * rate + 1e-6) if rate else frame.place
        if slot != last or frame.pixels is None:  # the slot goes back where a recording begins its times anew
            last = slot
            yield frame


def to_image(frame: Frame) -> Image.Image:
    """The frame in RGB, turned as the video's display matrix asks: phones film on their side."""
    image = frame.pixels.to_image()
    matrix = frame.pixels.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return image
    a, b, _, c, d, *_ = struct.unpack("<9i", bytes(matrix))
    turn = TURNS.get((_sign(a), _sign(b), _sign(c), _sign(d)))
    return image if turn is None else image.transpose(turn)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
