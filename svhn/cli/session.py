"""What the user asked for, and what every command prints about it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any, NamedTuple

from svhn import records
from svhn.config import Paths, parse_train_on
from svhn.run import Run
from svhn.spec import Info


class Session(NamedTuple):
    """A command line: the name of its command, and what its flags and words ask for."""

    mode: str
    paths: Paths
    given: dict[str, Any]  # fields of Config that were named on the command line
    checkpoint: str
    split: str | None  # None where none was named
    suspects: bool
    finder: str
    engine: str
    threads: int  # 0: as many as there are cores
    format: str
    host: str
    port: int
    images: list[str]
    recursive: bool
    fps: float
    annotate: str
    output: str
    as_: str  # --as, whose name is a word of Python's own
    picture_address: str
    part_size: int
    blend: str
    blend_share: float
    restart: bool
    accept_errors: bool
    wait_minutes: float
    runner: str
    runner_options: list[str]
    max_megabytes: float
    max_pictures: int
    max_seconds: float
    max_waiting: int
    models: list[str]


TRAINING_ROWS = ("Is training", "Log name", "Num steps", "Num epochs", "Learning rate")  # which only train prints


def format_banner(session: Session, run: Run) -> str:
    """What a command works with. Training prints the title and the rows of the reference."""
    height, width, channels = run.input_shape
    rows = {
        "Running project": session.paths.name,
        "Mode": session.mode,
        "Is training": session.mode == "train",
        "Log name": session.paths.log_name,
        "Checkpoint dir": session.paths.run_folder,
        "Loading data from": Path(session.paths.records_dir) / run.config.dataset,
        **({"Training on": run.config.train_on} if run.config.train_on else {}),
        "Model": f"{run.config.model}, for {height}x{width} pixels",
        **({"Num steps": run.config.num_steps} if run.config.num_steps else {"Num epochs": run.config.num_epochs}),
        "Batch size": run.config.batch_size,
        "Learning rate": run.config.lrate,
        "Random crop": run.config.random_crop,
        "Grayscale": run.config.grayscale,
        "Channels": channels,
    }
    training = session.mode == "train"
    shown = {name: value for name, value in rows.items() if training or name not in TRAINING_ROWS}
    lines = [f"{name + ':':<19}{value}" for name, value in shown.items()]
    return "\n".join(["MULTI-SVHN CLASSIFICATION", *lines] if training else lines)


def read_session_info(session: Session) -> Info:
    """The info.json of the records of the data set that the user named, or else of the run's own data set.

    Raises:
        UserError: the run's config.json or the info.json can't be used, or a data set or model is unknown.
    """
    from svhn.runs import stored  # imports NumPy, which would delay pages of help

    dataset = stored.resolve_option(session.paths.run_folder, session.given, "dataset")
    return records.read_info(session.paths.records_dir, dataset)


def read_training_info(session: Session) -> Info:
    """As `read_session_info`, with the sources of the other data sets that the run trains on added to the `sources`.

    Raises:
        UserError: as `read_session_info`, for each of the data sets, or `--train_on` is malformed.
    """
    from svhn.runs import stored

    info = read_session_info(session)
    train_on = stored.resolve_option(session.paths.run_folder, session.given, "train_on")
    return records.add_other_sources(info, session.paths.records_dir, parse_train_on(train_on, info.dataset))


def format_score_command(paths: Paths, info: Info, checkpoint: str) -> str:
    """The command that scores a run's checkpoint, `best` or `latest`, on test if there is such a split."""
    options = {"name": paths.name, "checkpoint": checkpoint}
    for folder in ("records_dir", "checkpoints_dir", "results_dir"):
        if getattr(paths, folder) != getattr(Paths, folder):
            options[folder] = getattr(paths, folder)
    command = "test" if info.has_split("test") else "valid"
    return shlex.join(["svhn", command, *(f"--{name}={value}" for name, value in options.items())])


def print_line(line: str) -> None:
    print(line, flush=True)


def print_note(line: str) -> None:
    """Print a line beside the results, which go to stdout."""
    print(f"note: {line}", file=sys.stderr, flush=True)
