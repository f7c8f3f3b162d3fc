"""What becomes of damaged files, and of work that is killed and begun again: counted, in a table.

    python -m benchmarks.faults [--count=10000] [--kills=100] [--formats=PNG,JPEG] [--programs=download,read]

Each damaged file has one change: a bit, a byte, or a run of bytes that is cleared, removed or repeated, or a cut end. A
process reads it as the program does; another process waits for it. Each program of `--programs` is killed at random
moments after it has made its first file, and must end with the bytes, or the scores and weights, of undisturbed work.
Formats without a checksum can be read otherwise in silence: BMP, GIF, JPEG, QOI, TIFF, WebP, idx, CSV and JSON.

`train` needs what `make test` installs, and takes a third of `--kills`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.helpers.damage import try_damage
from benchmarks.helpers.damaged_formats import FORMATS
from benchmarks.helpers.killed_programs import PROGRAMS
from benchmarks.helpers.kills import try_kills
from benchmarks.helpers.outcomes import format_table

LONG = {"train": 3}  # by how much fewer kills a program that takes long gets


def _choose(text: str, known: dict[str, object]) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in known:
            raise SystemExit(f"{name}: expected some of {','.join(known)}")
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="damaged files of each format")
    parser.add_argument("--kills", type=int, default=100, help="kills of each program")
    parser.add_argument("--formats", default=",".join(FORMATS), help="comma-separated; empty for none")
    parser.add_argument("--programs", default=",".join(PROGRAMS), help="comma-separated; empty for none")
    args = parser.parse_args()
    rows = {}
    for name in _choose(args.formats, {**FORMATS}):
        rows[name], lines = try_damage(name, args.count)
        print(f"{name}: {dict(rows[name])}", *lines, sep="\n", file=sys.stderr, flush=True)
    for name in _choose(args.programs, {**PROGRAMS}):
        with tempfile.TemporaryDirectory() as folder:
            kills = max(1, round(args.kills / LONG.get(name, 1)))
            rows[f"{name}, {kills} kills"], lines = try_kills(PROGRAMS[name], kills, Path(folder))
        print(f"{name}: {dict(rows[f'{name}, {kills} kills'])}", *lines, sep="\n", file=sys.stderr, flush=True)
    print(format_table(rows))


if __name__ == "__main__":
    main()
