"""Files of pictures have the same pixels in an exported SavedModel as in the package."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support.odd_pictures import ODD_PICTURES

from svhn.images import open_picture, resize_crop
from svhn.publishing import pictures
from svhn.reading.crops import crop_number
from svhn.reading.windows import crop_window
from svhn.spec import Info, Size

decode: Any = tf.function(pictures.decode_picture, input_signature=[tf.TensorSpec((), tf.string)])


def draw_pixels(size: Size, channels: int = 3) -> np.ndarray:
    """Colored waves with noise, uint8 (*size, channels)."""
    rng, (height, width) = np.random.default_rng(0), size
    rows, columns = np.mgrid[:height, :width][..., None]
    waves = 127 + 100 * np.sin(rows / 7 + np.arange(channels)) * np.cos(columns / (5 + np.arange(channels)))
    return (waves + rng.normal(0, 15, (height, width, channels))).clip(0, 255).astype(np.uint8)


PIXELS = draw_pixels((61, 83), 4)  # no multiple of a JPEG's blocks
RGB, RGBA = Image.fromarray(PIXELS[..., :3]), Image.fromarray(PIXELS)
DEEP = np.random.default_rng(1).integers(0, 2**16, (20, 30, 4), np.uint16)


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def make_palette(bits: int, **options: Any) -> bytes:
    return encode(RGB.quantize(2**bits), "png", bits=bits, **options)


FILES = {
    "jpeg": encode(RGB, "jpeg"),
    "jpeg, all colors": encode(RGB, "jpeg", quality=95, subsampling=0),
    "jpeg, half the colors across": encode(RGB, "jpeg", subsampling=1),
    "jpeg, progressive": encode(RGB, "jpeg", progressive=True),
    "jpeg, poor": encode(RGB, "jpeg", quality=10),
    "jpeg, gray": encode(RGB.convert("L"), "jpeg"),
    "png": encode(RGB, "png"),
    "png, gray": encode(RGB.convert("L"), "png"),
    "png, black and white": encode(RGB.convert("1"), "png"),
    "png, 256 colors": make_palette(8),
    "png, 16 colors": make_palette(4),
    "png, 4 colors": make_palette(2),
    "png, 2 colors": make_palette(1),
    "png, transparent": encode(RGBA, "png"),
    "png, transparent gray": encode(RGBA.convert("LA"), "png"),
    "png, transparent, 256 colors": make_palette(8, transparency=bytes(range(256))),
    "png, transparent, 16 colors": make_palette(4, transparency=bytes(range(0, 160, 10))),
    "png, one transparent color": make_palette(4, transparency=3),
    "png, one transparent gray": encode(RGB.convert("L"), "png", transparency=127),
    "png, 16 bits": bytes(tf.io.encode_png(DEEP[..., :3]).numpy()),
    "png, 16 bits, gray": bytes(tf.io.encode_png(DEEP[..., :1]).numpy()),
    "png, 16 bits, transparent": bytes(tf.io.encode_png(DEEP).numpy()),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_pixels_that_the_package_gives_it(name: str) -> None:
    expected = np.asarray(open_picture(FILES[name]))
    assert len(np.unique(expected)) > 1
    np.testing.assert_array_equal(decode(FILES[name]), expected)


@pytest.mark.parametrize("name", [name for name, odd in ODD_PICTURES.items() if odd.exported])
def test_an_odd_file_has_the_pixels_that_the_package_gives_it(name: str) -> None:
    odd = ODD_PICTURES[name]
    expected, tolerance = np.asarray(open_picture(odd.content)).astype(int), 1 if "CMYK" in name else 0
    np.testing.assert_allclose(decode(odd.content).numpy().astype(int), expected, atol=tolerance)


def test_cmyk_has_the_pixels_that_the_package_gives_it_but_for_a_level() -> None:
    file = encode(RGB.convert("CMYK"), "jpeg")
    np.testing.assert_allclose(decode(file).numpy().astype(int), np.asarray(open_picture(file)), atol=1)


def test_the_rotation_of_a_camera_is_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = encode(RGB, "jpeg", exif=exif)
    assert open_picture(file).size == (61, 83)
    np.testing.assert_array_equal(decode(file), decode(FILES["jpeg"]))


@pytest.mark.parametrize("kind", ["bmp", "gif", "webp", "tiff", "text", "nothing"])
def test_other_files_are_refused_by_name(kind: str) -> None:
    content = {"text": b"\x89 is no picture at all", "nothing": b""}
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected the contents of JPEG or PNG files"):
        decode(content[kind] if kind in content else encode(RGB, kind))


@pytest.mark.parametrize("name", ["jpeg", "png", "png, 16 colors"])
@pytest.mark.parametrize("kept", [12, 0.5])
def test_a_damaged_file_is_refused(name: str, kept: float) -> None:
    content = FILES[name]
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode(content[: int(kept if kept > 1 else kept * len(content))])


@pytest.mark.parametrize(
    "size", [(1, 1), (2, 300), (301, 4), (23, 31), (57, 40), (31, 95), (57, 95), (114, 190), (613, 877)], ids=str
)
def test_a_picture_is_resized_as_the_package_does_it(size: Size) -> None:
    pixels = draw_pixels(size)
    expected = resize_crop(Image.fromarray(pixels), (57, 95)).astype(int)
    differences = np.abs(pictures.resize_picture(tf.constant(pixels), (57, 95)).numpy() - expected)
    assert differences.max() <= 1
    assert (differences > 0).mean() < 0.01  # at sums of exactly half a level, which are rounded after other errors


@pytest.mark.parametrize(
    ("size", "largest", "mean"),
    [((57, 95), 0, 0), ((200, 340), 1, 0.001), ((227, 379), 1, 0.01), ((228, 380), 5, 1.1), ((1000, 600), 7, 2.2)],
    ids=str,
)
def test_a_large_picture_is_resized_nearly_as_reading_does_it(size: Size, largest: int, mean: float) -> None:
    """From 4 times the result's size on, reading shrinks a picture in two steps."""
    pixels = draw_pixels(size)
    image = Image.fromarray(pixels)
    expected = crop_window(image, (0, 0, *image.size), (57, 95)).astype(int)
    differences = np.abs(pictures.resize_picture(tf.constant(pixels), (57, 95)).numpy() - expected)
    assert differences.max() <= largest
    assert differences.mean() <= mean
    assert (differences.max() > 1) == (largest > 1)


def test_a_gray_run_gets_the_gray_of_the_package() -> None:
    info = Info("svhn", (24, 40), 0.0, 1, 5, "png", {}, {}, {}, {}, seed=0)
    expected = crop_number(RGB, (0, 0, *RGB.size), info).astype(int)
    found = pictures.load_picture(tf.constant(FILES["png"]), (24, 40), 1)
    assert found.shape == (24, 40, 1)
    np.testing.assert_allclose(found.numpy(), expected, atol=1)
    exact = np.asarray(RGB.convert("L"))[..., None]
    np.testing.assert_array_equal(pictures.load_picture(tf.constant(FILES["png"]), exact.shape[:2], 1), exact)
