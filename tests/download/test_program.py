"""The download command as a program of its own, which is killed, interrupted or runs out of disk."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.mirror import Mirror, pack, publish, serve, tree
from support.sabotage import make_command

ROOT = Path(__file__).parents[2]
PICTURES = {"1.png": random.Random(0).randbytes(200_000), "digitStruct.mat": b"boxes"}
TRACE = "Traceback"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve(tmp_path / "mirror") as mirror:
        offer(mirror, PICTURES)
        yield mirror


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def offer(mirror: Mirror, files: dict[str, bytes]) -> None:
    publish(mirror.folder, pack(mirror.folder / "train.tar.gz", files))


def program(mirror: Mirror, data: Path, *sabotages: str) -> list[str]:
    """The command as a user types it, but for what disturbs it."""
    flags = ["--splits=train", f"--url={mirror.url}", f"--data_dir={data}"]
    return make_command(sabotages, "svhn.download", flags)


def finish(mirror: Mirror, data: Path, files: dict[str, bytes]) -> None:
    """Check that the same command again completes what was left, and leaves nothing else."""
    mirror.pause = 0.0
    subprocess.run(program(mirror, data), cwd=ROOT, check=True, capture_output=True)
    assert tree(data / "train") == files
    assert sorted(path.name for path in data.iterdir()) == ["train", "train.tar.gz"]


def stop_when(ready: Callable[[], bool], number: signal.Signals, arguments: list[str]) -> tuple[int, str]:
    """Send the program a signal once it is far enough; returns its exit code and stderr."""
    with subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        deadline = time.monotonic() + 20
        while not ready() and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        running.send_signal(number)
        return running.wait(10), running.communicate()[1]


@pytest.mark.parametrize(
    ("number", "code", "line"),
    [
        (signal.SIGKILL, -9, ""),
        (signal.SIGINT, 130, "interrupted: run the same command again\n"),
        (signal.SIGTERM, 143, "terminated: run the same command again\n"),
    ],
)
def test_a_download_stopped_in_the_middle_resumes(
    mirror: Mirror, data: Path, number: signal.Signals, code: int, line: str
) -> None:
    mirror.pause = 0.05  # 2.5 s in all
    part = data / "train.tar.gz.part"
    ended = stop_when(lambda: part.exists() and part.stat().st_size > 0, number, program(mirror, data))
    assert ended[0] == code
    assert ended[1].endswith(line)
    assert TRACE not in ended[1]
    reached = part.stat().st_size
    stale = {"train.tar.gz.lock", "train.tar.gz.holder"} if number == signal.SIGKILL else set()
    assert {*tree(data)} - stale == {"train.tar.gz.part"}
    assert 0 < reached < (mirror.folder / "train.tar.gz").stat().st_size
    finish(mirror, data, PICTURES)
    assert mirror.asked("train.tar.gz") == [("", 200), (f"bytes={reached}-", 206)]


def test_unpacking_killed_in_the_middle_starts_over(mirror: Mirror, data: Path) -> None:
    many = {f"{number}.png": b"" for number in range(200)}
    offer(mirror, many)
    unfinished = data / "train.partial"
    code, errors = stop_when(
        lambda: (unfinished / "9.png").exists(), signal.SIGKILL, program(mirror, data, "unpack_slowly=0.01")
    )
    assert (code, TRACE in errors) == (-9, False)
    assert not (data / "train").exists()
    assert len(list(unfinished.iterdir())) < len(many)
    finish(mirror, data, many)
    assert mirror.asked("train.tar.gz") == [("", 200)]


@pytest.mark.parametrize(
    ("limit", "full", "left"),
    [
        (100_000, "train.tar.gz.part", {"train.tar.gz.part"}),
        (210_000, "train.partial", {"train.tar.gz"}),
    ],
)
def test_a_full_disk_is_one_line_and_leaves_good_files(
    mirror: Mirror, data: Path, limit: int, full: str, left: set[str]
) -> None:
    files = {"1.png": PICTURES["1.png"], "2.png": bytes(400_000)}  # the second one takes little room in the archive
    offer(mirror, files)
    (data / "test").mkdir(parents=True)
    (data / "test" / "1.png").write_bytes(b"good")
    done = subprocess.run(
        program(mirror, data, f"limit_files={limit}"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: {data}/{full}: File too large: raise the limit")
    assert TRACE not in done.stderr
    assert set(tree(data)) == left | {"test/1.png"}
    assert (data / "test" / "1.png").read_bytes() == b"good"
    (data / "test" / "1.png").unlink()
    (data / "test").rmdir()
    finish(mirror, data, files)
