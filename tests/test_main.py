"""`python main.py`: what a user types, sees and gets, in every mode; and the line that answers each mistake."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from svhn import cli, records, session, shell
from svhn.config import Paths
from svhn.spec import Box

ROOT = Path(__file__).parents[1]
RECIPE = ("--model=kvn219", "--batch_size=8", "--lrate=1e-3", "--num_steps=20", "--checkpoint_every=8", "--log_every=5")
STEPS = [8, 16, 20]
EXAMPLES = {"train": 60, "valid": 20, "test": 23}
HEADER = "checkpoint,digit_accuracy,sequence_accuracy,length_accuracy,slot_accuracy"
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
    """A folder with records and the run `demo`, and what training it printed."""

    folder: Path
    done: subprocess.CompletedProcess[str]


def write_records(folder: Path, size: tuple[int, int] = (32, 32)) -> Path:
    """Numbers of one to three digits in print, a split in two shards of unlike length; returns the folder."""
    rng = np.random.default_rng(0)
    shards, sizes, lengths = {}, {}, {}
    (folder / "svhn").mkdir(parents=True)
    for split, count in EXAMPLES.items():
        labels = [str(rng.integers(10 ** (index % 3), 10 ** (1 + index % 3))) for index in range(count)]
        serialized = [
            records.serialize(draw(label, rng, size), label, f"{split}/{index}.png", digit_boxes(label, size))
            for index, label in enumerate(labels)
        ]
        parts = serialized[: count // 3], serialized[count // 3 :]
        paths = records.shard_paths(folder, "svhn", split, len(parts))
        shards[split] = [records.write_shard(*shard) for shard in zip(paths, parts, strict=True)]
        sizes[split] = [path.stat().st_size for path in paths]
        lengths[split] = {str(length): sum(len(label) == length for label in labels) for length in (1, 2, 3)}
    records.write_info(folder, records.Info("svhn", size, 0.3, 3, 5, "png", shards, sizes, lengths, {}, 0))
    return folder


def draw(text: str, rng: np.random.Generator, size: tuple[int, int]) -> bytes:
    red, green, blue = rng.integers(0, 90, 3).tolist()
    picture = Image.new("RGB", (size[1], size[0]), (red, green, blue))
    ImageDraw.Draw(picture).text((2, 8), text, fill="white", font=ImageFont.load_default(14))
    encoded = io.BytesIO()
    picture.save(encoded, "PNG")
    return encoded.getvalue()


def digit_boxes(text: str, size: tuple[int, int]) -> list[Box]:
    """Where `draw` puts the digits, in shares of the picture."""
    font = ImageFont.load_default(14)
    ends = [2 + font.getlength(text[:count]) for count in range(len(text) + 1)]
    return [(left / size[1], 10 / size[0], right / size[1], 22 / size[0]) for left, right in pairwise(ends)]


def arguments(folder: Path, *flags: str) -> list[str]:
    folders = [f"--{kind}_dir={folder / kind}" for kind in ("records", "checkpoints", "results")]
    return ["main.py", *folders, f"--log_dir={folder / 'logs'}", *flags]


def call(folder: Path, *flags: str) -> int:
    """The command, within this process."""
    return shell.run(cli.main, arguments(folder, *flags))


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The only line on stderr."""
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    return errors.strip()


def scores(folder: Path, mode: str, name: str = "demo") -> list[list[str]]:
    """The table's rows, after a look at its header."""
    text = (folder / f"results/{name}/{mode}-{name}.csv").read_text()
    header, *rows = csv.reader(io.StringIO(text))
    assert ",".join(header) == HEADER
    return rows


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 255
    path.write_bytes(content)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("main")
    write_records(folder / "records")
    command = [sys.executable, *arguments(folder, "--log=run1", *RECIPE)]
    return Trained(folder, subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False))


