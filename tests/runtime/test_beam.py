"""Apache Beam as the runner: the same bytes as without it, and what a killed worker costs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from support.program import call, last_line
from support.wrangling import arguments, tree

from svhn.errors import UserError
from svhn.reading.parts import MERGED
from svhn.runtime import beam
from svhn.runtime.shell import UsageError

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "svhn/examples"
WORKERS = ("--runner=DirectRunner", "--runner_options=--direct_num_workers=2,--direct_running_mode=multi_processing")


def start(*words: str, paths: Sequence[Path] = ()) -> subprocess.Popen[str]:
    """A program whose workers find the package, and what lies in more folders."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *paths)))}
    command = [sys.executable, *words]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, process_group=0)


def finish(program: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code, and what the program printed on stderr. Nothing of a program that hangs is left behind."""
    try:
        _, errors = program.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        program.communicate()
        raise
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
    for index in range(200):
        (folder / f"{index:03}.jpg").write_bytes((EXAMPLES / "208.jpg").read_bytes())
    (folder / "007b.jpg").write_bytes(b"none")
    return folder


def read(folder: Path, output: Path, *flags: str) -> subprocess.Popen[str]:
    return start("main.py", "read", str(folder), f"--output={output}/", "--part_size=4", "--threads=1", *flags)


def list_finished(output: Path) -> dict[str, int]:
    """The parts and their inodes, which change if a part is made again. The merge may remove a part meanwhile."""
    return {entry.name: entry.inode() for entry in os.scandir(output) if entry.name.endswith(".jsonl")}


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
    finished = list_finished(out)
    assert 0 < len(finished) < 25  # of 51: the other worker's half is not waited for
    program, now = read(folder, out, *WORKERS), finished
    while program.poll() is None and len(now := list_finished(out)) <= len(finished):
        time.sleep(0.001)
    assert finished.items() <= now.items()
    code, errors = finish(program)
    assert (code, "Traceback" in errors) == (1, False)
    assert "200 read" in errors
    assert (out / MERGED).read_bytes() == (tmp_path / "alone" / MERGED).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["in_memory", "multi_threading", "multi_processing"])
def test_ctrl_c_ends_in_one_line_and_keeps_whole_parts(tmp_path: Path, mode: str) -> None:
    """The terminal sends the signal to the workers, too."""
    folder, out = photos(tmp_path / "photos"), tmp_path / "out"
    flags = ("--runner=DirectRunner", f"--runner_options=--direct_num_workers=2,--direct_running_mode={mode}")
    program = read(folder, out, *flags)
    while program.poll() is None and not list(out.glob("part-*.jsonl")):
        time.sleep(0.001)
    os.killpg(program.pid, signal.SIGINT)
    assert finish(program) == (130, "interrupted: run the same command again\n")
    assert 0 < len(list_finished(out)) < 51
    assert all(path.read_bytes().count(b"\n") in (1, 4) for path in out.glob("part-*.jsonl"))  # 201 pictures


FAILING = """
from svhn.errors import UserError

def refuse(task):
    raise UserError(f"{task}: install the same package on all machines")

def fail(task):
    raise ValueError("no reason that a user can mend")
"""
CALL = """
import sys
import failing
from svhn.errors import UserError
from svhn.runtime import beam

try:
    beam.run_parts(getattr(failing, sys.argv[1]), ["part 1"], "direct", sys.argv[2].split(","))
except UserError as error:
    print("message:", error, file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["in_memory", "multi_processing"])
@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("refuse", "part 1: install the same package on all machines"),
        ("fail", r"ended early \(.*no reason that a user can mend.*\): finished parts are kept"),
    ],
)
def test_what_a_worker_asks_of_the_user_is_passed_on(tmp_path: Path, mode: str, function: str, message: str) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    options = f"--direct_num_workers=2,--direct_running_mode={mode}"
    _, errors = finish(start("-c", CALL, function, options, paths=[tmp_path]))
    (line,) = (line for line in errors.splitlines() if line.startswith("message: --runner=DirectRunner"))
    assert re.search(message, line)
    assert ("run the same command again" in line) == (function == "fail")


def test_a_pipeline_that_never_began_need_not_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    import apache_beam  # pyright: ignore[reportMissingImports]

    def refuse(*_: object) -> None:
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(apache_beam.Pipeline, "run", refuse)
    for runner, begun in (("FlinkRunner", False), ("DirectRunner", True)):
        with pytest.raises(UserError, match=rf"--runner={runner} .*nobody answers") as caught:
            beam.run_parts(print, [1], runner, [])
        assert ("run the same command again" in str(caught.value)) == begun
        assert ("--runner_options" in str(caught.value)) != begun


@pytest.mark.parametrize(("runner", "hint"), [("Flnk", "did you mean FlinkRunner"), ("zzz", "DirectRunner")])
def test_a_runner_that_beam_lacks_is_named(runner: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"--runner={runner}: .*{hint}"):
        beam.check_runner(runner, [])
    for known in ("DirectRunner", "flink", "mine.runners.MyRunner"):
        beam.check_runner(known, [])


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("--direct_num_wokers=2", "did you mean --direct_num_workers"),
        ("direct_num_workers=2", "did you mean --direct_num_workers"),
        ("--direct_running_mode=threads", "multi_threading"),
        ("--direct_num_workers=two", "--direct_num_workers"),
        ("--zzz", "--name=value"),
        ("--help", "--name=value"),
    ],
)
def test_an_option_that_beam_would_drop_is_named_in_one_line(
    option: str, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = (f"--output={tmp_path}/out/", "--runner=DirectRunner", f"--runner_options={option}")
    assert call(tmp_path, "read", str(EXAMPLES), *flags) == 2
    line = last_line(capsys)
    assert "--runner_options" in line
    assert hint in line
    assert not (tmp_path / "out").exists()


def test_an_option_that_only_a_service_may_have_is_named_and_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    beam.check_runner("FlinkRunner", ["--flink_master=host:1", "--paralelism=4"])
    line = last_line(capsys)
    assert "--paralelism=4" in line
    assert "FlinkRunner" in line


def test_without_beam_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(UserError, match=r"--runner=DirectRunner needs Apache Beam: .*beam"):
        beam.check_runner("DirectRunner", [])


def test_options_of_no_runner_are_refused() -> None:
    with pytest.raises(UserError, match="--runner_options"):
        beam.check_runner("", ["--streaming"])
    beam.check_runner("", [])
