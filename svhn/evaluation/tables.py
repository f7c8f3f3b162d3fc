"""Tables of scores by checkpoint, as text and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from svhn.runtime.files import write_rows

SCORE_COLUMNS = ("digit_accuracy", "sequence_accuracy", "length_accuracy", "slot_accuracy")


class ScoreRow(NamedTuple):
    """A checkpoint's step and its scores, as `compute_scores` returns them."""

    step: int
    scores: Mapping[str, float]


def _list_columns(rows: Sequence[ScoreRow]) -> list[str]:
    """The scores' columns; boxes have one if the network predicts them."""
    return [*SCORE_COLUMNS, *(name for name in ("box_accuracy",) if name in rows[0].scores)]


def write_score_table(path: Path, rows: Sequence[ScoreRow]) -> None:
    """Write a CSV with one row per checkpoint: its step and its accuracies, 0 to 1."""
    names = _list_columns(rows)
    values = ((row.step, *(f"{row.scores[name]:.6f}" for name in names)) for row in rows)
    write_rows(path, ("checkpoint", *names), values)


def format_score_table(rows: Sequence[ScoreRow], best_step: int | None = None) -> str:
    """A text table with one line per checkpoint, accuracies in percent, and a mark at the run's best checkpoint."""
    names = _list_columns(rows)
    lines = ["checkpoint   digits  numbers  lengths    slots    boxes"[: 10 + 9 * len(names)]]
    for row in rows:
        values = "".join(f"{100 * row.scores[name]:8.2f}%" for name in names)
        lines.append(f"{row.step:>10}{values}{'  best on valid' if row.step == best_step else ''}")
    return "\n".join(lines)
