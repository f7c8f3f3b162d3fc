"""What can become of a file that is damaged, or of work that is killed and begun again."""

from __future__ import annotations

from collections.abc import Mapping

RIGHT, CLEAR, TRACE, DEATH, HANG = "right", "clear error", "trace", "death", "hang"
SILENT, SILENT_CUT = "silently wrong", "of other length"  # the second is among the first: a length would tell it
OUTCOMES = (RIGHT, CLEAR, TRACE, DEATH, HANG, SILENT, SILENT_CUT)


def format_table(rows: Mapping[str, Mapping[str, int]]) -> str:
    """A Markdown table.

    Args:
        rows: by what was tried, how often each of `OUTCOMES` came.
    """
    lines = [("", "tries", *OUTCOMES), ("---",) * (len(OUTCOMES) + 2)]
    for name, counts in rows.items():
        tries = sum(counts.get(outcome, 0) for outcome in OUTCOMES if outcome != SILENT_CUT)
        lines.append((name, f"{tries:,}", *(f"{counts.get(outcome, 0):,}" for outcome in OUTCOMES)))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
