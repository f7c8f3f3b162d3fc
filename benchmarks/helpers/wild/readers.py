"""Readers that answer a folder of pictures as whole processes: checkouts of this project, and RapidOCR 3."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.helpers.wild.scores import Answer
from benchmarks.reading import make_command, measure_command
from svhn.spec import Box

PROGRAM = Path(__file__).with_name("rapidocr_lines.py")
WORD = re.compile(r"[^\W\d_]{2}")  # two letters in a row
Answers = dict[str, list[Answer]]  # by the picture's name


class WildReader(NamedTuple):
    """A reader.

    Args:
        name: its name in the table.
        make_command: `(folder, output)` to the command that reads a folder of pictures and writes a JSON file.
        parse: the content of this file to answers.
    """

    name: str
    make_command: Callable[[Path, Path], list[str]]
    parse: Callable[[Any], Answers]


def make_checkout_reader(name: str, checkout: Path, flags: Sequence[str] = ()) -> WildReader:
    """The reader of a checkout of this project, with its bundled networks unless the flags name others."""
    return WildReader(
        name, lambda folder, output: make_command(checkout, folder, f"--output={output}", *flags), parse_readings
    )


def make_rapidocr_reader(python: str) -> WildReader:
    """RapidOCR 3, which another Python has."""
    return WildReader("RapidOCR", lambda folder, output: [python, str(PROGRAM), str(folder), str(output)], parse_lines)


def read_folder(reader: WildReader, folder: Path, output: Path) -> tuple[Answers, float]:
    """The answers to a folder of pictures, and the CPU seconds of the process, with its start.

    Args:
        reader: who reads.
        folder: the pictures.
        output: the JSON file that the process writes.

    Raises:
        CalledProcessError: the process failed.
    """
    cost = measure_command(reader.make_command(folder.resolve(), output.resolve()), output.parent)
    return reader.parse(json.loads(output.read_text(encoding="utf-8"))), cost.cpu


def parse_readings(document: Any) -> Answers:
    """The answers in what `svhn read` writes, or in the list of rows that it wrote before output.schema.json."""
    if isinstance(document, list):
        return {Path(row["file"]).name: _parse_old_row(row) for row in document}
    return {Path(row["file"]).name: list(_parse_row(row)) for row in document["pictures"]}


def _parse_old_row(row: Mapping[str, Any]) -> list[Answer]:
    return [Answer(row["number"], _to_box(row["box"]), row["confidence"])] if row["number"] else []


def _parse_row(row: Mapping[str, Any]) -> Iterator[Answer]:
    for number in row["numbers"]:
        truncated = number.get("truncated", False)
        yield Answer("" if truncated else number["text"], _to_box(number["box"]), number["confidence"], truncated)
    refused = row["refused"] or {}
    if refused.get("truncated"):
        yield Answer("", _to_box(refused.get("box")), refused["confidence"], truncated=True)


def _to_box(sides: Sequence[float] | None) -> Box | None:
    if sides is None:
        return None
    left, top, right, bottom = sides
    return left, top, right, bottom


def parse_lines(document: Mapping[str, Sequence[Any]]) -> Answers:
    """The numbers in RapidOCR's lines: all digits of a line as one number, or each run of digits beside words.

    The box of a run is its share of the line's box, as if all characters were equally wide.
    """
    return {
        name: [answer for text, score, corners in lines for answer in _split_line(text, score, corners)]
        for name, lines in document.items()
    }


def _split_line(text: str, score: float, corners: Sequence[Sequence[float]]) -> Iterator[Answer]:
    if not WORD.search(text):
        digits = "".join(re.findall("[0-9]", text))
        if digits:
            yield Answer(digits, _cut_line(corners, 0.0, 1.0), score)
        return
    for run in re.finditer("[0-9]+", text):
        yield Answer(run[0], _cut_line(corners, run.start() / len(text), run.end() / len(text)), score)


def _cut_line(corners: Sequence[Sequence[float]], first: float, last: float) -> Box:
    """The upright box around a part of a line, from a share of its length to another."""
    (left, right, lower_right, lower_left) = corners
    points = [
        tuple(one + share * (other - one) for one, other in zip(start, end, strict=True))
        for start, end in ((left, right), (lower_left, lower_right))
        for share in (first, last)
    ]
    across, down = [x for x, _ in points], [y for _, y in points]
    return min(across), min(down), max(across), max(down)


def list_readers(root: Path, before: Path | None, rapidocr: str | None, flags: Sequence[str] = ()) -> list[WildReader]:
    """This checkout's reader with further flags, and those of another checkout and of RapidOCR where they are named."""
    readers = [make_checkout_reader("now", root, flags)]
    if before:
        readers.append(make_checkout_reader("before", before.resolve()))
    if rapidocr:
        readers.append(make_rapidocr_reader(rapidocr))
    return readers
