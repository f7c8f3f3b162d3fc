"""`python main.py`: what a user types, sees and gets, in every mode; and the line that answers each mistake."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support.program import EXAMPLES, HEADER, RECIPE, call, last_line, scores, write_records
from support.shelf import copy_run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from svhn.cli import commands, flags
from svhn.training.step import State

STEPS = [8, 16, 20]
BANNER = """MULTI-SVHN CLASSIFICATION
Running project: demo
Mode: train
Is training: True
Log name: run1
Checkpoint dir: {folder}/checkpoints/demo
Loading data from: {folder}/records/svhn
Model: kvn219, for 32x32 pixels
Num steps: 20
Batch size: 8
Learning rate: 0.001
Random crop: False
Grayscale: False
Channels: 3"""
CLOCK = r"\[\d\d:\d\d:\d\d\]"


class Trained(NamedTuple):
    """A folder with records and the run `demo`, and what training it printed to stdout and to stderr."""

    folder: Path
    output: str
    errors: str


@pytest.fixture(scope="module")
def trained(numbers_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = copy_run(numbers_run, tmp_path_factory.mktemp("main"), "*.txt")
    printed = ((numbers_run / f"{name}.txt").read_text() for name in ("stdout", "stderr"))
    return Trained(folder, *(text.replace(str(numbers_run), str(folder)) for text in printed))


@pytest.fixture
def folder(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the trained run's folder, less its logs, to change."""
    return Path(shutil.copytree(trained.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("logs", "results")))


def test_training_says_what_it_does(trained: Trained) -> None:
    assert trained.errors == ""
    first, *lines = [re.sub(r":  +", ": ", line) for line in trained.output.splitlines()]
    assert first == flags.UNNAMED
    banner = BANNER.format(folder=trained.folder).splitlines()
    assert lines[: len(banner)] == banner
    assert lines[len(banner) :][:2] == ["Starting new train session", "Training..."]
    assert lines[-4:-2] == ["Done training for 2.667 epochs, 20 steps.", "Finished training."]
    assert re.fullmatch(r"Total time to run: \d+ s", lines[-2])
    score = "svhn test --name=demo --checkpoint=best"
    folders = " ".join(f"--{kind}_dir={trained.folder / kind}" for kind in ("records", "checkpoints", "results"))
    assert lines[-1] == f"Now score it: {score} {folders}"


def test_training_shows_progress_and_every_checkpoint(trained: Trained) -> None:
    progress = (
        rf"{CLOCK} Step: +(\d+), Loss: \d{{3}}\.\d{{5}}, Seq Acc: [01]\.\d\d, Dig Acc: [01]\.\d\d, \d+ images/s, "
    )
    assert re.findall(progress, trained.output) == ["5", "10", "15", "20"]
    checkpoint = rf"{CLOCK} Checkpoint (\d+): valid loss \d+\.\d{{4}}, Seq Acc: [01]\.\d{{4}}, Dig Acc: [01]\.\d{{4}}"
    assert re.findall(checkpoint, trained.output) == [str(step) for step in STEPS]
    assert "Checkpoint 8: " in trained.output.partition(", the best so far")[0]


def test_training_leaves_a_run_of_its_own_name(trained: Trained) -> None:
    run = trained.folder / "checkpoints/demo"
    parts = [f"ckpt-{step}.{part}" for step in STEPS for part in ("data-00000-of-00001", "index")]
    assert {path.name for path in run.iterdir()} == {"config.json", "best.json", "history.json", *parts}
    stored = json.loads((run / "config.json").read_text())
    assert (stored["config"]["model"], stored["config"]["batch_size"]) == ("kvn219", 8)
    assert stored["config"]["decay"] == "constant"  # the model's own default
    crop = {"dataset": "svhn", "size": [32, 32], "margin": 0.3, "channels": 3, "max_length": 5}
    assert stored["records"] == {**crop, "fixed_length": False, "longer": False}


