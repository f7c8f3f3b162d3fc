"""The package in an environment that has its requirements and nothing else: no TensorFlow, no Keras, no h5py."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from support.program import ROOT

PICTURE = ROOT / "svhn/examples/208.jpg"
MAX_WHEEL = 28e6  # bytes: two readers and a finder, each with weights to go on from and a file to read with


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, f"--wheel-dir={folder}", str(ROOT)], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def packages(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content and links to the packages that it requires, and those that they require."""
    folder = tmp_path_factory.mktemp("packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    for found in list_required(Distribution.at(next(folder.glob("*.dist-info")))):
        for entry in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}:
            target = folder / entry
            if not target.exists():
                target.symlink_to(Path(str(found.locate_file(entry))).resolve())
    return folder


def list_required(first: Distribution) -> list[Distribution]:
    """All that a distribution needs, extras left out."""
    found: dict[str, Distribution] = {}
    waiting = [first]
    while waiting:
        for text in waiting.pop().requires or ():
            requirement = Requirement(text)
            needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if needed and requirement.name not in found:
                found[requirement.name] = distribution(requirement.name)
                waiting.append(found[requirement.name])
    return list(found.values())


def run_light(packages: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Python without the packages of this environment, in another folder."""
    command = [sys.executable, "-S", "-m", "svhn", *words]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(packages)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < MAX_WHEEL


@pytest.mark.slow
def test_a_photo_is_read_without_tensorflow(packages: Path, tmp_path: Path) -> None:
    assert not list(packages.glob("tensorflow*"))
    done = run_light(packages, tmp_path, "read", str(PICTURE))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{PICTURE}  208  0.")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [["wrangle", "--salvage"], ["read", "--engine=tensorflow", str(PICTURE)], ["export", "--name=released"]]
)
def test_what_needs_tensorflow_names_the_extra(packages: Path, tmp_path: Path, words: list[str]) -> None:
    done = run_light(packages, tmp_path, *words)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "'.[train]'" in done.stderr
