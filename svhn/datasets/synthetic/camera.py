"""A photo of a drawn wall: light, a lens out of focus, few pixels, noise and JPEG. Pixels are float32 in 0…255."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from svhn.datasets.synthetic.digits import DIGIT_HEIGHT
from svhn.datasets.synthetic.wall import to_image

LOG_HEIGHT = (3.43, 0.48)  # mean and deviation of ln(height in pixels) of SVHN's train digits; e^3.43 is 31 pixels
MIN_DIGIT_HEIGHT = 8.0  # pixels
BLUR_PROBABILITY = 0.55  # probability that a picture is out of focus


def take_photo(rng: np.random.Generator, pixels: np.ndarray) -> tuple[Image.Image, float]:
    """The photo, and its scale: its width over that of `pixels`, at most 1.

    Args:
        rng: draws light, focus, scale, noise and compression.
        pixels: the drawn wall, float32 (height, width, 3).
    """
    pixels = _add_light(rng, pixels)
    pixels = _add_haze(rng, pixels)
    picture = _blur_picture(rng, to_image(pixels))
    factor = min(1.0, max(MIN_DIGIT_HEIGHT, rng.lognormal(*LOG_HEIGHT)) / DIGIT_HEIGHT)
    picture = picture.resize((round(factor * picture.width), round(factor * picture.height)), Image.Resampling.BOX)
    picture = to_image(np.asarray(picture, np.float32) + make_sensor_noise(rng, picture.size))
    return (_compress_jpeg(rng, picture) if rng.random() < 0.5 else picture), factor


def _add_light(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Light that falls off to one side, on some walls with the edge of a shadow or with a glare."""
    height, width = pixels.shape[:2]
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)
    across, down = rng.normal(0, 0.1, 2)
    light = 1 + across * x + down * y
    if rng.random() < 0.12:
        angle, place, soft = rng.uniform(0, 2 * math.pi), rng.uniform(-0.7, 0.7), rng.uniform(0.01, 0.2)
        side = math.cos(angle) * x + math.sin(angle) * y - place
        light = light * (1 - rng.uniform(0.2, 0.6) * (0.5 + 0.5 * np.tanh(side / soft)))
    pixels = pixels * light[..., None].astype(np.float32)
    if rng.random() < 0.08:
        at_x, at_y, wide = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.1, 0.6)
        glare = np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / wide**2)
        pixels = pixels + rng.uniform(50, 200) * glare[..., None]
    return pixels


def _add_haze(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Less contrast, another brightness and a color cast."""
    exposure, cast = rng.normal(0, 18), rng.normal(0, 5, 3)
    pixels = 128 + (pixels - 128) * np.float32(rng.uniform(0.45, 1.05))
    return pixels + (exposure + cast).astype(np.float32)


def _blur_picture(rng: np.random.Generator, picture: Image.Image) -> Image.Image:
    """Blur the picture by focus, by a movement of the camera, by both or by none."""
    if rng.random() < BLUR_PROBABILITY:
        picture = picture.filter(ImageFilter.GaussianBlur(DIGIT_HEIGHT * min(0.12, rng.exponential(0.045))))
    if rng.random() < 0.12:
        dx, dy = np.rint(rng.normal(0, 0.03 * DIGIT_HEIGHT, 2)).astype(int).tolist()
        ends = ImageChops.offset(picture, dx, dy), ImageChops.offset(picture, -dx, -dy)
        picture = Image.blend(*ends, 0.5)
    return picture


def make_sensor_noise(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A sensor's noise for a (width, height) picture, float32 (height, width, 3).

    Most of it is common to a pixel's channels, and half as much is of each channel by itself.
    """
    strength = rng.exponential(3)
    common = rng.standard_normal((size[1], size[0], 1), np.float32)
    return strength * (common + 0.5 * rng.standard_normal((size[1], size[0], 3), np.float32))


def _compress_jpeg(rng: np.random.Generator, picture: Image.Image) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(rng.integers(25, 90)))
    return Image.open(file).convert("RGB")