def test_tensorboard_gets_scores_images_histograms_the_graph_and_the_options(trained: Trained) -> None:
    events = {split: EventAccumulator(str(trained.folder / "logs/run1/demo" / split)) for split in ("train", "valid")}
    names = {"loss", "sequence_accuracy", "digit_accuracy", "length_accuracy"}
    for split, steps, extra in (("train", [5, 10, 15, 20], {"learning_rate"}), ("valid", STEPS, set())):
        tags = events[split].Reload().Tags()["tensors"]
        assert names | extra <= set(tags)
        assert [event.step for event in events[split].Tensors("sequence_accuracy")] == steps
    train = events["train"]
    assert tf.make_ndarray(train.Tensors("learning_rate")[-1].tensor_proto) == pytest.approx(1e-3)
    assert [event.step for event in train.Tensors("images")] == STEPS
    assert tf.make_ndarray(train.Tensors("images")[-1].tensor_proto)[:2].tolist() == [b"32", b"32"]
    kernel = next(tag for tag in train.Tags()["tensors"] if re.fullmatch(r"weights/conv2d(_\d+)?/kernel", tag))
    assert train.SummaryMetadata(kernel).plugin_data.plugin_name == "histograms"
    assert train.Graph().node
    (options,) = train.Tensors("options")
    assert b"| lrate | 0.001 | 0.002 |" in tf.make_ndarray(options.tensor_proto).item()


