"""Pictures of more pixels than are opened at once: JPEGs are decoded smaller, others refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.odd_pictures import save
from support.program import ROOT
from support.stub_reader import SEVERAL, SeeingReader

from svhn.datasets import DATASETS
from svhn.images import decoding, measure_picture, open_reduced
from svhn.spec import Entry

SIZE = (320, 160)
SIDEWAYS = Image.Exif()
SIDEWAYS[0x0112] = 6


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MEGAPIXELS", 0.03)
    monkeypatch.setattr(decoding, "REDUCED_MEGAPIXELS", 0.02)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)  # Pillow's own limit is twice as much


def draw_box() -> Image.Image:
    image = Image.new("RGB", SIZE)
    image.paste("white", (64, 32, 192, 96))
    return image


@pytest.mark.usefixtures("small_limits")
def test_a_large_jpeg_is_reduced_and_its_boxes_are_in_pixels_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(save(draw_box().transpose(Image.Transpose.ROTATE_90), "jpeg", exif=SIDEWAYS, quality=95))
    picture = open_reduced(path)
    assert (picture.size, picture.image.size, picture.reduction) == (SIZE, (160, 80), 2)
    assert measure_picture(path) == SIZE
    pixels = DATASETS["svhn"].load(Entry("1", "1", (str(path), (64, 32, 192, 96))), (32, 64), 0.0)
    assert pixels[2:-2, 2:-2].min() > 240
    reader, shown = SeeingReader(), []
    (reading,) = reader.stream([path], finish=lambda _, image, reading: shown.append((image.size, reading.numbers)))
    assert (reading.size, reading.numbers[0].box) == (SIZE, (20.0, 10.0, 60.0, 30.08))
    assert reading.numbers[1].corners == ((80.0, 40.0), (96.0, 52.0), (90.0, 60.0), (74.0, 48.0))
    assert shown == [((160, 80), SEVERAL)]


@pytest.mark.usefixtures("small_limits")
def test_a_large_jpeg_without_its_end_is_refused() -> None:
    """To see whether nothing but the marker is missing, it would have to be decoded at full size several times."""
    with pytest.raises(OSError, match="truncated"):
        open_reduced(save(draw_box(), "jpeg")[:-2])


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize(("side", "reduction"), [(282, 2), (283, 4), (565, 4), (566, 8), (1131, 8)])
def test_a_jpeg_is_reduced_no_more_than_it_has_to_be(side: int, reduction: int) -> None:
    assert open_reduced(save(Image.new("RGB", (side, side)), "jpeg")).reduction == reduction


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize(("kind", "side"), [("png", 190), ("bmp", 190), ("tiff", 142), ("jpeg", 1140)])
def test_other_large_pictures_are_refused_with_the_limit(kind: str, side: int) -> None:
    with pytest.raises(ValueError, match=r"expected at most 0\.03 million"):
        open_reduced(save(Image.new("RGB", (side, side)), kind))


@pytest.mark.usefixtures("small_limits")
def test_a_large_progressive_jpeg_is_refused() -> None:
    """Its coefficients are in memory at once, whatever the size of the result."""
    with pytest.raises(ValueError, match=r"expected at most .* not progressive"):
        open_reduced(save(Image.new("RGB", SIZE), "jpeg", progressive=True))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system doesn't tell a process's peak memory")
@pytest.mark.parametrize("size", [(12000, 9000), (16320, 12240)])
def test_photos_of_108_and_200_megapixels_take_less_than_400_megabytes(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", size, (90, 120, 60)).save(path, exif=SIDEWAYS)
    program = (
        "from svhn.images import open_reduced\n"
        f"picture = open_reduced({str(path)!r})\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM:'))\n"
        "print(*picture.size, picture.reduction, int(peak.split()[1]) // 1024)"
    )
    command = [sys.executable, "-c", program]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    height, width, reduction, megabytes = np.array(said.split(), int)
    assert (width, height) == size
    assert reduction in (2, 4)
    assert megabytes < 400
