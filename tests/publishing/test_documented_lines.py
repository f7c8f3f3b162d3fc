"""The lines of docs/export.md that read a photo without TensorFlow read what `svhn.Reader` reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.numbered_wall import make_wall

import svhn
from svhn.cli import flags
from svhn.config import READER
from svhn.images import open_picture
from svhn.reading.windows import list_levels

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the converters
ROOT = Path(__file__).parents[2]
PHOTO = Image.open(ROOT / "svhn/examples/208.jpg").convert("RGB")


def turn(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown after a turn to the right
    PHOTO.transpose(Image.Transpose.ROTATE_90).save(path, "jpeg", quality=95, exif=exif)


def deepen(path: Path) -> None:
    Image.fromarray(np.asarray(PHOTO.convert("L")).astype(np.uint16) * 257).save(path, "png")


def make_transparent(path: Path) -> None:
    layer = PHOTO.convert("RGBA")
    layer.putalpha(Image.linear_gradient("L").resize(PHOTO.size))
    layer.save(path, "png")


def enlarge(path: Path) -> None:
    wall = Image.new("RGB", (4 * PHOTO.width, 4 * PHOTO.height), "gray")
    wall.paste(PHOTO, (PHOTO.width, 2 * PHOTO.height))
    wall.save(path, "jpeg", quality=95)


ODD_PICTURES: dict[str, Callable[[Path], object]] = {
    "plain": lambda path: PHOTO.save(path, "jpeg", quality=95),
    "turned by Exif": turn,
    "16 bits": deepen,
    "transparent": make_transparent,
    "gray": lambda path: PHOTO.convert("L").save(path, "jpeg", quality=95),
    "several windows": enlarge,
    "several numbers": lambda path: make_wall().save(path, "png"),
    "without a number": lambda path: Image.new("RGB", (300, 200), "white").save(path, "png"),
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands of the page were run."""
    folder = tmp_path_factory.mktemp("page")
    for name in (READER, "finder"):
        flags.main(["main.py", "--mode=export", f"--name={name}", "--format=onnx", f"--results_dir={folder}/results"])
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD_PICTURES)
def test_the_lines_read_what_the_package_reads(
    name: str, exported: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/export.md").read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(exported)
    ODD_PICTURES[name](Path("door.jpg"))
    capsys.readouterr()
    exec(lines, {})
    printed = capsys.readouterr().out.split()
    (reading,) = svhn.Reader.load(engine="onnx").read("door.jpg")
    assert len(reading.numbers) == {"without a number": 0, "several numbers": 3}.get(name, 1)
    assert printed == [word for number in reading.numbers for word in (number.text, str(number.confidence))]
    levels = list_levels(*open_picture("door.jpg").size)
    assert (sum(map(len, levels)) > 20) == name.startswith("several")
