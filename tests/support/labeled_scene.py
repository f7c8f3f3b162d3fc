"""Pictures with a white ground and a rectangle for each digit, whose gray gives the digit, and how tools label them.

The files below tests/datasets/labels were written for these pictures by the tools' own libraries, once:
`python -m tests.support.label_writers`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from svhn.spec import Box

LABELS = Path(__file__).parents[1] / "datasets/labels"
ORIENTATION, TURNED = 0x0112, 6  # the Exif tag, and its value for a picture that is stored lying on its left side


class Scene(NamedTuple):
    """A picture: its name, its width and height as it is seen, and the boxes of each number's digits."""

    name: str
    size: tuple[int, int]
    numbers: dict[str, list[Box]]


SCENES = (
    Scene("a.png", (120, 60), {"208": [(10, 10, 26, 40), (30, 12, 46, 42), (50, 10, 66, 40)]}),
    Scene("lying.jpg", (60, 120), {"17": [(8, 80, 20, 104), (24, 80, 40, 104)]}),
    Scene("more/b.png", (80, 40), {"5": [(30, 8, 46, 32)]}),
    Scene(
        "two.png",
        (200, 60),
        {"12": [(4, 10, 16, 34), (20, 10, 32, 34)], "34": [(150, 10, 162, 34), (166, 10, 182, 34)]},
    ),
    Scene("bare.png", (50, 40), {}),
)


def get_gray(digit: str) -> int:
    return 20 + 20 * int(digit)


def draw_scenes(folder: Path) -> None:
    """Write the pictures of `SCENES` below a folder."""
    for scene in SCENES:
        pixels = np.full((scene.size[1], scene.size[0], 3), 255, np.uint8)
        for number, boxes in scene.numbers.items():
            for digit, (left, top, right, bottom) in zip(number, boxes, strict=True):
                pixels[int(top) : int(bottom), int(left) : int(right)] = get_gray(digit)
        _save(Image.fromarray(pixels), folder / scene.name)


def _save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.stem != "lying":
        picture.save(path)
        return
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    picture.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=98, subsampling=0)


def read_columns(pixels: np.ndarray, boxes: tuple[Box, ...], around: Box) -> str:
    """The digits whose grays a crop has in the middle of their boxes."""
    height, width, _ = pixels.shape
    read = ""
    for left, top, right, bottom in boxes:
        column = ((left + right) / 2 - around[0]) / (around[2] - around[0]) * width
        row = ((top + bottom) / 2 - around[1]) / (around[3] - around[1]) * height
        read += str(round((float(pixels[int(row), int(column)].mean()) - 20) / 20))
    return read


def make_task(scene: Scene, number: int, image: str) -> dict[str, Any]:
    """A picture as a task of Label Studio with a rectangle per digit, after its documents: units are percent."""
    results = [
        make_rectangle(scene, box, f"r{number}-{index}", digit)
        for index, (digit, box) in enumerate(
            (digit, box) for text, boxes in scene.numbers.items() for digit, box in zip(text, boxes, strict=True)
        )
    ]
    annotations = [make_annotation(number, results)] if results else []
    return {"id": number, "data": {"image": image}, "annotations": annotations, "predictions": []}


def make_rectangle(scene: Scene, box: Box, key: str, label: str) -> dict[str, Any]:
    width, height = scene.size
    left, top, right, bottom = box
    value = {
        "x": 100 * left / width,
        "y": 100 * top / height,
        "width": 100 * (right - left) / width,
        "height": 100 * (bottom - top) / height,
        "rotation": 0,
    }
    return {
        "id": key,
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {**value, "rectanglelabels": [label]},
    }


def make_annotation(number: int, results: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    made = f"2026-01-01T00:00:{number:02}.000000Z"
    usual = {"was_cancelled": False, "ground_truth": False, "created_at": made, "updated_at": made, "completed_by": 1}
    return {"id": number, "result": results, **usual, **fields}
