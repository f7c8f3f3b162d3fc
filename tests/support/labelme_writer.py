"""Has labelme's own writer make the files of tests/datasets/labels/labelme; it needs no window.

`pip install labelme`, then `python -m tests.support.labelme_writer`. Version 6.3.1 wrote those that are there. The
tests read the files and need no labelme.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from labelme import _label_file  # pyright: ignore[reportMissingImports]
from labelme.utils import img_data_to_pil  # pyright: ignore[reportMissingImports]

from svhn.spec import Box
from tests.support.labeled_scene import LABELS, SCENES, Scene, draw_scenes, surround

EMBEDDED = "lying.jpg"  # whose file holds a copy of the picture, upright, as labelme saves it unless told otherwise


def make_shape(label: str, kind: str, box: Box, group: int | None = None, description: str = "") -> dict[str, Any]:
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    points = [(right, bottom), (left, top)] if kind == "rectangle" else corners  # as drawn from the bottom right
    fields = {"label": label, "points": [list(map(float, point)) for point in points], "group_id": group}
    return {**fields, "description": description, "shape_type": kind, "flags": {}, "mask": None}


def list_shapes(scene: Scene) -> list[dict[str, Any]]:
    """Digits; or of some scenes a number as a whole, as its class and as its description."""
    whole = {number: surround(boxes) for number, boxes in scene.numbers.items()}
    if scene.name == EMBEDDED:
        return [make_shape("number", "oriented_rectangle", box, description=number) for number, box in whole.items()]
    kind = "polygon" if scene.name == "more/b.png" else "rectangle"
    return [
        make_shape(digit, kind, box, group if len(scene.numbers) > 1 else None)
        for group, (number, boxes) in enumerate(scene.numbers.items())
        for digit, box in zip(number, boxes, strict=True)
    ]


def write_scene(scene: Scene, pictures: Path) -> None:
    """The labels of a scene, at the place where labelme saves them: beside the picture."""
    target = (LABELS / "labelme" / scene.name).with_suffix(".json")
    target.parent.mkdir(parents=True, exist_ok=True)
    data = _label_file.read_image_file(str(pictures / scene.name))
    width, height = img_data_to_pil(data).size
    _label_file.write_label_file(
        str(target),
        shapes=list_shapes(scene),
        image_path=Path(scene.name).name,
        image_height=height,
        image_width=width,
        image_data=data if scene.name == EMBEDDED else None,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        draw_scenes(Path(folder))
        for each in SCENES:
            write_scene(each, Path(folder))
