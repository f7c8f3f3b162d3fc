"""A report from records and a checkpoint to the page, for a network as it is before training."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from svhn import records
from svhn.config import Config, Paths
from svhn.errors import UserError
from svhn.evaluation import score
from svhn.reporting import report
from svhn.run import Run
from svhn.runs import checkpoints, load
from svhn.runs.stored import write_history
from svhn.spec import Info

COUNTS = {"train": 30, "test": 11}
FIGURES = {"samples", "errors", "confusion-digits", "confusion-lengths", "learning-curves", "checkpoints"}
FIGURES |= {"reliability", "kept", "labels-digits", "labels-lengths", "maps-01", "maps-02", "maps-03", "maps-04"}
SCORES = {"digit_accuracy": 0.5, "sequence_accuracy": 0.25, "length_accuracy": 0.75, "slot_accuracy": 0.5, "loss": 3.0}


def write_records(folder: Path) -> Info:
    rng = np.random.default_rng(0)
    shards, sizes = {}, {}
    (folder / "svhn").mkdir(parents=True)
    for split, count in COUNTS.items():
        (path,) = records.get_shard_paths(folder, "svhn", split, 1)
        examples = [
            records.serialize_example(picture(rng), str(10 + index), f"{split}/{index}.png") for index in range(count)
        ]
        shards[split], sizes[split] = [records.write_shard(path, examples)], [path.stat().st_size]
    info = Info("svhn", (24, 40), 0.3, 3, 3, "png", shards, sizes, {}, {}, 0)
    records.write_info(folder, info)
    return info


def picture(rng: np.random.Generator) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (24, 40, 3), dtype=np.uint8)).save(encoded, "PNG")
    return encoded.getvalue()


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Paths]:
    """A run with a checkpoint, and where it lies."""
    folder = tmp_path_factory.mktemp("report")
    paths = Paths("<b>", records_dir=f"{folder}/records", checkpoints_dir=f"{folder}/ck", results_dir=f"{folder}/res")
    info = write_records(folder / "records")
    run = Run(paths.run_folder, Config(model="kvn219", batch_size=4, random_crop=False), info)
    run.folder.mkdir(parents=True)
    keras.utils.set_random_seed(0)  # with other weights, a number might be read right by chance
    checkpoints.save_checkpoint(run.folder, tf.train.Checkpoint(average=load.build_model(run)), 7)
    entries = [{"step": step, "seconds": 1.0, "train": SCORES, "valid": SCORES} for step in (3, 7)]
    write_history(run.folder, entries)
    return run, paths


def test_the_page_and_its_figures(reported: tuple[Run, Paths]) -> None:
    lines: list[str] = []
    page = report.write_report(*reported, "test", 7, lines.append)
    assert lines == ["Reading 11 examples of test...", "Drawing the figures..."]
    folder = reported[1].results
    assert page == folder / "report-test-<b>.html"
    assert {path.name for path in folder.glob("*.png")} == {f"report-test-{name}.png" for name in FIGURES}
    html = page.read_text(encoding="utf-8")
    assert "<b>: " not in html
    assert "&lt;b&gt;: report on test" in html
    assert "30 labels of train, 11 labels of test" in html
    assert "for the picture test/0.png" in html
    assert html.count("<img ") == 11 + 11 + (len(FIGURES) - 2) + 1


def test_scores_are_those_of_the_sweep(reported: tuple[Run, Paths]) -> None:
    run, paths = reported
    html = report.write_report(*reported, "test", 7, lambda _: None).read_text(encoding="utf-8")
    split = records.open_split(paths.records_dir, run.records, "test")
    (row,) = score.score_checkpoints(run, split, [7], lambda _: None)
    tiles = {name: value for value, name in re.findall(r"<b>(.*?)</b><span>(.*?)</span>", html)}
    assert tiles["numbers right"] == f"{100 * row.scores['sequence_accuracy']:.2f}%"
    assert float(tiles["loss"]) == pytest.approx(row.scores["loss"], abs=1e-3)
    assert "for the picture test/0.png" in html


def test_a_split_without_examples(reported: tuple[Run, Paths]) -> None:
    with pytest.raises(UserError, match="have no examples of the split 'valid', only of: train, test"):
        report.write_report(*reported, "valid", 7, lambda _: None)


@pytest.mark.parametrize("lacking", ["synthetic", "svhn"])
def test_what_the_run_learned_from_need_not_be_there(reported: tuple[Run, Paths], lacking: str, tmp_path: Path) -> None:
    """Who was given a run has only what it is to read."""
    run, paths = reported
    if lacking == "synthetic":
        run = run.with_options(train_on="svhn,synthetic")
    else:
        shutil.copytree(paths.records_dir, tmp_path / "records")
        info = run.records
        info = dataclasses.replace(info, splits={"test": info.splits["test"]}, sizes={"test": info.sizes["test"]})
        records.write_info(tmp_path / "records", info)
        run = dataclasses.replace(run, records=info)
        paths = dataclasses.replace(paths, records_dir=str(tmp_path / "records"))
    html = report.write_report(run, paths, "test", 7, lambda _: None).read_text(encoding="utf-8")
    assert "11 labels of test" in html
    assert "labels of train" not in html
