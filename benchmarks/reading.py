"""What reading costs as whole processes, beside another checkout of this project and beside RapidOCR.

    python -m benchmarks.reading --pictures=data/test [--before=../old] [--rapidocr=python3] [--engines=litert,onnx]
        [--count=3000] [--repeats=5]

Three jobs are measured: one picture, a picture of 12 megapixels, and a folder of `--count` pictures. Each checkout does
each job, and so does this one with each of the `--engines`, which must be installed; `onnx` needs the files of `svhn
export --name=released-large --format=onnx` and of the same with `--name=finder`. RapidOCR does the first two. Each job
runs `--repeats` times, the commands in turn, and the medians are printed. CPU seconds are those of the process and its
children. Memory is the largest sum of the proportional set sizes (PSS) of these processes, read from /proc twenty times
a second, so this program needs Linux.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from PIL import Image

ROOT = Path(__file__).parents[1]
PHOTO_SIZE = (4000, 3000)  # width and height in pixels
SAMPLE_SECONDS = 0.05  # between two looks at the memory
RAPIDOCR = "import sys, rapidocr; engine = rapidocr.RapidOCR(); print([engine(path) for path in sys.argv[1:]])"


class Cost(NamedTuple):
    """What a process took: CPU seconds, seconds of wall time, and megabytes at its peak."""

    cpu: float
    wall: float
    memory: float


def _list_processes(first: int) -> list[int]:
    """A process and all below it."""
    found = [first]
    for process in found:
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def measure_memory(processes: Iterable[int]) -> float:
    """The sum of the processes' PSS, in megabytes."""
    total = 0
    for process in processes:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def measure_command(command: list[str], folder: Path) -> Cost:
    """Run a command in a folder, and measure it. Raises `CalledProcessError` if it fails."""
    began, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        before = os.times()
        while process.poll() is None:
            with suppress(OSError, StopIteration):  # raised for a process that ended between two looks
                peak = max(peak, measure_memory(_list_processes(process.pid)))
            time.sleep(SAMPLE_SECONDS)
    after, wall = os.times(), time.perf_counter() - began
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(after.children_user + after.children_system - before.children_user - before.children_system, wall, peak)


def make_command(checkout: Path, pictures: Path, *flags: str) -> list[str]:
    """The command that reads pictures with a checkout's bundled networks, of which earlier ones named no default."""
    named = re.search(r'^READER = "(.+?)"', (checkout / "svhn/config.py").read_text(encoding="utf-8"), re.MULTILINE)
    names = ["--mode=predict", f"--name={named[1] if named else 'released'}", "--finder=finder"]
    return [sys.executable, str(checkout / "main.py"), *names, f"--images={pictures}", *flags]


def list_pictures(folder: Path) -> list[Path]:
    """The PNG files of a folder by name, or its JPEG files if it has none."""
    return sorted(folder.glob("*.png")) or sorted(folder.glob("*.jpg"))


def link_pictures(source: Path, target: Path, count: int) -> Path:
    """A folder with links to the first pictures of another, by name."""
    target.mkdir()
    for picture in islice(list_pictures(source), count):
        (target / picture.name).symlink_to(picture.resolve())
    return target


def print_job(title: str, commands: dict[str, list[str]], folder: Path, repeats: int) -> None:
    """Run each command in turn, and print the medians."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            costs[name].append(measure_command(command, folder))
    for name, measured in costs.items():
        cpu, wall, memory = (statistics.median(column) for column in zip(*measured, strict=True))
        print(f"{title:24} {name:12} {cpu:10.2f} {wall:10.2f} {memory:10.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--before", type=Path, help="another checkout")
    parser.add_argument("--rapidocr", help="a Python that has RapidOCR")
    parser.add_argument("--count", type=int, default=3000, help="pictures of the folder")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--engines", default="", help="engines to compare, comma-separated")
    args = parser.parse_args()
    if not list_pictures(args.pictures) or args.count < 1:
        parser.error(
            f"--pictures={args.pictures} --count={args.count}: expected a folder of .png or .jpg, and a count above 0"
        )
    checkouts = {"now": ROOT, **({"before": args.before.resolve()} if args.before else {})}
    engines = [engine for engine in args.engines.split(",") if engine]
    print(f"{'':37} {'CPU s':>10} {'wall s':>10} {'PSS MB':>10}   medians of {args.repeats}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many, one = link_pictures(args.pictures, folder / "many", args.count), folder / "one.png"
        linked = list_pictures(many)
        Image.open(linked[0]).save(one)
        Image.open(linked[0]).convert("RGB").resize(PHOTO_SIZE).save(folder / "large.jpg", quality=90)
        for title, pictures in {"one picture": one, "12 megapixels": folder / "large.jpg", "folder": many}.items():
            commands = {name: make_command(checkout, pictures) for name, checkout in checkouts.items()}
            results = f"--results_dir={ROOT / 'results'}"  # of `svhn export`, for engines that no bundled file is for
            commands |= {name: make_command(ROOT, pictures, f"--engine={name}", results) for name in engines}
            if args.rapidocr and pictures is not many:
                commands["RapidOCR"] = [args.rapidocr, "-c", RAPIDOCR, str(pictures)]
            print_job(title, commands, folder, args.repeats)
    print(f"{len(linked)} pictures of {args.pictures.name}; {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
