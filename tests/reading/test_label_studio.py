"""Pre-labels as Label Studio's own library takes them, in an environment of its own.

The library needs an earlier NumPy than this one and 250 MB of packages, so it is no extra.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.program import call
from support.stub_reader import FOUND, SEVERAL, THREE, TURNED, StubReader, write_picture

from svhn.cli import reading_commands

PROGRAM = Path(__file__).parents[1] / "support/label_studio_answers.py"
PACKAGES = ("label-studio-sdk>=2,<3",)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `PROGRAM` prints about the pre-labels of two pictures."""
    folder = tmp_path_factory.mktemp("sdk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading_commands, "_load_reader", lambda _: StubReader())
        for name, red in (("one.png", 2), ("three.png", THREE)):
            write_picture(folder / "images" / name, red)
        for kind, output in (("label-studio", "images/tasks.json"), ("coco", "images/coco.json"), ("yolo", "")):
            assert call(folder, "read", f"{folder}/images", f"--as={kind}", f"--output={folder / output}") == 0
    python = folder / "environment/bin/python"
    subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    printed = subprocess.run([python, PROGRAM, folder], check=True, capture_output=True, text=True).stdout
    return json.loads(printed)


def test_the_tasks_suit_the_labeling_interface(answers: dict[str, Any]) -> None:
    assert answers["interface"] == {"image": "Image", "kind": "RectangleLabels", "text": "TextArea"}
    assert answers["problems"] == [[], []]
    assert answers["problems of a wrong label"] != []
    assert answers["suited"] == [True, True]
    assert answers["scores"] == [0.6, 0.875]


def test_the_turned_box_lies_where_it_was_found(answers: dict[str, Any]) -> None:
    three, one = answers["corners"]
    for found, number in (*zip(three, SEVERAL, strict=True), (one[0], FOUND)):
        assert number.corners
        for corner, expected in zip(found, number.corners, strict=True):
            assert corner == pytest.approx(expected, abs=0.1)
    assert TURNED in SEVERAL


@pytest.mark.parametrize("kind", ["coco", "yolo"])
def test_its_converters_take_the_other_formats(kind: str, answers: dict[str, Any]) -> None:
    tasks = answers[kind]
    counts = {re.split("[=/]", address)[-1]: len(boxes) for address, boxes in tasks.items()}
    assert counts == {"one.png": 1, "three.png": 3}
    (box,) = next(boxes for boxes in tasks.values() if len(boxes) == 1)
    assert box == pytest.approx([16.67, 12.5, 33.33, 25.1], abs=0.2)
