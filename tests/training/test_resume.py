"""A run that is killed, interrupted or finds its checkpoint damaged ends in the weights of one that was not."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from support.program import ROOT, arguments, call, last_line, write_records
from support.sabotage import make_command

RECIPES = {
    "kvn219": (  # dropout
        "--model=kvn219",
        "--random_crop",
        "--average=0.9",
        "--warmup_steps=20",
        "--batch_size=8",
        "--num_steps=60",
        "--checkpoint_every=25",
        "--log_every=10",
    ),
    "reader": ("--model=reader", "--batch_size=8", "--num_steps=12", "--checkpoint_every=5", "--log_every=4"),
}
STEPS = {"kvn219": [25, 50, 60], "reader": [5, 10, 12]}
UNDISTURBED = {"kvn219": "straight", "reader": "straight_residual"}  # fixtures

Variables = dict[str, np.ndarray]


def variables(folder: Path, step: int, name: str = "demo") -> Variables:
    """Everything that a checkpoint holds, by name."""
    reader = tf.train.load_checkpoint(str(folder / f"checkpoints/{name}/ckpt-{step}"))
    names = [key for key in reader.get_variable_to_shape_map() if not key.startswith("_CHECKPOINTABLE")]
    return {name: np.asarray(reader.get_tensor(name)) for name in names}


def assert_same(folder: Path, other: Path, step: int) -> None:
    own, expected = variables(folder, step), variables(other, step)
    assert own.keys() == expected.keys()
    assert [name for name in own if not np.array_equal(own[name], expected[name])] == []


def checkpoints(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "checkpoints/demo").iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_records(tmp_path / "records")
    return tmp_path


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of kvn219 that nothing disturbed."""
    folder = tmp_path_factory.mktemp("straight")
    write_records(folder / "records")
    assert call(folder, *RECIPES["kvn219"]) == 0
    return folder


