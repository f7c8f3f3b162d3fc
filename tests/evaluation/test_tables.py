"""Tables of scores, with a column for boxes where the run says any."""

from __future__ import annotations

from pathlib import Path

import pytest

from svhn.evaluation import tables
from svhn.evaluation.tables import ScoreRow

SCORES = {"digit_accuracy": 0.9, "sequence_accuracy": 0.8, "length_accuracy": 0.95, "slot_accuracy": 0.97, "loss": 1.0}
HEADER = "checkpoint,digit_accuracy,sequence_accuracy,length_accuracy,slot_accuracy"


@pytest.mark.parametrize("finds", [True, False])
def test_boxes_have_a_column_where_there_are_any(tmp_path: Path, finds: bool) -> None:
    rows = [ScoreRow(step, {**SCORES, "box_accuracy": 0.75} if finds else SCORES) for step in (5, 1000)]
    tables.write_score_table(tmp_path / "table.csv", rows)
    header, first, _ = (tmp_path / "table.csv").read_text().splitlines()
    assert header == HEADER + ",box_accuracy" * finds
    assert first == "5,0.900000,0.800000,0.950000,0.970000" + ",0.750000" * finds
    title, line, last = tables.format_score_table(rows, best_step=1000).splitlines()
    assert title == "checkpoint   digits  numbers  lengths    slots" + "    boxes" * finds
    assert line == "         5   90.00%   80.00%   95.00%   97.00%" + "   75.00%" * finds
    assert last.endswith("best on valid")
