"""Has labelImg's own writer make the files of tests/datasets/labels/labelimg; it needs no window.

`pip install --no-deps labelImg lxml`, then `python -m tests.support.labelimg_writer`. Version 1.8.6 wrote those that
are there. The tests read the files and need no labelImg.
"""

from __future__ import annotations

from pathlib import Path

from libs.pascal_voc_io import PascalVocWriter  # pyright: ignore[reportMissingImports]

from tests.support.labeled_scene import LABELS, SCENES, Scene


def write_scene(scene: Scene, folder: Path) -> None:
    name, (width, height) = Path(scene.name), scene.size
    writer = PascalVocWriter("photos", name.name, (height, width, 3), local_img_path=f"/home/me/photos/{name}")
    for number, boxes in scene.numbers.items():
        for digit, box in zip(number, boxes, strict=True):
            writer.add_bnd_box(*map(int, box), name=digit, difficult=0)
    writer.save(str(folder / f"{name.stem}.xml"))


if __name__ == "__main__":
    target = LABELS / "labelimg"
    target.mkdir(parents=True, exist_ok=True)
    for each in SCENES:
        write_scene(each, target)
