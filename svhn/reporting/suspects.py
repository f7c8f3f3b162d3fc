"""Labels that may be wrong: a network reads another number, and is sure of it."""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterable, Iterator
from pathlib import Path

from svhn.labels import Prediction
from svhn.reporting import sheets
from svhn.runtime.files import atomic_write

LEAST_CONFIDENCE = 0.8  # of a reading that makes a label suspect
COLUMNS = ("name", "number", "label", "confidence")  # `wrangle.corrections` reads the first three
MOST_SHOWN = 200  # suspects on the sheet


def choose_suspects(predictions: Iterable[Prediction]) -> Iterator[Prediction]:
    """The examples in which a network is sure to read another number than the label's."""
    for prediction in predictions:
        reading = prediction.reading
        if reading.text and reading.confidence >= LEAST_CONFIDENCE and reading.text != prediction.label:
            yield prediction


def write_suspects(predictions: Iterable[Prediction], path: Path) -> int:
    """Write a table of the suspect labels, the surest reading first, and a sheet of its first rows.

    Args:
        predictions: what a network reads in the examples of a split.
        path: of the table. The sheet has its name with `.png`, and pictures in the order of the table. Where nothing is
            suspect, none is written, and an earlier one removed.

    Returns:
        The number of suspect labels.
    """
    rows: list[tuple[float, int, tuple[str, str, str]]] = []  # without pictures, whose number has to be bounded
    shown: list[tuple[float, int, Prediction]] = []
    for place, suspect in enumerate(choose_suspects(predictions)):
        sure = suspect.reading.confidence
        rows.append((-sure, place, (suspect.name, suspect.reading.text, suspect.label)))
        heapq.heappush(shown, (sure, -place, suspect))
        if len(shown) > MOST_SHOWN:
            heapq.heappop(shown)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, "w") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((*cells, f"{-sure:.3f}") for sure, _, cells in sorted(rows))
    sheet = path.with_suffix(".png")
    if shown:
        sheets.write_sheet(sheet, [suspect for *_, suspect in sorted(shown, reverse=True)])
    else:
        sheet.unlink(missing_ok=True)
    return len(rows)
