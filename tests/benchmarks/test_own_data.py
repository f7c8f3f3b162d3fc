"""A folder of one's own pictures, of numbers longer than the released network has slots for: table to reading."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from support.program import arguments, call

from svhn.cli import flags
from svhn.runs import load
from svhn.wrangle import __main__

NUMBERS = [str(number) for number in np.random.default_rng(0).integers(10**7, 10**8, 40)] + ["7", "123456"]
FAST = ("--batch_size=8", "--num_steps=4", "--checkpoint_every=4", "--lrate=1e-4", "--warmup_steps=0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine").mkdir()
    rows = [("filename", "label", "split")]
    for index, number in enumerate(NUMBERS):
        picture = Image.new("RGB", (150, 40), (40, 60, 80))
        ImageDraw.Draw(picture).text((75, 20), number, "white", ImageFont.load_default(24), "mm")
        picture.save(folder / "mine" / f"{index}.png")
        rows.append((f"{index}.png", number, "test" if index % 4 == 0 else "train"))
    with (folder / "mine/labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    data = [f"--data_dir={folder / 'mine'}", f"--records_dir={folder / 'records'}", "--max_length=8"]
    assert not __main__.main(["wrangle", "--dataset=folder", *data])
    options = ("--mode=train", "--name=mine", "--dataset=folder", "--init_from=released", *FAST)
    flags.main(arguments(folder, *options))
    return folder


def test_the_run_has_eight_slots_and_is_scored(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "--mode=test", "--name=mine", "--checkpoint=latest") == 0
    assert "numbers" in capsys.readouterr().out
    outputs: Any = load.load_run(folder / "checkpoints/mine")[1].output
    assert outputs["digits"].shape == (None, 8, 10)


def test_it_reads_pictures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = folder / "mine/41.png"  # the number that the released network has slots for, but one
    assert call(folder, "--mode=predict", "--name=mine", f"--images={picture}", f"--output={folder / 'read.json'}") == 0
    assert capsys.readouterr().out.startswith(str(picture))
    assert (folder / "read.json").exists()
