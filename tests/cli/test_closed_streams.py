"""Commands whose stdout or stderr is closed, as some schedulers and supervisors start them: the work is done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.program import ROOT, arguments
from support.shelf import copy_run

EXAMPLES = ROOT / "svhn/examples"


@pytest.fixture
def folder(numbers_run: Path, tmp_path: Path) -> Path:
    return copy_run(numbers_run, tmp_path / "copy", "logs", "results")


def list_commands(folder: Path, sources: Path) -> dict[str, tuple[list[str], Path]]:
    """By name: a command line, and a file that it writes."""
    picture, data, new = next(EXAMPLES.glob("*.jpg")), f"--data_dir={sources}", f"--records_dir={folder / 'new'}"
    return {
        "read": (["main.py", "read", str(picture), f"--output={folder}/table.csv"], folder / "table.csv"),
        "wrangle": (
            ["main.py", "wrangle", data, new, "--size=16x24", "--processes=2", "--max_skipped=0.01"],
            folder / "new/svhn/info.json",
        ),
        "train": (arguments(folder, "train", "--num_steps=22"), folder / "checkpoints/demo/ckpt-22.index"),
        "valid": (arguments(folder, "valid"), folder / "results/demo/valid-demo.csv"),
    }


def run_closed(command: list[str], closed: str) -> subprocess.CompletedProcess[str]:
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, *command]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    return subprocess.run(shell, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.parametrize(
    ("name", "closed"),
    [
        ("read", ">&- 2>&-"),
        *(
            pytest.param(name, closed, marks=pytest.mark.slow)
            for name in ("read", "wrangle", "train", "valid")
            for closed in (">&-", "2>&-")
        ),
    ],
)
def test_work_is_done_whatever_is_closed(folder: Path, sources: Path, name: str, closed: str) -> None:
    command, written = list_commands(folder, sources)[name]
    done = run_closed(command, closed)
    assert (done.returncode, written.exists()) == (0, True), done
    assert "Traceback" not in done.stderr
