"""`python main.py` where there is nothing yet: the line that answers each mistake, and the command it says is next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.program import call, last_line

from svhn import spec
from svhn.cli import session
from svhn.config import Paths


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--dataset=cifar"], "error: unknown data set 'cifar': expected one of folder, .*mnist, .*svhn, .*synthetic"),
        (["--model=vgg"], "error: unknown model 'vgg': expected one of .*kvn219.*reader"),
        (["--name=.."], r"error: --name='\.\.': expected the name of one folder"),
        (["--name=a/b"], "error: --name='a/b': expected the name of one folder"),
        (["--log=../up"], r"error: --log_name='\.\./up': expected the name of one folder"),
        (["--batch_size=0"], "error: --batch_size=0: expected a number above 0"),
        (["--decay=step"], "error: --decay=step: expected one of cosine, linear, constant"),
        ([], r"error: .*/records/svhn has no info.json: run `svhn wrangle --dataset=svhn --records_dir=.*`"),
        (["--mode=test"], "error: .*/checkpoints/demo has no checkpoint yet: train with `svhn train"),
    ],
)
def test_mistakes_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: Sequence[str], line: str
) -> None:
    assert call(tmp_path, *flags) == 1
    assert re.match(line, last_line(capsys))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("splits", "options", "expected"),
    [
        (["train", "valid", "test"], {}, "svhn test --name=demo --checkpoint=latest"),
        (["train", "valid"], {"name": "own"}, "svhn valid --name=own --checkpoint=latest"),
        (["train"], {"records_dir": "my own"}, "svhn valid --name=demo --checkpoint=latest '--records_dir=my own'"),
        (
            ["train", "test", "valid"],
            {"records_dir": "a/b", "checkpoints_dir": "c"},
            "svhn test --name=demo --checkpoint=latest --records_dir=a/b --checkpoints_dir=c",
        ),
    ],
)
def test_the_command_that_scores_a_run(splits: list[str], options: dict[str, str], expected: str) -> None:
    info = spec.Info("svhn", (32, 32), 0.3, 3, 5, "png", {split: [9] for split in splits}, {}, {}, {}, 0)
    assert session.format_score_command(Paths(**options), info, "latest") == expected
