"""The run that comes with the package: that it is there, small, and reads numbers of a kind it was never trained on."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from svhn.cli import flags
from svhn.config import RELEASED, Paths
from svhn.datasets import DATASETS
from svhn.datasets.synthetic import dataset
from svhn.runs import stored
from svhn.runs.steps import list_steps, read_best
from svhn.wrangle import convert

LARGE = RELEASED / "released-large"
every_reader = pytest.mark.parametrize("folder", [RELEASED, LARGE], ids=lambda folder: folder.name)


@every_reader
def test_it_is_small_and_calibrated(folder: Path) -> None:
    (step,) = list_steps(folder)
    assert read_best(folder)["step"] == step
    assert (folder / f"ckpt-{step}.npz").stat().st_size < 6e6
    assert stored.read_config(folder)["config"]["temperature"] != 1


@every_reader
def test_its_card_has_its_scores_on_valid(folder: Path) -> None:
    scores, card = read_best(folder), (folder / "README.md").read_text(encoding="utf-8")
    for name in ("sequence_accuracy", "digit_accuracy", "length_accuracy"):
        assert f"| {scores[name]:.2%}".replace("%", " %") in card
    assert "non-commercial" in card
    assert (folder / "failures.png").exists()


def test_the_licence_of_what_it_began_with_travels_with_it() -> None:
    assert "Apache License" in (LARGE / "LICENSE.txt").read_text(encoding="utf-8")
    assert "PP-OCRv6" in (LARGE / "NOTICE.txt").read_text(encoding="utf-8")
    assert "may have been trained on SVHN" in (LARGE / "README.md").read_text(encoding="utf-8")


@every_reader
def test_it_reads_rendered_numbers(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a user does who has no more than the package, and records of their own numbers."""
    dataset.render_split(tmp_path / "data/test", 200, seed=7)
    spec = DATASETS["svhn"]
    options = convert.Options(spec.size, spec.margin)
    convert.convert_dataset(spec, tmp_path / "data", tmp_path / "records", ["test"], options)
    folders = [f"--{kind}_dir={tmp_path / kind}" for kind in ("records", "checkpoints", "results", "log")]
    assert Paths(folder.name, checkpoints_dir=str(tmp_path / "checkpoints")).run_folder == folder
    flags.main(["main.py", "--mode=test", f"--name={folder.name}", "--checkpoint=best", *folders])
    with (tmp_path / f"results/{folder.name}/test-{folder.name}.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["sequence_accuracy"]) > 0.6
    assert float(row["digit_accuracy"]) > 0.75
    assert "Checkpoint dir:    " + str(folder) in capsys.readouterr().out
