"""A command as a process of its own that is disturbed on the way, or runs in other surroundings.

python -m tests.support.sabotage SABOTAGE[=VALUE] … -- PROGRAM FLAGS

PROGRAM is a file, such as main.py, or a module, such as svhn.wrangle. Each function below is a sabotage.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import resource
import runpy
import signal
import sys
import tarfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from svhn.runtime import shell


def limit_files(size: str) -> None:
    """Let no file grow beyond so many bytes, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))


def unpack_slowly(seconds: str) -> None:
    """Wait so long before each file of an archive."""
    own = tarfile.TarFile.extract

    def extract(*args: Any, **options: Any) -> None:
        time.sleep(float(seconds))
        own(*args, **options)

    tarfile.TarFile.extract = extract  # type: ignore[method-assign]


def die_after_step(step: str) -> None:
    """Be killed in the training step after this one."""
    with shell.silence_tensorflow():
        from svhn.training.loop import Loop
    own = Loop.check_finite

    def check_finite(loop: Loop, done: int, loss: float) -> None:
        if done > int(step):
            _die()
        own(loop, done, loss)

    Loop.check_finite = check_finite  # type: ignore[method-assign]


def die_at_example(count: str) -> None:
    """Be killed while records are written, at this one."""
    with shell.silence_tensorflow():
        from svhn import records
    _die_at_call(records, records.serialize_example, int(count))


def die_at_moved_shard(count: str) -> None:
    """Be killed while new records take the place of old ones, at this file."""
    with shell.silence_tensorflow():
        from svhn.wrangle import shards
    _die_at_call(shards, shards.move_shard, int(count))


def _die_at_call(module: ModuleType, function: Callable[..., Any], count: int) -> None:
    calls = 0

    def dying(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count:
            _die()
        return function(*args)

    setattr(module, function.__name__, dying)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def use_small_reader(dropout: str) -> None:
    """Give the model `reader` two stages."""
    with shell.silence_tensorflow():
        from svhn.models import MODELS, residual
    build = functools.partial(residual.build, "reader", 32, ((8, 1, 2), (16, 1, 2)), float(dropout))
    MODELS["reader"] = dataclasses.replace(MODELS["reader"], build=build, maps=("stage2",))


def use_two_devices(_: str) -> None:
    """Train on two logical CPUs."""
    with shell.silence_tensorflow():
        import tensorflow as tf

        from svhn.training import distribute
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    distribute.choose_strategy = lambda *_: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def read_with_stub(pause: str) -> None:
    """Read pictures without networks, each for so many seconds."""
    from svhn.cli import reading_commands
    from tests.support.stub_reader import StubReader

    reading_commands._load_reader = lambda _: StubReader(float(pause))  # type: ignore[assignment]


def print_writes(_: str) -> None:
    """Print the name of each file that is written whole or not at all."""
    from svhn.runtime import files

    own = files.atomic_write

    def atomic_write(path: Path, *args: Any) -> Any:
        print("wrote", path.name)
        return own(path, *args)

    files.atomic_write = atomic_write


SABOTAGES: dict[str, Callable[[str], None]] = {
    function.__name__: function
    for function in (
        limit_files,
        unpack_slowly,
        die_after_step,
        die_at_example,
        die_at_moved_shard,
        use_small_reader,
        use_two_devices,
        read_with_stub,
        print_writes,
    )
}


def make_command(sabotages: Sequence[str], program: str, flags: Sequence[str]) -> list[str]:
    """The command line, to be run in the root of the repository; without sabotage, as a user types it."""
    start = [program] if program.endswith(".py") else ["-m", program]
    if sabotages:
        start = ["-m", "tests.support.sabotage", *sabotages, "--", program]
    return [sys.executable, *start, *flags]


def run_program(program: str, flags: Sequence[str]) -> None:
    sys.argv = [program, *flags]
    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    end = sys.argv.index("--")
    for sabotage in sys.argv[1:end]:
        name, _, value = sabotage.partition("=")
        SABOTAGES[name](value)
    run_program(sys.argv[end + 1], sys.argv[end + 2 :])
