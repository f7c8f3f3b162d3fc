"""Programs that are killed at random moments, and begun again by the same command until they end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.helpers.killed_programs import Program
from benchmarks.helpers.outcomes import CLEAR, HANG, RIGHT, SILENT, TRACE

MOST_KILLS = 5  # in a row, before the program is left to end
LIMIT = 600.0  # seconds for a program to end; more is a hang
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.getcwd(), "no_proxy": "127.0.0.1"}  # noqa: PTH109


class Killer:
    """Kills a program, and judges what it has made when it ends.

    Args:
        program: the program.
        words: its command line, after the name of Python.
        folder: an empty folder; each piece of work gets a folder of its own in it.
    """

    def __init__(self, program: Program, words: Sequence[str], folder: Path) -> None:
        self.counts, self.lines = Counter[str](), list[str]()
        self._program, self._words, self._folder, self._works = program, words, folder, 0
        self._work = self._begin_work()
        self.seconds = self._measure_seconds()
        self._expected, self._work = program.read(self._work), self._begin_work()

    def _begin_work(self) -> Path:
        self._works += 1
        work = self._folder / str(self._works)
        work.mkdir()
        return work

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, *(word.replace("WORK", str(self._work)) for word in self._words)]
        errors = (self._folder / "errors.txt").open("w")  # a pipe would fill up
        with errors:
            return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, text=True, env=ENVIRONMENT)

    def _measure_seconds(self) -> tuple[float, float]:
        """Seconds until the program has made its first file, and until it ends."""
        began, first = time.monotonic(), 0.0
        process = self._start()
        while process.poll() is None:
            if not first and any(self._work.iterdir()):
                first = time.monotonic() - began
            time.sleep(0.01)
        if process.returncode:
            raise SystemExit(f"{self._program.name}: {self._read_errors()}")
        return first, time.monotonic() - began

    def _read_errors(self) -> str:
        return (self._folder / "errors.txt").read_text(errors="replace").strip()

    def kill(self, seconds: float) -> bool:
        """Start the program and kill it after so many seconds; False if it ended before, and was judged."""
        process = self._start()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        self._judge(process.returncode)
        return False

    def finish(self) -> None:
        """Start the program, wait for its end, and judge."""
        if self.kill(LIMIT):
            self._note(HANG, "")

    def _judge(self, code: int) -> None:
        errors = self._read_errors()
        if "Traceback" in errors or code < 0:
            self._note(TRACE, f"exit code {code}: {errors[-300:]}")
        elif code:
            self._note(CLEAR, errors[-300:])
        else:
            same = self._program.read(self._work) == self._expected
            self._note(RIGHT if same else SILENT, "" if same else str(self._work))

    def _note(self, outcome: str, detail: str) -> None:
        self.counts[outcome] += 1
        if outcome != RIGHT:
            self.lines.append(f"{self._program.name}: {outcome} {detail}")
        self._work = self._begin_work()


def try_kills(program: Program, kills: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Kill a program so many times. After at most `MOST_KILLS`, it is left to end and begins anew.

    Args:
        program: the program.
        kills: number of kills; a program that ends before its kill counts as one.
        folder: an empty folder.

    Returns:
        How often each of `outcomes.OUTCOMES` came where the program ended, and a line for all but the right ones.
    """
    rng, row = random.Random(program.name), 0
    with program.prepare(folder / "source") as words:
        (folder / "work").mkdir()
        killer = Killer(program, words, folder / "work")
        first, last = killer.seconds
        for _ in range(kills):
            row = row + 1 if killer.kill(rng.uniform(0.8 * first, 1.05 * last)) else 0
            if row and (row == MOST_KILLS or rng.random() < 0.3):
                killer.finish()
                row = 0
        killer.finish()
    return killer.counts, killer.lines
