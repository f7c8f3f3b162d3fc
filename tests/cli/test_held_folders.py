"""What one command writes is refused to a second command, and can be read meanwhile."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.mirror import pack, publish, tree
from support.program import ROOT, arguments, call, write_records
from support.sabotage import make_command
from support.shelf import copy_run
from support.wrangling import arguments as list_wrangle_arguments
from support.wrangling import examples

from svhn import records
from svhn.cli import flags
from svhn.runtime import shell
from svhn.runtime.holding import hold_file

SMALL = ("--model=kvn219", "--batch_size=8")
PICTURE = ROOT / "svhn/examples/28.jpg"


@pytest.fixture
def folder(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Records, a source of records and an archive, where commands find them without a flag."""
    write_records(tmp_path / "records")
    (tmp_path / "mirror").mkdir()
    publish(tmp_path / "mirror", pack(tmp_path / "mirror/extra.tar.gz", {"1.png": b"one"}))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/test").symlink_to(sources / "test")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "held", "remedy"),
    [
        (("train", *SMALL), "checkpoints/demo/run", "--name"),
        (("compare", "--dataset=svhn", *SMALL), "checkpoints/demo-kvn219/run", "--name"),
        (("wrangle", "--splits=test"), "records/svhn/records", "--records_dir"),
        (("wrangle", "--salvage"), "records/svhn/records", "--records_dir"),
        (("download", "--splits=extra", "--url=mirror"), "data/extra.tar.gz", "--data_dir"),
        (("download", "--dataset=synthetic", "--data_dir=drawn"), "drawn/train", "--data_dir"),
        (("read", str(PICTURE), "--output=out/"), "out/plan", "another folder"),
        (("export", "--name=released", "--format=litert"), "results/released/released.tflite", "--output"),
    ],
)
def test_a_second_command_is_refused_and_told_who_is_at_work(
    folder: Path, capsys: pytest.CaptureFixture[str], words: Sequence[str], held: str, remedy: str
) -> None:
    with hold_file(Path(held), ""):
        before = tree(folder)
        assert shell.run_main(flags.main, ["svhn", *words]) == 1
        assert tree(folder) == before
    line = capsys.readouterr().err.splitlines()[-1]
    place = held if held.startswith(("data", "drawn", "results")) else str(Path(held).parent)
    assert f"error: {place} is in use by process {os.getpid()} on {socket.gethostname()} since 20" in line
    assert remedy in line


def test_a_second_release_is_refused(numbers_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copy_run(numbers_run, tmp_path)
    with hold_file(folder / "results/demo/released/run", ""):
        assert call(folder, "--mode=release") == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"{folder}/results/demo/released is in use by process {os.getpid()}" in line
    assert "--results_dir" in line


def test_a_run_in_training_is_read(numbers_run: Path, tmp_path: Path) -> None:
    folder = copy_run(numbers_run, tmp_path)
    with hold_file(folder / "checkpoints/demo/run", ""), hold_file(folder / "records/svhn/records", ""):
        assert call(folder, "--mode=valid", "--checkpoint=latest") == 0


def start(program: str, flags: Sequence[str]) -> subprocess.Popen[str]:
    command = make_command((), program, flags)
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_the_first_of_two_trainings_goes_on_alone(tmp_path: Path) -> None:
    write_records(tmp_path / "records")
    endless = arguments(tmp_path, *SMALL, "--num_steps=100000", "--log_every=1")[1:]
    with start("main.py", [*endless, "--seed=1"]) as first:
        assert first.stdout is not None
        while "Step: " not in first.stdout.readline():
            assert first.poll() is None
        with start("main.py", [*endless, "--seed=2"]) as second:
            errors = second.communicate(timeout=120)[1]
        assert second.returncode == 1
        assert f"{tmp_path}/checkpoints/demo is in use by process {first.pid} on " in errors
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=120)
    assert first.returncode == 143
    run = tmp_path / "checkpoints/demo"
    assert json.loads((run / "config.json").read_text())["config"]["seed"] == 1
    assert {path.name.partition("-")[0] for path in run.iterdir()} == {"config.json", "history.json", "ckpt"}


@pytest.mark.slow
@pytest.mark.parametrize("repetition", range(2))
def test_two_wrangles_leave_records_that_can_be_used(sources: Path, tmp_path: Path, repetition: int) -> None:
    seeds = (f"--seed={repetition}", f"--seed={repetition + 1}")
    started = [start("svhn.wrangle", list_wrangle_arguments(sources, tmp_path, seed)[1:]) for seed in seeds]
    ended = [process.communicate(timeout=300)[1] for process in started]
    codes = [process.returncode for process in started]
    assert sorted(codes) in ([0, 0], [0, 1])
    for code, errors in zip(codes, ended, strict=True):
        assert ("is in use by process" in errors) == (code == 1)
    info = records.read_info(tmp_path, "svhn")
    assert info.seed in [repetition + place for place, code in enumerate(codes) if code == 0]
    counted = {split: len(examples(tmp_path, split)) for split in ("train", "valid", "test")}
    assert counted == {split: sum(shards) for split, shards in info.splits.items()}
    assert not list(tmp_path.rglob("*.lock"))
