"""Has PPOCRLabel's own methods write the files of tests/datasets/labels/ppocr; no window opens, no network is needed.

`pip install --no-deps PPOCRLabel PyQt5 PyQt5-sip PyQt5-Qt5 opencv-python-headless openpyxl et-xmlfile pandas premailer
lxml cssselect cssutils cachetools` beside NumPy, then `QT_QPA_PLATFORM=offscreen python -m tests.support.ppocr_writer`.
Version 3.1.6 wrote those that are there. The tests read the files and need no PPOCRLabel.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

sys.modules.update(paddle=MagicMock(), paddleocr=MagicMock())  # which only recognition needs

from PPOCRLabel.PPOCRLabel import MainWindow  # noqa: E402  # pyright: ignore[reportMissingImports]
from PyQt5.QtCore import QPointF  # noqa: E402  # pyright: ignore[reportMissingImports]
from PyQt5.QtGui import QColor  # noqa: E402  # pyright: ignore[reportMissingImports]

from svhn.spec import Box  # noqa: E402
from tests.support.labeled_scene import LABELS, SCENES, Scene, surround  # noqa: E402

OPENED = "photos"  # the folder's name when it was labeled
CHECKED = 1


def make_shape(label: str, box: Box) -> SimpleNamespace:
    left, top, right, bottom = box
    points = [QPointF(x, y) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
    colors = {"line_color": QColor(0, 255, 0), "fill_color": QColor(255, 0, 0)}
    return SimpleNamespace(label=label, points=points, key_cls="None", **colors)


def list_shapes(scene: Scene) -> list[SimpleNamespace]:
    """A box for each number; one scene has a street's name and an illegible text, too."""
    shapes = [make_shape(number, surround(boxes)) for number, boxes in scene.numbers.items()]
    others = [make_shape("Rue Émile", (70, 10, 110, 20)), make_shape("###", (70, 30, 110, 40))]
    return [*shapes, *others] if scene.name == "a.png" else shapes


def write_folder(folder: Path, opened: str, scenes: list[Scene]) -> None:
    """The files of a folder that was opened in the tool, with each of its pictures labeled and checked."""
    folder.mkdir(parents=True, exist_ok=True)
    window: Any = SimpleNamespace(PPlabel={}, Cachelabel={}, fileStatedict={}, result_dic=[], kie_mode=False)
    window.PPlabelpath, window.fileStatepath = str(folder / "Label.txt"), str(folder / "fileState.txt")
    window.getImglabelidx = lambda path: MainWindow.getImglabelidx(window, path)
    for scene in scenes:
        path = f"/home/me/{opened}/{Path(scene.name).name}"
        window.canvas = SimpleNamespace(shapes=list_shapes(scene))
        MainWindow.saveLabels(window, window.getImglabelidx(path), mode="Manual")
        window.fileStatedict[window.getImglabelidx(path)] = CHECKED
    MainWindow.saveFilestate(window)
    MainWindow.savePPlabel(window, mode="Auto")


if __name__ == "__main__":
    write_folder(LABELS / "ppocr", OPENED, [scene for scene in SCENES if "/" not in scene.name])
    write_folder(LABELS / "ppocr/more", "more", [scene for scene in SCENES if "/" in scene.name])
