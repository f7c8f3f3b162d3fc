"""The steps of the Dockerfile in an empty environment: what it installs serves, and TensorFlow is not among it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support.serving import ROOT

STEPS = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LARGEST = 400  # megabytes


def list_copied() -> list[str]:
    """What `.dockerignore` lets into the image."""
    return re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)


def measure_megabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@pytest.mark.slow
def test_the_steps_of_the_image_make_a_small_server(tmp_path: Path) -> None:
    source, bin_folder = tmp_path / "source", tmp_path / "environment/bin"
    source.mkdir()
    for name in list_copied():
        (source / name).symlink_to(ROOT / name)
    subprocess.run([sys.executable, "-m", "venv", bin_folder.parent], check=True)
    before = measure_megabytes(bin_folder.parent)
    (install,) = (line for line in STEPS.splitlines() if line.startswith("RUN pip"))
    words = [word.replace("/source", str(source)) for word in shlex.split(install.removeprefix("RUN "))]
    subprocess.run([bin_folder / words[0], *words[1:]], check=True, stdout=subprocess.DEVNULL)
    assert measure_megabytes(bin_folder.parent) - before < LARGEST
    assert not list(bin_folder.parent.glob("lib/*/site-packages/tensorflow"))
    command = json.loads(STEPS.rpartition("CMD ")[2])
    assert command[-2:] == ["--host=0.0.0.0", "--port=8000"]
    command = [str(bin_folder / command[0]), *command[1:-2], "--port=0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        address = server.stdout.readline().split()[3].removesuffix("/v1/read")
        try:
            health = httpx.get(f"{address}/v1/health", trust_env=False).json()
            content = (ROOT / "svhn/examples/208.jpg").read_bytes()
            answer = httpx.post(f"{address}/v1/read", content=content, trust_env=False, timeout=30).json()
        finally:
            server.terminate()
    assert health == {"status": "ok", "waiting": 0}
    assert answer["pictures"][0]["numbers"][0]["text"] == "208"


def test_the_health_check_asks_the_port_that_is_served() -> None:
    (check,) = (line for line in STEPS.splitlines() if line.startswith("HEALTHCHECK"))
    assert "http://127.0.0.1:8000/v1/health" in check
    assert "USER nobody" in STEPS
