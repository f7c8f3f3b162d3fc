"""What Label Studio's library finds in pre-labels, as JSON. Runs in an environment that has the library.

python tests/support/label_studio_answers.py FOLDER

FOLDER holds `images`, with tasks.json and coco.json among the pictures, and the labels of YOLO.
"""

from __future__ import annotations

import copy
import json
import sys
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any


def load(name: str) -> Any:
    """A part of the library, which the environment of the other tests lacks."""
    return import_module(f"label_studio_sdk.{name}")


def examine_tasks(folder: Path) -> dict[str, Any]:
    interface = load("label_interface").LabelInterface((folder / "tasks.label_config.xml").read_text())
    interface.validate()
    tasks = json.loads((folder / "tasks.json").read_text())
    predictions = [task["predictions"][0] for task in tasks]
    wrong = copy.deepcopy(predictions[0])
    wrong["result"][0]["value"]["rectanglelabels"] = ["house"]
    objects = load("label_interface.objects")
    return {
        "interface": {each.name: each.tag for each in (*interface.objects, *interface.controls)},
        "problems": [interface.validate_prediction(each, return_errors=True) for each in predictions],
        "problems of a wrong label": interface.validate_prediction(wrong, return_errors=True),
        # a task with predictions makes validate_task raise TypeError in version 2.1
        "suited": [interface.validate_task({"data": task["data"]}) for task in tasks],
        "scores": [objects.TaskValue(**task).predictions[0].score for task in tasks],
        "corners": [[*map(measure_corners, each["result"][::2])] for each in predictions],
    }


def measure_corners(result: dict[str, Any]) -> Any:
    """The corners of a box in pixels, as the library exports turned boxes."""
    return load("converter.utils").convert_annotation_to_yolo_obb({**result, **result["value"]}, normalize=False)


def convert(kind: str, target: Path, *sources: Path) -> dict[str, Any]:
    """The boxes of each picture in percent, as the library's converter brings them into Label Studio."""
    getattr(load(f"converter.imports.{kind}"), f"convert_{kind}_to_ls")(*map(str, sources), str(target))
    return {
        task["data"]["image"]: [*map(list_sides, task["annotations"][0]["result"])]
        for task in json.loads(target.read_text())
    }


def list_sides(result: dict[str, Any]) -> list[float]:
    """The sides of a box."""
    return [result["value"][side] for side in ("x", "y", "width", "height")]


def main() -> None:
    folder = Path(sys.argv[1])
    with redirect_stdout(sys.stderr):  # the converters print
        answers = {
            **examine_tasks(folder / "images"),
            "coco": convert("coco", folder / "from_coco.json", folder / "images/coco.json"),
            "yolo": convert("yolo", folder / "from_yolo.json", folder),
        }
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
