"""Pictures with a white ground and a rectangle for each digit, whose gray gives the digit, and their labels.

The files below tests/datasets/labels hold the labels of these pictures: see tests/support/label_writers.py.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageOps

from svhn.datasets import DATASETS
from svhn.spec import Box, Entry

LABELS = Path(__file__).parents[1] / "datasets/labels"
SPEC = DATASETS["folder"]
ORIENTATION, TURNED = 0x0112, 6  # the Exif tag, and its value for a picture that is stored lying on its left side
RIM = 4  # pixels around a number's crop
OWN_NAMES: Mapping[str, str] = MappingProxyType({})


class Scene(NamedTuple):
    """A picture: its name, its width and height as it is seen, and the boxes of each number's digits."""

    name: str
    size: tuple[int, int]
    numbers: dict[str, list[Box]]


SCENES = (
    Scene("a.png", (120, 60), {"208": [(10, 10, 26, 40), (30, 12, 46, 42), (50, 10, 66, 40)]}),
    Scene("lying.jpg", (60, 120), {"17": [(8, 80, 20, 104), (24, 80, 40, 104)]}),
    Scene("more/b.png", (80, 40), {"5": [(30, 8, 46, 32)]}),
    Scene("two.png", (200, 60), {"12": [(4, 10, 16, 34), (20, 10, 32, 34)], "3": [(150, 10, 162, 34)]}),
    Scene("bare.png", (50, 40), {}),
)


def draw_scenes(folder: Path, names: Mapping[str, str] = OWN_NAMES) -> None:
    """Write the pictures of `SCENES` below a folder; `names` gives some of them other names."""
    for scene in SCENES:
        pixels = np.full((scene.size[1], scene.size[0], 3), 255, np.uint8)
        for number, boxes in scene.numbers.items():
            for digit, (left, top, right, bottom) in zip(number, boxes, strict=True):
                pixels[int(top) : int(bottom), int(left) : int(right)] = 20 + 20 * int(digit)
        _save(Image.fromarray(pixels), folder / names.get(scene.name, scene.name), lies=scene.name == "lying.jpg")


def _save(picture: Image.Image, path: Path, *, lies: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not lies:
        picture.save(path)
        return
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    picture.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=98, subsampling=0)


def draw_crops(folder: Path) -> None:
    """Write a picture of each number alone, `208.png`, with a white rim, and `bare.png` without any number."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as drawn:
        draw_scenes(Path(drawn))
        for scene in SCENES:
            with Image.open(Path(drawn, scene.name)) as stored:
                upright = ImageOps.exif_transpose(stored)
            for number, boxes in scene.numbers.items():
                upright.crop(_widen(surround(boxes))).save(folder / f"{number}.png")
    Image.new("RGB", (50, 40), "white").save(folder / "bare.png")


def check_crops(folder: Path, crops: str = "crops") -> None:
    """Each picture of `draw_crops` is read whole, and shows the digits of its label."""
    found = {entry.label: entry for entry in read_entries(folder)}
    boxes = {number: each for scene in SCENES for number, each in scene.numbers.items()}
    assert set(found) == set(boxes)
    for number, entry in found.items():
        assert (entry.problem, entry.picture, entry.source[1]) == ("", f"{crops}/{number}.png", None)
        pixels = SPEC.load(entry, (60, 120), 0.0)
        assert _read_levels(pixels, boxes[number], _widen(surround(boxes[number]))) == number


def _widen(box: Box) -> Box:
    return box[0] - RIM, box[1] - RIM, box[2] + RIM, box[3] + RIM


def read_entries(folder: Path, source: str = "train") -> list[Entry]:
    return list(SPEC.entries(folder, source, 0))


def describe_folder(folder: Path) -> str:
    return "\n".join(SPEC.describe(folder, ["train"]))


def check_scenes(folder: Path, names: Mapping[str, str] = OWN_NAMES) -> None:
    """Each number of the scenes is read, without a problem, and its crop shows its digits."""
    found = {(entry.picture, entry.label): entry for entry in read_entries(folder)}
    assert [entry.problem for entry in found.values()] == [""] * len(found)
    assert set(found) == {(names.get(scene.name, scene.name), number) for scene in SCENES for number in scene.numbers}
    for scene in SCENES:
        for number, boxes in scene.numbers.items():
            entry = found[names.get(scene.name, scene.name), number]
            assert entry.source[1] == pytest.approx(surround(boxes))
            for box, expected in zip(entry.boxes, boxes, strict=False):  # boxes of digits may be unknown
                assert box == pytest.approx(expected)
            assert _read_levels(SPEC.load(entry, (60, 120), 0.0), boxes, surround(boxes)) == number


def surround(boxes: list[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _read_levels(crop: np.ndarray, boxes: list[Box], around: Box) -> str:
    """The digits whose levels a crop of the box `around` has in the middle of their boxes."""
    (height, width, _), read = crop.shape, ""
    for left, top, right, bottom in boxes:
        column = ((left + right) / 2 - around[0]) / (around[2] - around[0]) * width
        row = ((top + bottom) / 2 - around[1]) / (around[3] - around[1]) * height
        read += str(round((float(crop[int(row), int(column)].mean()) - 20) / 20))
    return read


def list_rectangles(scene: Scene) -> list[dict[str, Any]]:
    """Label Studio's results for a rectangle per digit."""
    pairs = [pair for number, boxes in scene.numbers.items() for pair in zip(number, boxes, strict=True)]
    return [make_result(scene, box, f"digit{key}", "rectanglelabels", [text]) for key, (text, box) in enumerate(pairs)]


def list_transcriptions(scene: Scene) -> list[dict[str, Any]]:
    """Label Studio's results for a rectangle per number, its class, and its text: three results of one id."""
    results = []
    for key, (number, boxes) in enumerate(scene.numbers.items()):
        values = {"rectangle": None, "labels": ["Number"], "textarea": [number]}
        results += [make_result(scene, surround(boxes), f"n{key}", kind, each) for kind, each in values.items()]
    return results


CONTROLS = {"rectanglelabels": "label", "rectangle": "bbox", "labels": "label", "textarea": "transcription"}


def make_result(
    scene: Scene, box: Box, key: str, kind: str, values: list[str] | None, turn: float = 0
) -> dict[str, Any]:
    """One result of Label Studio, in percent of the picture."""
    (width, height), (left, top, right, bottom) = scene.size, box
    sides = {
        "x": 100 * left / width,
        "y": 100 * top / height,
        "width": 100 * (right - left) / width,
        "height": 100 * (bottom - top) / height,
        "rotation": turn,
    }
    field = {} if values is None else {"text" if kind == "textarea" else kind: values}
    size = {"original_width": width, "original_height": height, "image_rotation": 0}
    names = {"id": key, "type": kind, "from_name": CONTROLS[kind], "to_name": "image"}
    return {**names, **size, "value": {**sides, **field}}
