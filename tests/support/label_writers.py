"""Writes the files below tests/datasets/labels with the tools' own libraries.

`pip install label-studio-sdk`, then `python -m tests.support.label_writers` in the project's folder. The tests read the
files and need none of the libraries. Version 2.1.2 of label-studio-sdk wrote the files that are there.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from label_studio_sdk.converter import Converter  # pyright: ignore[reportMissingImports]

from tests.support.labeled_scene import LABELS, SCENES, draw_scenes, make_task

RECTANGLES = "".join(f'<Label value="{digit}"/>' for digit in range(10))
CONFIG = f"""<View><Image name="image" value="$image"/>
<RectangleLabels name="label" toName="image">{RECTANGLES}</RectangleLabels></View>"""


def write_by_label_studio(folder: Path) -> None:
    """COCO as Label Studio's converter exports them from its JSON."""
    draw_scenes(folder)
    tasks = [make_task(scene, index, f"{folder}/{scene.name}") for index, scene in enumerate(SCENES, start=1)]
    (folder / "tasks.json").write_text(json.dumps(tasks))
    converter = Converter(CONFIG, str(folder), download_resources=False)
    for name in ("coco",):
        convert = getattr(converter, f"convert_to_{name}")
        convert(str(folder / "tasks.json"), str(folder / "out" / name), is_dir=False)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        write_by_label_studio(Path(name))
        for path in sorted(Path(name, "out").rglob("*")):
            if path.is_file() and path.suffix in (".json", ".txt"):
                target = LABELS / path.relative_to(Path(name, "out"))
                target.parent.mkdir(parents=True, exist_ok=True)
                escaped = f"{name}/".replace("/", "\\/")
                target.write_text(path.read_text().replace(escaped, "").replace(f"{name}/", ""))


if __name__ == "__main__":
    main()
