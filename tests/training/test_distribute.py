"""Two devices, and two workers as processes of their own, end in the weights of one device with the whole batch."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from support.program import ROOT, arguments, write_records
from support.sabotage import make_command

LRATE = 1e-4
RECIPE = (
    "--model=reader",  # SMALL leaves its dropout out, which each replica draws for itself
    "--nomixed_precision",
    "--batch_size=8",
    "--num_steps=2",
    "--log_every=1",
    "--warmup_steps=0",
    "--average=0.9",
    "--clip_norm=0.5",  # far below the gradients' norm
    f"--lrate={LRATE}",
)
SMALL = "use_small_reader=0.0"
MIRRORED = "use_two_devices"
STALLED = ("--num_steps=3", "--checkpoint_every=1", "--lrate=1e-30", "--reduce_on_plateau=1", "--early_stopping=2")
ENDLESS = ("--num_steps=100000", "--checkpoint_every=100000")


class Ended(NamedTuple):
    """Exit code, stdout and stderr."""

    code: int
    output: str
    errors: str


class Runs(NamedTuple):
    """The folder that holds the runs, and how each process ended."""

    folder: Path
    ended: Mapping[str, Ended]


def start(
    folder: Path,
    name: str,
    sabotages: Sequence[str] = (SMALL,),
    flags: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    command = make_command(sabotages, "main.py", arguments(folder, f"--name={name}", *RECIPE, *flags)[1:])
    variables = {**os.environ, **(environment or {})}
    return subprocess.Popen(command, cwd=ROOT, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def tf_config(ports: list[int], index: int | str) -> str:
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    return json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """One device, two devices and two workers, all at once."""
    folder = tmp_path_factory.mktemp("distribute")
    write_records(folder / "records")
    (folder / "temporary").mkdir()
    ports = free_ports(2)
    started = {"one": start(folder, "one"), "mirrored": start(folder, "mirrored", [SMALL, MIRRORED])}
    for index, name in enumerate(("chief", "worker")):  # an index may be a text
        more = {"TF_CONFIG": tf_config(ports, str(index)), "TMPDIR": str(folder / "temporary")}
        started[name] = start(folder, "pair", [SMALL, "print_writes"], environment=more)
    return Runs(folder, {name: ended(process) for name, process in started.items()})


def ended(process: subprocess.Popen[str]) -> Ended:
    try:
        output, errors = process.communicate(timeout=600)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
    return Ended(process.returncode, output, errors)


def variables(folder: Path, name: str) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(folder / f"checkpoints/{name}/ckpt-2"))
    names = [key for key in reader.get_variable_to_shape_map() if not key.startswith("_CHECKPOINTABLE")]
    return {name: np.asarray(reader.get_tensor(name), np.float64) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mirrored", "pair"])
def test_replicas_together_do_what_one_does_alone(runs: Runs, name: str) -> None:
    own, expected = variables(runs.folder, name), variables(runs.folder, "one")
    assert own.keys() == expected.keys()
    assert max(np.abs(own[key] - expected[key]).mean() for key in own) < LRATE / 10
    moments = [key for key in own if key.startswith("optimizer/_variables") and np.abs(expected[key]).max() > 1e-6]
    assert len(moments) > 20
    for key in moments:  # they would show gradients of another scale, which Adam's steps don't
        assert np.linalg.norm(own[key] - expected[key]) < 0.02 * np.linalg.norm(expected[key])


@pytest.mark.slow
def test_every_process_ends_well(runs: Runs) -> None:
    for name, process in runs.ended.items():
        assert (name, process.code) == (name, 0), process.errors
        assert "\nDone training for " in process.output
        assert "Traceback" not in process.errors


@pytest.mark.slow
def test_only_the_chief_writes(runs: Runs) -> None:
    assert "wrote config.json\n" in runs.ended["chief"].output
    assert "wrote" not in runs.ended["worker"].output
    assert "Checkpoint 2: valid loss" in runs.ended["chief"].output
    assert "Checkpoint 2: " not in runs.ended["worker"].output
    assert [name for name, process in runs.ended.items() if "Now score it" not in process.output] == ["worker"]
    for split in ("train", "valid"):
        assert len(list((runs.folder / "logs/run1/pair" / split).iterdir())) == 1
    run = {path.name for path in (runs.folder / "checkpoints/pair").iterdir()}
    assert run == {"config.json", "best.json", "history.json", "ckpt-2.index", "ckpt-2.data-00000-of-00001"}
    assert {path.name for path in runs.folder.iterdir()} == {"records", "checkpoints", "logs", "temporary"}
    assert [path for path in (runs.folder / "temporary").iterdir() if not path.name.startswith("__autograph")] == []


@pytest.mark.slow
def test_a_signal_to_one_worker_stops_all_at_one_step(tmp_path: Path) -> None:
    write_records(tmp_path / "records")
    ports = free_ports(2)
    chief, worker = (
        start(
            tmp_path,
            "pair",
            flags=ENDLESS,
            environment={"TF_CONFIG": tf_config(ports, index), "PYTHONUNBUFFERED": "1"},
        )
        for index in range(2)
    )
    assert chief.stdout is not None
    for line in chief.stdout:
        if "Step: " in line:
            break
    worker.send_signal(signal.SIGTERM)
    ends = [ended(process) for process in (chief, worker)]
    assert [end.code for end in ends] == [143, 143]
    (step,) = (path.stem for path in (tmp_path / "checkpoints/pair").glob("ckpt-*.index"))
    for end in ends:
        last = f"Stopped at step {step.removeprefix('ckpt-')}: the same command goes on from there."
        assert end.errors.splitlines()[-1] == last


@pytest.mark.slow
def test_a_machine_that_is_missing_is_named_and_the_wait_ends_on_a_signal(tmp_path: Path) -> None:
    write_records(tmp_path / "records")
    first, second = free_ports(2)
    environment = {"TF_CONFIG": tf_config([first, second], 0), "PYTHONUNBUFFERED": "1"}
    waiting = start(tmp_path, "pair", environment=environment)
    assert waiting.stdout is not None
    assert any(line == f"Waiting for worker 1 (127.0.0.1:{second}) of TF_CONFIG\n" for line in waiting.stdout)
    waiting.send_signal(signal.SIGTERM)
    assert ended(waiting).code == 143
    end = ended(start(tmp_path, "pair", flags=["--wait_minutes=0"], environment=environment))
    assert end.code == 1
    assert end.errors.startswith("error: TF_CONFIG: no answer from worker 1")
    assert end.errors.count("\n") == 1


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_the_other_in_a_line(tmp_path: Path) -> None:
    write_records(tmp_path / "records")
    ports = free_ports(2)
    chief, worker = (
        start(tmp_path, "pair", flags=ENDLESS, environment={"TF_CONFIG": tf_config(ports, index)}) for index in range(2)
    )
    assert chief.stdout is not None
    for line in chief.stdout:
        if "Step: " in line:
            break
    worker.kill()
    worker.communicate()
    end = ended(chief)
    assert end.code == 1
    assert "Traceback" not in end.errors
    assert end.errors.splitlines()[-1].startswith("error: the work with the other machines of TF_CONFIG ended (")


@pytest.mark.slow
def test_the_learning_rate_can_be_lowered_on_two_devices(tmp_path: Path) -> None:
    write_records(tmp_path / "records")
    end = ended(start(tmp_path, "stalled", ["use_small_reader=0.1", MIRRORED], STALLED))
    assert end.code == 0
    assert "the learning rate is now 0.5 of the schedule's" in end.output
    assert "Stopping early: 2 checkpoints" in end.output
