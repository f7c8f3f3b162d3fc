"""Tables of scores, printed and saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from svhn.runtime.files import write_rows

SCORE_COLUMNS = ("digit_accuracy", "sequence_accuracy", "length_accuracy", "slot_accuracy")


class ScoreRow(NamedTuple):
    """A checkpoint's step and its scores, 0 to 1."""

    step: int
    scores: Mapping[str, float]


def _list_columns(rows: Sequence[ScoreRow]) -> list[str]:
    """The first three are the reference's; boxes have one where the run says any."""
    return [*SCORE_COLUMNS, *(name for name in ("box_accuracy",) if name in rows[0].scores)]


def write_score_table(path: Path, rows: Sequence[ScoreRow]) -> None:
    """A row a checkpoint."""
    names = _list_columns(rows)
    values = ((row.step, *(f"{row.scores[name]:.6f}" for name in names)) for row in rows)
    write_rows(path, ("checkpoint", *names), values)


def format_score_table(rows: Sequence[ScoreRow], best_step: int | None = None) -> str:
    """The same for a person to read, the run's best checkpoint marked."""
    names = _list_columns(rows)
    lines = ["checkpoint   digits  numbers  lengths    slots    boxes"[: 10 + 9 * len(names)]]
    for row in rows:
        values = "".join(f"{100 * row.scores[name]:8.2f}%" for name in names)
        lines.append(f"{row.step:>10}{values}{'  best on valid' if row.step == best_step else ''}")
    return "\n".join(lines)
