"""Readings as rows of CSV and JSON, and as lines for the terminal. docs/output.md describes them."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

from svhn.labels import Number, Reading, Refusal, Seen
from svhn.reading.files import to_line, to_printable
from svhn.spec import Box, Corners

UNIX_TIMES = 1e9  # seconds from which a time counts from 1970 on, and not from a video's start: 31 years
SCHEMA = 2  # version of what output.schema.json describes, to be raised when a row changes
CSV_COLUMNS = (
    *("file", "number", "confidence", "left", "top", "right", "bottom", "digit_confidences", "index", "schema"),
    *("refused", "refused_confidence", "needed", "error", "corners", "truncated"),
    *("first", "last", "best", "first_frame", "last_frame", "best_frame", "frames"),
)
SEEN_COLUMNS = CSV_COLUMNS[-7:]

Row = dict[str, Any]  # JSON values by name, as output.schema.json describes them


def make_row(file: str, reading: Reading) -> Row:
    """The row of one picture, as output.schema.json describes it; `file` is the picture's path."""
    width, height = reading.size or (None, None)
    return {
        "schema": SCHEMA,
        "file": to_printable(file),
        "width": width,
        "height": height,
        "numbers": [_describe_number(number) for number in reading.numbers],
        "refused": _describe_refusal(reading.refused) if reading.refused else None,
        "error": to_printable(reading.error.removeprefix(f"{file}: ")) or None,
    }


def _describe_number(number: Number) -> Row:
    digits = zip(number.text, number.digit_confidences, strict=True)
    return {
        "text": number.text,
        "truncated": number.truncated,
        "confidence": _round_probability(number.confidence),
        "box": _round_box(number.box) if number.box else None,
        "corners": _round_corners(number.corners) if number.corners else None,
        "digits": [{"text": digit, "confidence": _round_probability(value)} for digit, value in digits],
        "seen": _describe_seen(number.seen) if number.seen else None,
    }


def _describe_seen(seen: Seen) -> Row:
    times = {name: round(getattr(seen, name), 3) for name in ("first", "last", "best")}
    return {**seen._asdict(), **times}


def _describe_refusal(refused: Refusal) -> Row:
    return {
        "text": refused.text,
        "confidence": _round_probability(refused.confidence),
        "needed": _round_probability(refused.needed),
    }


def _round_probability(value: float) -> float:
    return round(float(value), 6)


def _round_box(box: Box) -> list[float]:
    return [round(float(side), 1) for side in box]


def _round_corners(corners: Corners) -> list[list[float]]:
    return [[round(float(x), 1), round(float(y), 1)] for x, y in corners]


def format_json_row(row: Row) -> str:
    """The row as a line of JSON Lines, without the line's end."""
    return json.dumps(row, ensure_ascii=False)


def format_csv_row(row: Row) -> str:
    """Lines of CSV, each with its end: one per number of the row, or a single line without a number."""
    ending = [row["schema"], *_list_refusal_cells(row["refused"]), row["error"] or ""]
    found = [
        [*_list_csv_cells(number, index), *ending, *_list_last_cells(number)]
        for index, number in enumerate(row["numbers"])
    ]
    nothing = [*[""] * 8, *ending, *[""] * (2 + len(SEEN_COLUMNS))]
    return "".join(_format_cells([row["file"], *cells]) for cells in found or [nothing])


def _format_cells(cells: list[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)  # which quotes a cell with either character
    return buffer.getvalue().removesuffix("\r\n") + "\n"


def _list_csv_cells(number: Row, index: int) -> list[object]:
    digits = " ".join(f"{digit['confidence']:.4f}" for digit in number["digits"])
    place = number["seen"]["order"] if number["seen"] else index
    return [number["text"], f"{number['confidence']:.6f}", *(number["box"] or [""] * 4), digits, place]


def _list_last_cells(number: Row) -> list[object]:
    seen = number["seen"] or dict.fromkeys(SEEN_COLUMNS, "")
    truncated = int(number["truncated"]) or ""
    return [_format_corners(number["corners"]), truncated, *(seen[column] for column in SEEN_COLUMNS)]


def _format_corners(corners: list[list[float]] | None) -> str:
    return " ".join(str(side) for corner in corners or [] for side in corner)


def _list_refusal_cells(refused: Row | None) -> list[str]:
    if not refused:
        return [""] * 3
    return [refused["text"], f"{refused['confidence']:.6f}", f"{refused['needed']:.6f}"]


def format_reading(file: str, reading: Reading) -> str:
    """The line of a picture on the terminal: the file, and each number with its confidence or why there is none."""
    if reading.numbers:
        return "  ".join([to_line(file), *map(_format_number, reading.numbers)])
    return f"{to_line(file)}  no number{f' ({explain_refusal(reading.refused)})' if reading.refused else ''}"


def _format_number(number: Number) -> str:
    times = [f"{format_time(number.seen.first)} to {format_time(number.seen.last)}"] if number.seen else []
    return "  ".join([number.shown, f"{number.confidence:.3f}", *times])


def format_time(seconds: float) -> str:
    """A time of a video, such as `1:04:09.2`; one since 1970 as the local date and time, without a fraction."""
    if seconds >= UNIX_TIMES:
        return datetime.fromtimestamp(seconds).isoformat(" ", "seconds")
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def explain_refusal(refused: Refusal) -> str:
    """Why a picture is answered with no number, in a few words."""
    if not refused.text and not refused.confidence:
        return "no digit was read"
    got, needed = _format_apart(refused.confidence, refused.needed)
    return f"{refused.text + ' ' if refused.text else ''}at {got}, where {needed} is needed in this picture"


def _format_apart(first: float, second: float) -> tuple[str, str]:
    """Two probabilities with so many digits that they differ: at least two, at most six."""
    pairs = [(f"{first:.{digits}f}", f"{second:.{digits}f}") for digits in range(2, 7)]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[-1])
