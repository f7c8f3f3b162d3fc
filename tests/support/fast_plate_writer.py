"""Has fast-plate-ocr write the file of tests/datasets/labels/fast_plate_ocr, for crops of the scenes' numbers.

Its `validate-dataset` checks a table and writes the lines that it finds sound. `pip install fast-plate-ocr click
pydantic pandas`, then `python -m tests.support.fast_plate_writer`. Version 1.1.0 wrote the file that is there. The
tests read it and need no fast-plate-ocr.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pandas as pd
from click.testing import CliRunner
from fast_plate_ocr.cli.validate_dataset import validate_dataset  # pyright: ignore[reportMissingImports]

from tests.support.labeled_scene import LABELS, SCENES, draw_crops

CONFIG = """
max_plate_slots: 9
alphabet: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_'
pad_char: '_'
img_height: 64
img_width: 128
plate_regions: [Nowhere]
"""


def write_table(folder: Path, target: Path) -> None:
    draw_crops(folder / "crops")
    rows = [(f"crops/{number}.png", number, "Nowhere") for scene in SCENES for number in scene.numbers]
    table = pd.DataFrame(
        [*rows, ("crops/bare.png", "", "Nowhere")], columns=["image_path", "plate_text", "plate_region"]
    )
    table.to_csv(folder / "raw.csv", index=False)
    (folder / "plate.yaml").write_text(CONFIG)
    options = {"-a": "raw.csv", "--plate-config-file": "plate.yaml"}
    given = [text for flag, name in options.items() for text in (flag, str(folder / name))]
    done = CliRunner().invoke(validate_dataset, [*given, "--export-fixed", "train.csv"])
    if done.exit_code:
        raise SystemExit(done.output)
    shutil.copy(folder / "train.csv", target)


if __name__ == "__main__":
    place = LABELS / "fast_plate_ocr"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        write_table(Path(name), place / "train.csv")
