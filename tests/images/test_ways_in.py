"""A picture has the same pixels on every way in: wrangling of each data set, reading and the web page.

`tests/publishing/test_pictures.py` compares the pixels in exported files with them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.odd_pictures import HEIGHT, ODD_PICTURES, WIDTH
from support.stub_reader import SEVERAL, SeeingReader

from svhn.datasets import DATASETS
from svhn.images import measure_picture, open_picture
from svhn.labels import Reading
from svhn.reading.web import render_response
from svhn.spec import Box, Entry

SIZE, WHOLE = (HEIGHT, WIDTH), (0.0, 0.0, float(WIDTH), float(HEIGHT))
SOURCES: dict[str, Callable[[str], Any]] = {  # of entries, by data set that reads files of pictures
    "svhn": lambda path: (path, WHOLE),
    "synthetic": lambda path: (path, WHOLE),
    "svhn_full": lambda path: (path, WHOLE, True),
    "svhn_arranged": lambda path: (path, WHOLE, None),
    "svhn_scenes": lambda path: (path, WHOLE, True, None),
    "folder": lambda path: (path, WHOLE, None),
}
FROM_PIXELS = {"svhn_cropped", "mnist", "mnist_stacked", "mnist_stacked_vertical", "mnist_stacked_varied"}


def wrangle(name: str) -> Callable[[str], np.ndarray]:
    return lambda path: DATASETS[name].load(Entry("1", "1", SOURCES[name](path)), SIZE, 0.0)


def read(path: str) -> np.ndarray:
    reader = SeeingReader()
    reader.read(path)
    return np.asarray(reader.seen[0])


def show(path: str) -> np.ndarray:
    seen: list[Image.Image] = []
    assert 'role="status"' in render_response(lambda image: seen.append(image) or Reading(SEVERAL), Path(path))
    return np.asarray(seen[0])


WAYS: dict[str, Callable[[str], np.ndarray]] = {name: wrangle(name) for name in SOURCES} | {"read": read, "web": show}


def test_every_data_set_is_among_the_ways() -> None:
    assert {*SOURCES, *FROM_PIXELS} == set(DATASETS)


@pytest.mark.parametrize("name", ODD_PICTURES)
def test_an_odd_picture_has_the_same_pixels_on_every_way_in(name: str, tmp_path: Path) -> None:
    odd, path = ODD_PICTURES[name], tmp_path / "1.png"
    path.write_bytes(odd.content)
    expected = np.asarray(open_picture(path))
    np.testing.assert_allclose(expected.astype(int), odd.pixels.astype(int), atol=odd.tolerance)
    for way, see in WAYS.items():
        np.testing.assert_array_equal(see(str(path)), expected, err_msg=way)


@pytest.mark.parametrize("name", ODD_PICTURES)
def test_a_picture_is_measured_as_it_is_opened(name: str) -> None:
    content = ODD_PICTURES[name].content
    assert measure_picture(content) == open_picture(content).size


def test_boxes_lie_in_the_picture_as_it_is_seen(tmp_path: Path) -> None:
    """In one that is stored on its side, too."""
    image, exif = Image.new("RGB", (WIDTH, HEIGHT)), Image.Exif()
    image.paste("white", (4, 2, 20, 6))
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "1.png", exif=exif)
    box: Box = (4, 2, 20, 6)
    for name in ("svhn", "svhn_full", "svhn_arranged", "svhn_scenes", "synthetic"):
        spec = DATASETS[name]
        assert spec.locate
        entry = Entry("1", "1", SOURCES[name](str(tmp_path / "1.png")), boxes=(box,))
        assert spec.locate(entry, 0.0) == [(4 / 24, 2 / 16, 20 / 24, 6 / 16)]
    pixels = DATASETS["svhn"].load(Entry("1", "1", (str(tmp_path / "1.png"), box)), (4, 16), 0.0)
    assert (pixels == 255).all()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_refused_on_every_way_in(tmp_path: Path) -> None:
    """To open it would take until somebody writes into it."""
    path = str(tmp_path / "1.png")
    os.mkfifo(path)
    for name in SOURCES:
        with pytest.raises(OSError, match="got a named pipe"):
            wrangle(name)(path)
    with pytest.raises(OSError, match="got a named pipe"):
        read(path)
    assert "got a named pipe" in render_response(lambda _: Reading(SEVERAL), Path(path))