@pytest.fixture
def folder(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the trained run's folder, less its logs, to change."""
    return Path(shutil.copytree(trained.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("logs", "results")))


def test_training_says_what_it_does(trained: Trained) -> None:
    assert (trained.done.returncode, trained.done.stderr) == (0, "")
    lines = [re.sub(r":  +", ": ", line) for line in trained.done.stdout.splitlines()]
    banner = BANNER.format(folder=trained.folder).splitlines()
    assert lines[: len(banner)] == banner
    assert lines[len(banner) :][:2] == ["Starting new train session", "Training..."]
    assert lines[-4:-2] == ["Done training for 2.667 epochs, 20 steps.", "Finished training."]
    assert re.fullmatch(r"Total time to run: \d+ s", lines[-2])
    score = "python main.py --mode=test --name=demo --checkpoint=best"
    folders = " ".join(f"--{kind}_dir={trained.folder / kind}" for kind in ("records", "checkpoints", "results"))
    assert lines[-1] == f"Now score it: {score} {folders}"


def test_training_shows_progress_and_every_checkpoint(trained: Trained) -> None:
    progress = (
        rf"{CLOCK} Step: +(\d+), Loss: \d{{3}}\.\d{{5}}, Seq Acc: [01]\.\d\d, Dig Acc: [01]\.\d\d, \d+ images/s, "
    )
    assert re.findall(progress, trained.done.stdout) == ["5", "10", "15", "20"]
    checkpoint = rf"{CLOCK} Checkpoint (\d+): valid loss \d+\.\d{{4}}, Seq Acc: [01]\.\d{{4}}, Dig Acc: [01]\.\d{{4}}"
    assert re.findall(checkpoint, trained.done.stdout) == [str(step) for step in STEPS]
    assert "Checkpoint 8: " in trained.done.stdout.partition(", the best so far")[0]


def test_training_leaves_a_run_of_its_own_name(trained: Trained) -> None:
    run = trained.folder / "checkpoints/demo"
    parts = [f"ckpt-{step}.{part}" for step in STEPS for part in ("data-00000-of-00001", "index")]
    assert {path.name for path in run.iterdir()} == {"config.json", "best.json", "history.json", *parts}
    stored = json.loads((run / "config.json").read_text())
    assert (stored["config"]["model"], stored["config"]["batch_size"]) == ("kvn219", 8)
    assert stored["config"]["decay"] == "constant"  # the model's own default
    crop = {"dataset": "svhn", "size": [32, 32], "margin": 0.3, "channels": 3, "max_length": 5}
    assert stored["records"] == {**crop, "fixed_length": False}


def test_tensorboard_gets_scores_images_histograms_and_the_graph(trained: Trained) -> None:
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
    assert train.SummaryMetadata("weights/conv2d/kernel").plugin_data.plugin_name == "histograms"
    assert train.Graph().node


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


def test_crops_and_grey_in_training_and_scoring(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--name=grey", *RECIPE[:3], "--num_steps=2", "--random_crop", "--grayscale")
    assert call(trained.folder, *flags) == 0
    assert call(trained.folder, "--name=grey", "--mode=valid") == 0
    output = re.sub(r":  +", ": ", capsys.readouterr().out)
    for line in ("Model: kvn219, for 27x27 pixels", "Random crop: True", "Grayscale: True", "Channels: 1"):
        assert output.count(f"\n{line}\n") == 2
    assert [int(row[0]) for row in scores(trained.folder, "valid", "grey")] == [2]


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (
            ["--mode=guess"],
            "error: unknown mode 'guess': expected one of compare, demo, .*, train, valid",
        ),
        (["--dataset=cifar"], "error: unknown data set 'cifar': expected one of folder, .*mnist, .*svhn, .*synthetic"),
        (["--model=vgg"], "error: unknown model 'vgg': expected one of .*kvn219.*svhn"),
        (["--name=.."], r"error: --name='\.\.': expected the name of one folder"),
        (["--name=a/b"], "error: --name='a/b': expected the name of one folder"),
        (["--log=../up"], r"error: --log_name='\.\./up': expected the name of one folder"),
        (["--batch_size=0"], "error: --batch_size=0: expected a number above 0"),
        (["--decay=step"], "error: --decay=step: expected one of cosine, linear, constant"),
        ([], r"error: .*/records/svhn has no info.json: run `python -m svhn.wrangle --dataset=svhn --records_dir=.*`"),
        (["--mode=test"], "error: .*/checkpoints/demo has no checkpoint yet: train with `python main.py --mode=train"),
    ],
)
def test_mistakes_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: Sequence[str], line: str
) -> None:
    assert call(tmp_path, *flags) == 1
    assert re.match(line, last_line(capsys))
    assert list(tmp_path.iterdir()) == []


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
        (["--model=svhn", "--random_crop"], "model=kvn219 (now svhn), random_crop=False (now True)"),
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