def test_valid_scores_every_checkpoint_as_training_did(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(trained.folder, "--mode=valid") == 0
    rows = scores(trained.folder, "valid")
    assert [int(row[0]) for row in rows] == STEPS
    best = json.loads((trained.folder / "checkpoints/demo/best.json").read_text())
    (marked,) = (row for row in rows if int(row[0]) == best["step"])
    names = HEADER.split(",")[1:]
    assert marked[1:] == [f"{best[name]:.6f}" for name in names]
    assert float(marked[2]) == max(float(row[2]) for row in rows)
    output = capsys.readouterr().out
    target = trained.folder / "results/demo/valid-demo"
    assert f"\nResults saved to {target}.csv, a sheet of what was read to {target}.png\n" in output
    assert re.findall(r"^ +(\d+) .*best on valid$", output, re.MULTILINE) == [str(best["step"])]
    with Image.open(f"{target}.png") as sheet:
        assert sheet.size == (1280, 220)  # 20 examples in rows of ten


def test_scores_do_not_depend_on_the_batch_size(trained: Trained) -> None:
    tables = []
    for size in (1, 7, 64):
        assert call(trained.folder, "--mode=test", f"--batch_size={size}") == 0
        tables.append(scores(trained.folder, "test"))
    assert tables[0] == tables[1] == tables[2]
    assert [int(row[0]) for row in tables[0]] == STEPS
    digits, slots = sum(1 + index % 3 for index in range(EXAMPLES["test"])), 5 * EXAMPLES["test"]
    for row in tables[0]:
        counts = np.array(row[1:], float) * (digits, EXAMPLES["test"], EXAMPLES["test"], slots)
        assert counts == pytest.approx(counts.round(), abs=1e-3)  # every example once
    assert len({tuple(row[1:]) for row in tables[0]}) > 1  # each checkpoint's own weights: two may read alike


@pytest.mark.parametrize("which", ["best", "latest", "16"])
def test_one_checkpoint_can_be_chosen(trained: Trained, which: str) -> None:
    best = json.loads((trained.folder / "checkpoints/demo/best.json").read_text())["step"]
    assert call(trained.folder, "--mode=test", f"--checkpoint={which}") == 0
    expected = {"best": best, "latest": 20, "16": 16}[which]
    assert [int(row[0]) for row in scores(trained.folder, "test")] == [expected]


def test_both_names_of_the_log(folder: Path) -> None:
    for flag in ("--log=short", "--log_name=long"):
        assert call(folder, *RECIPE, flag) == 0
    assert {path.name for path in (folder / "logs").iterdir()} == {"short", "long"}
    assert (folder / "logs/long/demo/train").is_dir()


def test_crops_and_gray_in_training_and_scoring(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--name=gray", *RECIPE[:3], "--num_steps=2", "--random_crop", "--grayscale")
    assert call(trained.folder, *options) == 0
    assert call(trained.folder, "--name=gray", "--mode=valid") == 0
    output = re.sub(r":  +", ": ", capsys.readouterr().out)
    for line in ("Model: kvn219, for 27x27 pixels", "Random crop: True", "Grayscale: True", "Channels: 1"):
        assert output.count(f"\n{line}\n") == 2
    assert [int(row[0]) for row in scores(trained.folder, "valid", "gray")] == [2]


def test_testing_a_run_that_is_not_there(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(trained.folder, "--mode=test", "--name=none") == 1
    assert "checkpoints/none has no checkpoint yet" in last_line(capsys)
    assert not (trained.folder / "results/none").exists()
    assert not (trained.folder / "checkpoints/none").exists()


def test_a_checkpoint_that_is_not_there(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(trained.folder, "--mode=test", "--checkpoint=17") == 1
    assert last_line(capsys) == (
        "error: --checkpoint=17: expected all, latest, best (once valid was scored) or one of [8, 16, 20]"
    )


@pytest.mark.parametrize(
    ("flags", "fields"),
    [
        (["--model=reader", "--random_crop"], "model=kvn219 (now reader), random_crop=False (now True)"),
        (["--mode=valid", "--grayscale"], "grayscale=False (now True)"),
        (["--average=0.9"], "average=0.0 (now 0.9)"),  # its checkpoints hold no averages
        (["--batch_size=9", "--seed=1"], "batch_size=8 (now 9), seed=0 (now 1)"),
    ],
)
def test_a_run_made_in_another_way_names_the_options(
    trained: Trained, capsys: pytest.CaptureFixture[str], flags: Sequence[str], fields: str
) -> None:
    before = (trained.folder / "checkpoints/demo/config.json").read_bytes()
    assert call(trained.folder, *flags) == 1
    assert last_line(capsys).startswith(f"error: {trained.folder}/checkpoints/demo holds a run with {fields}: use the")
    assert (trained.folder / "checkpoints/demo/config.json").read_bytes() == before


@pytest.mark.parametrize("mode", ["train", "valid"])
def test_records_of_another_crop_name_it(folder: Path, capsys: pytest.CaptureFixture[str], mode: str) -> None:
    shutil.rmtree(folder / "records")
    write_records(folder / "records", size=(24, 40))
    assert call(folder, f"--mode={mode}") == 1
    assert "holds a run with size=[32, 32] (now [24, 40]): use the same" in last_line(capsys)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(folder, "--num_steps=30", "--lrate=1e38", "--checkpoint_every=1") == 1
    assert re.match(
        r"error: the loss at step \d+ is (nan|inf): stopped; the last checkpoint is \d+\. Try a smaller --lrate ",
        last_line(capsys),
    )
    assert call(folder, "--num_steps=22", "--lrate=1e-3") == 0  # what was kept is good to go on from


def test_weights_that_are_not_finite_are_not_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(State, "is_finite", lambda _: False)
    assert call(folder, "--num_steps=22") == 1
    assert last_line(capsys).startswith(
        "error: the weights after step 22 are not finite: stopped; the last checkpoint is 20."
    )
    assert not list((folder / "checkpoints/demo").glob("ckpt-22*"))


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (
            "{{function_node __wrapped__Conv2D}} OOM when making it",
            "memory ran out (OOM when making it): ",
        ),
        ("{{function_node __wrapped__SaveV2}} a/b; No space left on device", "a/b: No space left on device: make room"),
    ],
)
def test_what_ran_out_has_a_remedy(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str, answer: str
) -> None:
    def train(*_: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, said)

    monkeypatch.setattr(commands, "train_run", train)
    assert call(folder, "--num_steps=1") == 1
    assert last_line(capsys).startswith(f"error: {answer}")
