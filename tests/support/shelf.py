"""What is costly to make and used by several files of tests: made once per session, whichever worker comes first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name`, filled by `make` unless a worker of this session has done so; not to be changed."""
    shelf = find_shelf(factory)
    folder, finished = shelf / name, shelf / f"{name}.finished"
    with FileLock(shelf / f"{name}.lock"):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed half-way
            folder.mkdir()
            make(folder)
            finished.touch()
    return folder


def find_shelf(factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this session share."""
    own = factory.getbasetemp()
    shelf = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shelf"
    shelf.mkdir(exist_ok=True)
    return shelf


def copy_run(source: Path, target: Path, *left_out: str) -> Path:
    """A copy of a folder of the shelf, to be changed."""
    return Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns(*left_out), dirs_exist_ok=True))
