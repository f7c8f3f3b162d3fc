"""What a reading of many pictures prints meanwhile and at its end, on stderr: a bar, or lines where no terminal is."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from svhn.labels import Reading
from svhn.reading.files import format_kinds

INTERVAL = 30.0  # seconds between two lines where stderr is no terminal
READ, NO_NUMBER, UNREADABLE = "read", "without a number", "unreadable"  # what can become of a picture


class Progress:
    """Counts readings, and shows for more than one picture how far the work is and how long it still takes.

    On a terminal, stderr shows a bar; elsewhere, it gets a line now and then.
    """

    def __init__(self, total: int) -> None:
        """`total` is the number of pictures."""
        self.total, self.counts = total, Counter[str]()
        self._start = self._last = time.monotonic()
        self._bar: Any = None
        if total > 1 and _count_columns():
            from tqdm import tqdm  # takes longer to import than a picture takes to read

            self._bar = tqdm(total=total, unit=" pictures", leave=False, dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def add(self, reading: Reading) -> None:
        """Count the next picture."""
        self.counts[UNREADABLE if reading.error else READ if reading.numbers else NO_NUMBER] += 1
        if self._bar is not None:
            self._bar.update()
        elif self.total > 1 and time.monotonic() - self._last >= INTERVAL:
            self._last = time.monotonic()
            print(self._format_state(), file=sys.stderr, flush=True)

    def _format_state(self) -> str:
        done, seconds = self.counts.total(), self._last - self._start
        left = (self.total - done) * seconds / done
        return f"{done:,} of {self.total:,} pictures, {done / seconds:.1f} a second, about {_format_time(left)} left"

    def print_line(self, line: str) -> None:
        """Print a line on stdout, above the bar."""
        if self._bar is None:
            print(line, flush=True)
        else:
            self._bar.write(line)
            sys.stdout.flush()

    def format_summary(self, passed_over: Counter[str]) -> str:
        """As the function `format_summary`, of what was counted."""
        return format_summary(self.counts, time.monotonic() - self._start, passed_over)


def format_summary(counts: Mapping[str, int], seconds: float, passed_over: Counter[str]) -> str:
    """The last line: how many pictures were read, and what else was in their folders.

    Args:
        counts: number of pictures by what became of them: `READ`, `NO_NUMBER` or `UNREADABLE`.
        seconds: how long it took.
        passed_over: number of the other files by kind, as `files.Pictures` holds it.
    """
    total = sum(counts.values())
    counted = ", ".join(f"{counts.get(kind, 0):,} {kind}" for kind in (READ, NO_NUMBER, UNREADABLE))
    others = f"; passed over: {format_kinds(passed_over)}" if passed_over else ""
    return f"{total:,} picture{'s' * (total != 1)} in {seconds:.1f} s: {counted}{others}"


def _count_columns() -> int:
    """Columns of the terminal on stderr; 0 if there is none, or none of a known width, where tqdm shows nothing."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        return 0


def _format_time(seconds: float) -> str:
    """Hours, minutes and seconds, such as `1:04:09`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
