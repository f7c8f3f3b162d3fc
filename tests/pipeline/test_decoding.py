"""The pixels that a record's encoded picture gives, in training, in evaluation and by Pillow."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support.numbered_records import INFO, PIXELS, SIZE, config

from svhn import records
from svhn.pipeline.batches import decode_image, make_evaluation_batches, make_training_batches
from svhn.records import Split
from svhn.run import Run
from svhn.spec import Augmentation, Info


def encode(pixels: np.ndarray) -> bytes:
    """As wrangling encodes it."""
    file = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(file, "jpeg", quality=95, subsampling=0)
    return file.getvalue()


def make_run(info: Info, exact_jpeg: bool = True) -> Run:
    return Run(Path(), config(exact_jpeg=exact_jpeg, augment=False, batch_size=1), info)


@pytest.mark.parametrize(("channels", "image_format"), [(3, "jpeg"), (1, "jpeg"), (1, "png")])
@pytest.mark.parametrize("exact_jpeg", [True, False])
def test_pictures_are_decoded_with_the_records_channels(channels: int, image_format: str, exact_jpeg: bool) -> None:
    pixels = np.full((*SIZE, channels), 90, np.uint8)
    encoded = tf.io.encode_jpeg(pixels) if image_format == "jpeg" else tf.io.encode_png(pixels)
    info = dataclasses.replace(INFO, channels=channels, image_format=image_format)
    decoded = decode_image(encoded, make_run(info, exact_jpeg))
    assert decoded.dtype == tf.uint8
    np.testing.assert_allclose(decoded, pixels, atol=3)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_jpeg_has_the_pixels_that_the_runs_option_asks_for(channels: int) -> None:
    encoded = encode(PIXELS[0][..., :channels])
    info = dataclasses.replace(INFO, channels=channels, image_format="jpeg")
    exact, default = (decode_image(tf.constant(encoded), make_run(info, option)).numpy() for option in (True, False))
    by_pillow = np.asarray(Image.open(io.BytesIO(encoded))).reshape(*SIZE, channels)
    np.testing.assert_array_equal(exact, by_pillow)
    np.testing.assert_array_equal(default, tf.io.decode_jpeg(encoded, channels=channels))
    assert (default != by_pillow).any()


def test_training_and_evaluation_decode_as_the_option_asks(tmp_path: Path) -> None:
    info, split = write_jpeg_split(tmp_path)
    shown = {}
    for exact_jpeg in (True, False):
        run = make_run(info, exact_jpeg)
        (evaluated,) = make_evaluation_batches(run, split).as_numpy_iterator()
        (trained,) = make_training_batches(run, split, Augmentation()).take(1).as_numpy_iterator()
        np.testing.assert_allclose(trained["image"], evaluated["image"], atol=0.01)
        shown[exact_jpeg] = evaluated["image"][0]
    np.testing.assert_array_equal(shown[True], np.asarray(Image.open(io.BytesIO(encode(PIXELS[0])))))
    assert (shown[True] != shown[False]).any()


def write_jpeg_split(folder: Path) -> tuple[Info, Split]:
    """The split train of a single JPEG."""
    (path,) = records.get_shard_paths(folder, "svhn", "train", 1)
    path.parent.mkdir()
    records.write_shard(path, [records.serialize_example(encode(PIXELS[0]), "7", "7.png")])
    counts = {"splits": {"train": [1]}, "sizes": {"train": [path.stat().st_size]}, "lengths": {"train": {"1": 1}}}
    info = dataclasses.replace(INFO, image_format="jpeg", **counts)
    return info, records.open_split(folder, info, "train")


def test_records_of_an_unknown_format_are_not_decoded() -> None:
    info = dataclasses.replace(INFO, channels=3, image_format="")
    with pytest.raises(AssertionError, match="without the records"):
        decode_image(tf.constant(encode(PIXELS[0])), make_run(info))
