"""`python main.py` as the tests call it, and small records for it."""

from __future__ import annotations

import csv
import io
from contextlib import redirect_stderr, redirect_stdout
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from svhn import records, spec
from svhn.cli.flags import main
from svhn.runtime import shell
from svhn.spec import Box

ROOT = Path(__file__).parents[2]
EXAMPLES = {"train": 60, "valid": 20, "test": 23}
RECIPE = ("--model=kvn219", "--batch_size=8", "--lrate=1e-3", "--num_steps=20", "--checkpoint_every=8", "--log_every=5")
HEADER = "checkpoint,digit_accuracy,sequence_accuracy,length_accuracy,slot_accuracy"


def write_records(folder: Path, size: tuple[int, int] = (32, 32)) -> Path:
    """Numbers of one to three digits in print, a split in two shards of unlike length; returns the folder."""
    rng = np.random.default_rng(0)
    shards, sizes, lengths = {}, {}, {}
    (folder / "svhn").mkdir(parents=True)
    for split, count in EXAMPLES.items():
        labels = [str(rng.integers(10 ** (index % 3), 10 ** (1 + index % 3))) for index in range(count)]
        serialized = [
            records.serialize_example(draw(label, rng, size), label, f"{split}/{index}.png", digit_boxes(label, size))
            for index, label in enumerate(labels)
        ]
        parts = serialized[: count // 3], serialized[count // 3 :]
        paths = records.get_shard_paths(folder, "svhn", split, len(parts))
        shards[split] = [records.write_shard(*shard) for shard in zip(paths, parts, strict=True)]
        sizes[split] = [path.stat().st_size for path in paths]
        lengths[split] = {str(length): sum(len(label) == length for label in labels) for length in (1, 2, 3)}
    records.write_info(folder, spec.Info("svhn", size, 0.3, 3, 5, "png", shards, sizes, lengths, {}, 0))
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
    return shell.run_main(main, arguments(folder, *flags))


def train_numbers(folder: Path) -> None:
    """Numbers beneath the folder and the run `demo`; what training prints goes to `stdout.txt` and `stderr.txt`."""
    write_records(folder / "records")
    with (
        (folder / "stdout.txt").open("w") as output,
        (folder / "stderr.txt").open("w") as errors,
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        code = call(folder, "--log=run1", *RECIPE)
    assert code == 0, (folder / "stderr.txt").read_text()


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
