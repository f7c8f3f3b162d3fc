"""Progress bars on stderr: redrawn often on a terminal, and seldom where a file or another program takes the output."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

TERMINAL_INTERVAL, FILE_INTERVAL = 0.1, 30.0  # least seconds between two redraws


def make_bar(items: Iterable[Any] | None = None, **options: Any) -> Any:
    """A bar around `items`, or one that its `update` moves. `options` are those of `tqdm.tqdm`."""
    interval = TERMINAL_INTERVAL if sys.stderr and sys.stderr.isatty() else FILE_INTERVAL
    hidden = options.pop("disable", False) or not sys.stderr  # None if the shell has closed it
    return tqdm(items, mininterval=interval, maxinterval=max(10.0, interval), disable=hidden, **options)