def test_a_corrupt_record_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(folder / "records/svhn/train-00001-of-00002.tfrecord", -40)
    assert call(folder, "--num_steps=30") == 1
    assert re.match(
        r"error: \S+/train-00001-of-00002\.tfrecord: record 39 of 40 \(counted from 0\) is corrupt or cut short: run ",
        last_line(capsys),
    )


@pytest.mark.parametrize("mode", ["train", "valid"])
def test_a_corrupt_record_of_valid_is_named(folder: Path, capsys: pytest.CaptureFixture[str], mode: str) -> None:
    flip(folder / "records/svhn/valid-00000-of-00002.tfrecord", 100)
    assert call(folder, f"--mode={mode}", "--num_steps=22") == 1
    errors = capsys.readouterr().err
    assert re.match(r"error: \S+/valid-00000-of-00002\.tfrecord: record 0 of 6 ", errors.splitlines()[-1])


def test_corrupt_records_are_counted_and_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for split in ("train", "valid"):
        flip(folder / f"records/svhn/{split}-00000-of-00002.tfrecord", 100)
    assert call(folder, "--num_steps=22", "--skip_corrupt") == 0
    output = capsys.readouterr().out
    assert "\nLeft out 1 corrupt records of the split 'train' of svhn.\n" in output
    assert "Checkpoint 22: valid loss " in output
    assert call(folder, "--mode=valid", "--checkpoint=22", "--batch_size=64") == 0
    assert "\nLeft out 1 corrupt records of the split 'valid' of svhn.\n" in capsys.readouterr().out
    (row,) = scores(folder, "valid")
    assert float(row[2]) * 19 == pytest.approx(round(float(row[2]) * 19), abs=1e-3)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (
            "{{function_node __wrapped__Conv2D}} OOM when making it",
            "memory ran out (OOM when making it): ",
        ),
        ("{{function_node __wrapped__SaveV2}} a/b; No space left on device", "No space left on device: make room"),
    ],
)
def test_what_ran_out_has_a_remedy(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str, answer: str
) -> None:
    def train(*_: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, said)

    monkeypatch.setitem(cli.MODES, "train", train)
    assert call(folder, "--num_steps=1") == 1
    assert last_line(capsys).startswith(f"error: {answer}")


@pytest.mark.parametrize(
    ("splits", "options", "expected"),
    [
        (["train", "valid", "test"], {}, "--mode=test --name=demo --checkpoint=best"),
        (["train", "valid"], {"name": "own"}, "--mode=valid --name=own --checkpoint=best"),
        (["train", "test"], {}, "--mode=test --name=demo --checkpoint=latest"),
        (["train"], {"records_dir": "my own"}, "--mode=valid --name=demo --checkpoint=latest '--records_dir=my own'"),
        (
            ["train", "test", "valid"],
            {"records_dir": "a/b", "checkpoints_dir": "c"},
            "--mode=test --name=demo --checkpoint=best --records_dir=a/b --checkpoints_dir=c",
        ),
    ],
)
def test_the_command_that_scores_a_run(splits: list[str], options: dict[str, str], expected: str) -> None:
    info = records.Info("svhn", (32, 32), 0.3, 3, 5, "png", {split: [9] for split in splits}, {}, {}, {}, 0)
    assert session.score_command(Paths(**options), info) == f"python main.py {expected}"
