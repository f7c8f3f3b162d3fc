"""Short clips of the examples' numbers, written by real encoders, and what can be wrong with such files."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "svhn/examples"
SIZE = (208, 112)  # width and height
RATE = 10  # frames a second
CODECS = {
    ".mp4": "libx264",
    ".mov": "mjpeg",
    ".mkv": "libx264",
    ".webm": "libvpx",
    ".avi": "mpeg4",
    ".ts": "mpeg2video",
}


def show(name: str, frames: int) -> list[Image.Image]:
    """Frames of an example's number, which moves to the right; gray ones for no name."""
    if not name:
        return [Image.new("RGB", SIZE, "gray")] * frames
    picture = Image.open(EXAMPLES / f"{name}.jpg").convert("RGB").resize((SIZE[0] - 30, SIZE[1]))
    shown = []
    for frame in range(frames):
        shown.append(Image.new("RGB", SIZE, "gray"))
        shown[-1].paste(picture, (min(2 * frame, 30), 0))
    return shown


def write_clip(
    path: Path,
    frames: Sequence[Image.Image],
    rate: int = RATE,
    times: Sequence[float] | None = None,
    matrix: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    title: str = "",
) -> Path:
    """Write frames, each at its time in seconds or `rate` a second; `matrix` is how a player turns them."""
    with av.open(str(path), "w", options=options or {}) as container:
        container.metadata["title"] = title
        codec = CODECS[path.suffix]
        stream: Any = container.add_stream(codec, rate=rate)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000 if times else rate)
        stream.codec_context.gop_size = 5
        stream.bit_rate = 1_000_000
        if matrix:
            stream.set_display_matrix(matrix)
        for place, image in enumerate(frames):
            frame = av.VideoFrame.from_image(image)
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(1000 * times[place]) if times else place
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """A second of silence."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
