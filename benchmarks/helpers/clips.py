"""Clips made from pictures: a shaking hand films a picture in poor light, and a real encoder compresses the frames."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from svhn.spec import Box

CLIP_SIZE = (192, 108)  # width and height in pixels
RATE = 25  # frames a second
EXPOSURES = 4  # moments that are averaged into a frame, whose shutter is open for half of its time
NUMBER_HEIGHTS = (22.0, 56.0)  # pixels of a number in the middle of its clip
SURROUNDINGS = 7  # widths and heights of a picture that are around the camera
SWAY = 0.7  # share of the free space beside the number that the camera moves over at most
TURN, ZOOM = math.radians(8), 0.25  # largest turn, and largest change of the scale
SHAKE = (1.0, 10.0)  # least and most pixels of the shaking
NOISE = (2.0, 12.0)  # least and most standard deviation of a frame's noise, in levels
QUALITIES = (22, 34)  # best and worst constant rate factor of the encoder


class Waves(NamedTuple):
    """A smooth random movement from -1 to 1: a sum of sines."""

    rates: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, slowest: float, fastest: float) -> Waves:
        """Three sines of so many turns a second."""
        return cls(rng.uniform(slowest, fastest, 3), rng.uniform(0, 2 * math.pi, 3))

    def at(self, seconds: float) -> float:
        return float(np.mean(np.sin(2 * math.pi * self.rates * seconds + self.phases)))


class Camera(NamedTuple):
    """Where the camera looks in a picture as time goes on."""

    center: tuple[float, float]
    scale: float
    sway: tuple[float, float]
    shake: float
    slow: tuple[Waves, ...]
    fast: tuple[Waves, ...]

    @classmethod
    def draw(cls, box: Box, rng: np.random.Generator) -> Camera:
        """A camera around the number's box, given in pixels of the picture."""
        left, top, right, bottom = box
        low, high = NUMBER_HEIGHTS
        scale = math.exp(rng.uniform(math.log(low), math.log(high))) / (bottom - top)
        scale = min(scale, 0.75 * CLIP_SIZE[0] / (right - left))
        free = CLIP_SIZE[0] - scale * (right - left), CLIP_SIZE[1] - scale * (bottom - top)
        slow = tuple(Waves.draw(rng, 0.2, 0.9) for _ in range(4))
        fast = tuple(Waves.draw(rng, 3, 9) for _ in range(3))
        sway = SWAY * free[0] / 2, SWAY * free[1] / 2
        return cls(((left + right) / 2, (top + bottom) / 2), scale, sway, rng.uniform(*SHAKE), slow, fast)

    def find_view(self, seconds: float) -> tuple[float, ...]:
        """The six numbers with which `Image.transform` maps a pixel of the frame to the picture."""
        x, y, turn, zoom = (wave.at(seconds) for wave in self.slow)
        strength = self.shake * self.fast[2].at(seconds / 4)  # the hand shakes now and then
        across = CLIP_SIZE[0] / 2 + x * self.sway[0] + strength * self.fast[0].at(seconds)
        down = CLIP_SIZE[1] / 2 + y * self.sway[1] + strength * self.fast[1].at(seconds)
        size = 1 / (self.scale * (1 + ZOOM * zoom))
        a, b = size * math.cos(TURN * turn), size * math.sin(TURN * turn)
        return a, b, self.center[0] - a * across - b * down, -b, a, self.center[1] + b * across - a * down


def film_picture(picture: Image.Image, box: Box, frames: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Frames of an RGB picture, uint8 (height, width, 3) of `CLIP_SIZE`, with its number always in view.

    Args:
        picture: the picture; what lies outside of it shows the colors of its edges.
        box: the number's box in it, in pixels.
        frames: number of frames.
        rng: draws the movement, the light and the noise.
    """
    stage, (left, top) = _hang_up(picture)
    camera = Camera.draw((box[0] + left, box[1] + top, box[2] + left, box[3] + top), rng)
    light, noise = Waves.draw(rng, 0.3, 2), rng.uniform(*NOISE)
    for frame in range(frames):
        moments = [(frame + 0.5 * part / EXPOSURES) / RATE for part in range(EXPOSURES)]
        views = [_look(stage, camera.find_view(moment)) for moment in moments]
        bright = np.mean(views, axis=0) * (0.85 + 0.15 * light.at(moments[0]))
        yield np.clip(bright + rng.normal(0, noise, bright.shape), 0, 255).astype(np.uint8)


def _hang_up(picture: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """The picture before a blurred copy of itself, into which its edges fade; and where its left and top are there."""
    width, height = picture.size
    soft = max(1, min(width, height) // 12)
    stage = picture.resize((SURROUNDINGS * width, SURROUNDINGS * height)).filter(ImageFilter.GaussianBlur(6 * soft))
    mask = Image.new("L", picture.size, 255)
    mask = ImageOps.expand(ImageOps.crop(mask, 2 * soft), 2 * soft, 0).filter(ImageFilter.GaussianBlur(soft))
    place = (SURROUNDINGS // 2 * width, SURROUNDINGS // 2 * height)
    stage.paste(picture, place, mask)
    return stage, place


def _look(stage: Image.Image, view: tuple[float, ...]) -> np.ndarray:
    """A moment's view. Two pixels are taken for each, so that a picture that becomes smaller is smoothed."""
    width, height = CLIP_SIZE
    a, b, x, c, d, y = view
    large = stage.transform(
        (2 * width, 2 * height),
        Image.Transform.AFFINE,
        (a / 2, b / 2, x, c / 2, d / 2, y),
        Image.Resampling.BILINEAR,
    )
    return np.asarray(large.resize(CLIP_SIZE, Image.Resampling.BOX), np.float32)


def write_clip(path: Path, frames: Iterator[np.ndarray], quality: int) -> None:
    """Write frames as H.264, with a constant rate factor: 18 is fine, 40 is coarse."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": str(quality), "preset": "veryfast"})
        stream.width, stream.height = CLIP_SIZE
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode())
