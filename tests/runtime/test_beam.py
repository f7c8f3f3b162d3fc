"""Apache Beam as the runner: the same bytes as without it, and what a killed worker costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.wrangling import arguments, tree

from svhn.errors import UserError
from svhn.reading.parts import MERGED
from svhn.runtime import beam

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "svhn/examples"
WORKERS = ("--runner=DirectRunner", "--runner_options=--direct_num_workers=2,--direct_running_mode=multi_processing")


def start(*words: str) -> subprocess.Popen[str]:
    """A program whose workers find the package."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *words]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def finish(program: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code, and what the program printed on stderr."""
    _, errors = program.communicate(timeout=240)
    return program.returncode, errors


def list_workers(parent: int) -> Iterator[int]:
    """Beam's workers among the processes that the parent has started."""
    listing = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [(int(pid), int(ppid), text) for pid, ppid, text in (line.split(None, 2) for line in listing.splitlines())]
    for pid, ppid, text in rows:
        if ppid == parent:
            if "sdk_worker_main" in text and not text.startswith(("sh ", "/bin/sh ")):
                yield pid
            yield from list_workers(pid)


def photos(folder: Path) -> Path:
    folder.mkdir()
    for index in range(400):
        (folder / f"{index:03}.jpg").write_bytes((EXAMPLES / "208.jpg").read_bytes())
    (folder / "007b.jpg").write_bytes(b"none")
    return folder


def read(folder: Path, output: Path, *flags: str) -> subprocess.Popen[str]:
    return start("main.py", "read", str(folder), f"--output={output}/", "--part_size=4", "--threads=1", *flags)


@pytest.mark.slow
def test_wrangling_gives_the_same_bytes(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    code, errors = finish(start("-m", "svhn.wrangle", *arguments(sources, tmp_path)[1:], *WORKERS))
    assert (code, "Traceback" in errors) == (0, False), errors
    assert tree(tmp_path) == tree(undisturbed)


@pytest.mark.slow
def test_a_killed_worker_costs_its_part_and_the_same_command_goes_on(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos")
    assert finish(read(folder, tmp_path / "alone"))[0] == 1  # one of the files is no picture
    out = tmp_path / "out"
    program = read(folder, out, *WORKERS)
    while program.poll() is None and not list(out.glob("part-*.jsonl")):
        time.sleep(0.001)
    os.kill(next(list_workers(program.pid)), signal.SIGKILL)
    code, errors = finish(program)
    assert code == 1
    assert "run the same command again" in errors
    assert "Traceback" not in errors
    finished = {path.name: path.stat().st_ino for path in out.glob("part-*.jsonl")}
    assert 0 < len(finished) < 101
    code, errors = finish(read(folder, out, *WORKERS))
    assert (code, "Traceback" in errors) == (1, False)
    assert "400 read" in errors
    assert (out / MERGED).read_bytes() == (tmp_path / "alone" / MERGED).read_bytes()


def test_without_beam_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(UserError, match=r"--runner=DirectRunner needs Apache Beam: .*beam"):
        beam.check_runner("DirectRunner", [])


def test_options_of_no_runner_are_refused() -> None:
    with pytest.raises(UserError, match="--runner_options"):
        beam.check_runner("", ["--streaming"])
    beam.check_runner("", [])