@pytest.fixture(scope="module")
def straight_residual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of the default model."""
    folder = tmp_path_factory.mktemp("residual")
    write_records(folder / "records")
    assert call(folder, *RECIPES["reader"]) == 0
    return folder


@pytest.fixture
def finished(straight: Path, folder: Path) -> Path:
    """A folder of its own with what the undisturbed run left."""
    target = folder / "checkpoints/demo"
    target.mkdir(parents=True)
    for name, content in checkpoints(straight).items():
        (target / name).write_bytes(content)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("model", list(RECIPES))
def test_a_killed_run_ends_like_one_that_was_not(
    folder: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest, model: str
) -> None:
    expected = request.getfixturevalue(UNDISTURBED[model])
    first, *_, last = STEPS[model]
    flags = arguments(folder, *RECIPES[model])[1:]
    program = make_command([f"die_after_step={first + 2}"], "main.py", flags)
    killed = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (killed.returncode, killed.stderr) == (-signal.SIGKILL, "")
    assert {path.stem for path in (folder / "checkpoints/demo").glob("ckpt-*")} == {f"ckpt-{first}"}
    capsys.readouterr()
    assert call(folder, *RECIPES[model]) == 0
    output = capsys.readouterr().out
    assert f"\nRestored model from: {folder}/checkpoints/demo/ckpt-{first}\n" in output
    assert "Starting new train session" not in output
    for step in STEPS[model]:
        assert_same(folder, expected, step)
    assert (folder / "checkpoints/demo/best.json").read_text() == (expected / "checkpoints/demo/best.json").read_text()
    assert variables(folder, last)["step/.ATTRIBUTES/VARIABLE_VALUE"] == last


@pytest.mark.parametrize("model", ["kvn219", pytest.param("reader", marks=pytest.mark.slow)])
def test_a_checkpoint_holds_all_that_training_changes(request: pytest.FixtureRequest, model: str) -> None:
    folder: Path = request.getfixturevalue(UNDISTURBED[model])
    first, *_, last = STEPS[model]
    held = variables(folder, last)
    assert {"step", "model", "average", "optimizer"} <= {name.split("/")[0] for name in held}
    assert held["optimizer/_iterations/.ATTRIBUTES/VARIABLE_VALUE"] == last
    seeds = "seeds/0/.ATTRIBUTES/VARIABLE_VALUE"
    assert not np.array_equal(variables(folder, first)[seeds], held[seeds])


@pytest.mark.slow
def test_ctrl_c_saves_and_the_same_command_goes_on(straight: Path, folder: Path) -> None:
    command = [sys.executable, *arguments(folder, *RECIPES["kvn219"])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "Step: " in line:
                running.send_signal(signal.SIGINT)
                break
        _, errors = running.communicate(timeout=300)
    stopped = re.fullmatch(r"Stopped at step (\d+): the same command goes on from there\.\n", errors)
    assert stopped
    assert running.returncode == 130
    assert 10 <= int(stopped[1]) < 60
    assert (folder / f"checkpoints/demo/ckpt-{stopped[1]}.index").exists()
    assert call(folder, *RECIPES["kvn219"]) == 0
    assert_same(folder, straight, 60)


def begin_endless(folder: Path, *prefix: str) -> subprocess.Popen[str]:
    """A training that does not end by itself, at its first line about a step. It is killed after five minutes."""
    flags = arguments(folder, "--model=kvn219", "--batch_size=8", "--num_steps=100000", "--checkpoint_every=100000")
    command = [*prefix, sys.executable, *flags, "--log_every=1"]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    killer = threading.Timer(300, running.kill)
    killer.daemon = True
    killer.start()
    assert running.stdout is not None
    for line in running.stdout:
        if "Step: " in line:
            return running
    raise AssertionError(running.communicate()[1])


def close_output(running: subprocess.Popen[str]) -> None:
    assert running.stdout is not None
    running.stdout.close()


Ending = Callable[["subprocess.Popen[str]"], None]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda running: running.send_signal(signal.SIGINT), 130),
        (lambda running: running.send_signal(signal.SIGTERM), 143),
        (lambda running: running.send_signal(signal.SIGHUP), 129),
        (close_output, 141),
    ],
    ids=["INT", "TERM", "HUP", "closed pipe"],
)
def test_every_way_to_end_a_process_leaves_a_checkpoint(folder: Path, end: Ending, code: int) -> None:
    with begin_endless(folder) as running:
        end(running)
        assert running.stderr is not None
        errors = running.stderr.read()
        assert running.wait() == code
    stopped = re.fullmatch(r"Stopped at step (\d+): the same command goes on from there\.\n", errors)
    assert stopped
    assert (folder / f"checkpoints/demo/ckpt-{stopped[1]}.index").exists()


@pytest.mark.slow
def test_under_nohup_a_closed_terminal_ends_nothing(folder: Path) -> None:
    with begin_endless(folder, "nohup") as running:
        running.send_signal(signal.SIGHUP)
        assert running.stdout is not None
        for _ in range(3):
            assert "Step: " in running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=300)
    assert running.returncode == 143
    assert "Stopped at step" in errors


def test_sigterm_saves_and_the_same_command_goes_on(
    straight: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        stop_at(patched, step=33)
        assert call(folder, *RECIPES["kvn219"]) == 143
    assert last_line(capsys) == "Stopped at step 33: the same command goes on from there."
    assert {path.stem for path in (folder / "checkpoints/demo").glob("ckpt-*")} == {"ckpt-25", "ckpt-33"}
    assert call(folder, *RECIPES["kvn219"]) == 0
    for step in STEPS["kvn219"]:
        assert_same(folder, straight, step)


def stop_at(patched: pytest.MonkeyPatch, step: int) -> None:
    """Have this process get SIGTERM as soon as a step is done."""
    from svhn.training.loop import Loop

    own = Loop.check_finite

    def check_finite(loop: Loop, done: int, loss: float) -> None:
        own(loop, done, loss)
        if done == step:
            signal.raise_signal(signal.SIGTERM)

    patched.setattr(Loop, "check_finite", check_finite)


@pytest.mark.parametrize("part", ["data-00000-of-00001", pytest.param("index", marks=pytest.mark.slow)])
def test_a_truncated_checkpoint_is_said_and_the_one_before_it_taken(
    straight: Path, finished: Path, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    run = finished / "checkpoints/demo"
    path = run / f"ckpt-60.{part}"
    path.write_bytes(path.read_bytes()[:-200])
    assert call(finished, *RECIPES["kvn219"]) == 0
    output = capsys.readouterr().out
    assert re.search(rf"\n{run}/ckpt-60 can't be read \(\S.*\n.*/ckpt-50\n", output)
    assert_same(finished, straight, 60)


def test_a_run_none_of_whose_checkpoints_can_be_read_is_left_as_it_is(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finished / "checkpoints/demo"
    for path in (*run.glob("ckpt-50.*"), *run.glob("ckpt-60.*")):
        path.unlink()
    path = run / "ckpt-25.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-200])
    before = checkpoints(finished)
    assert call(finished, *RECIPES["kvn219"]) == 1
    assert re.fullmatch(rf"error: none of the checkpoints in {run} can be read.* another --name", last_line(capsys))
    assert checkpoints(finished) == before


def test_a_finished_run_says_done_and_changes_nothing(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = checkpoints(finished)
    began = time.time_ns()
    assert call(finished, *RECIPES["kvn219"]) == 0
    output = capsys.readouterr().out
    assert f"\nRestored model from: {finished}/checkpoints/demo/ckpt-60\n" in output
    assert "\nDone training for 8 epochs, 60 steps.\nFinished training.\n" in output
    assert "Step: " not in output
    assert checkpoints(finished) == before
    assert all(path.stat().st_mtime_ns < began for path in (finished / "checkpoints/demo").glob("ckpt-*"))


@pytest.mark.slow
def test_a_full_disk_keeps_the_checkpoints_there_are(finished: Path) -> None:
    before = checkpoints(finished)
    flags = [flag for flag in RECIPES["kvn219"] if not flag.startswith("--num_steps")]
    command = make_command(["limit_files=1000000"], "main.py", arguments(finished, *flags, "--num_steps=62")[1:])
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert re.fullmatch(
        r"error: \S+/ckpt-62: File too large: raise the limit .* then run the same command again\n",
        done.stderr,
    )
    after = checkpoints(finished)
    assert after.pop("config.json") != before.pop("config.json")  # it has the new number of steps
    assert after.pop("history.json") != before.pop("history.json")  # what is past the last checkpoint is dropped later
    assert after == before
