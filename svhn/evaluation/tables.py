"""Tables of scores, printed and saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from svhn.runtime.files import write_rows

COLUMNS = ("digit_accuracy", "sequence_accuracy", "length_accuracy", "slot_accuracy")


class Row(NamedTuple):
    """A checkpoint's step and its scores, 0 to 1."""

    step: int
    scores: Mapping[str, float]


def columns(rows: Sequence[Row]) -> list[str]:
    """The first three are the reference's; boxes have one where the run says any."""
    return [*COLUMNS, *(name for name in ("box_accuracy",) if name in rows[0].scores)]


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """A row a checkpoint."""
    names = columns(rows)
    values = ((row.step, *(f"{row.scores[name]:.6f}" for name in names)) for row in rows)
    write_rows(path, ("checkpoint", *names), values)


def table(rows: Sequence[Row], best_step: int | None = None) -> str:
    """The same for a person to read, the run's best checkpoint marked."""
    names = columns(rows)
    lines = ["checkpoint   digits  numbers  lengths    slots    boxes"[: 10 + 9 * len(names)]]
    for row in rows:
        values = "".join(f"{100 * row.scores[name]:8.2f}%" for name in names)
        lines.append(f"{row.step:>10}{values}{'  best on valid' if row.step == best_step else ''}")
    return "\n".join(lines)
