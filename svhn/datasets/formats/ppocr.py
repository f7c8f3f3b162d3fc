"""PPOCRLabel's `Label.txt`: a picture, a tab and its boxes as JSON in each line. https://github.com/PFCCLab/PPOCRLabel

PaddleOCR trains detectors on the same lines. A box has corners in pixels of the picture as it is seen, since the tool
opens pictures with OpenCV, which follows Exif turns. The transcription is the text of a line, so a whole number.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from svhn.datasets.formats.digit_joining import Mark, list_numbers
from svhn.datasets.formats.label_rows import (
    SPLITS,
    LabelRow,
    Labels,
    describe_unlabeled,
    describe_unused,
    find_split,
    join_row_problems,
    list_files,
    read_corners,
)
from svhn.datasets.formats.picture_paths import PictureIndex, find_picture, index_pictures
from svhn.errors import quote, shorten

NAME = "label"
TEXT = "transcription"
ILLEGIBLE = ("###", "*")  # transcriptions that PaddleOCR passes over
UNTYPED = ("", "TEMPORARY", "待识别")  # of boxes whose text nobody typed
BESIDE = ("Cache.cach", "rec_gt.txt")  # the tool's own guesses, and the texts of crops
EXPECTED = "expected a picture, a tab and a JSON list of boxes"


def find_ppocr_files(data_dir: Path) -> list[Path]:
    """The text files below a folder that hold transcriptions, called `Label.txt` or after a split."""
    named = [path for path in list_files(data_dir, ".txt") if path.stem.lower().endswith(NAME) or path.stem in SPLITS]
    return [path for path in named if f'"{TEXT}"'.encode() in path.read_bytes()]


class _Tally(NamedTuple):
    """What was not used, and the pictures without a number."""

    unused: Counter[str]
    bare: list[str]


def read_ppocr(data_dir: Path, paths: list[Path]) -> Labels:
    """The numbers of all files. A line that can't be read is a row with a problem."""
    pictures = index_pictures(data_dir)
    tables = [_read_file(data_dir, path, pictures) for path in paths]
    return Labels([row for table in tables for row in table.rows], [note for table in tables for note in table.notes])


def _read_file(data_dir: Path, path: Path, pictures: PictureIndex) -> Labels:
    below, tally = path.relative_to(data_dir), _Tally(Counter(), [])
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    split = find_split(below)
    rows = [
        row._replace(split=split)
        for number, line in lines
        for row in _read_line(line, f"{below.as_posix()}, line {number}", below.parent.as_posix(), pictures, tally)
    ]
    said = f"{path}: PPOCRLabel, {len(lines)} pictures with {len(rows)} numbers"
    tally.unused.update(name for name in BESIDE if (path.parent / name).is_file())
    notes = [*describe_unused(path, tally.unused), *describe_unlabeled(path, tally.bare)]
    return Labels(rows, [f"{said}; corners in pixels; transcriptions as whole numbers", *notes])


def _read_line(line: str, place: str, folder: str, pictures: PictureIndex, tally: _Tally) -> Iterator[LabelRow]:
    written, tab, content = line.partition("\t")
    boxes, fault = _load_boxes(content) if tab else ([], f"the line has no tab: {EXPECTED}")
    name, lost = _find_picture(pictures, written.strip(), folder)
    if fault:
        yield LabelRow(name, "", None, "", place, fault)
        return
    marks = [_make_mark(box, f"{place}, box {number}") for number, box in enumerate(boxes, start=1)]
    tally.unused["marks as difficult"] += sum(box.get("difficult") is True for box in boxes)
    tally.unused.update(mark for mark in marks if isinstance(mark, str))
    numbers = list_numbers([mark for mark in marks if isinstance(mark, Mark)])
    if not numbers:
        tally.bare.append(name)
    for text, box, digits, where, fault in numbers:
        yield LabelRow(name, text, box, "", where, join_row_problems(name, text, lost, fault), digits)


def _load_boxes(content: str) -> tuple[list[dict[str, Any]], str]:
    """The boxes of a line, and why it can't be used, or ""."""
    try:
        boxes = json.loads(content) if content.strip() else []
    except (ValueError, RecursionError) as error:
        return [], f"the line holds no JSON ({shorten(error)}): {EXPECTED}"
    if not isinstance(boxes, list) or not all(isinstance(box, dict) for box in boxes):
        return [], f"the line holds {quote(boxes)}: {EXPECTED}"
    return boxes, ""


def _find_picture(pictures: PictureIndex, written: str, folder: str) -> tuple[str, str]:
    """The picture of a line. It lies beside the file, whose folder may have another name than it had in the tool."""
    found, lost = find_picture(pictures, written, folder)
    name = PurePosixPath(written.replace("\\", "/")).name
    beside = str(PurePosixPath(folder, name))
    known = pictures.get(name, ())
    return (beside, "") if found not in known and beside in known else (found, lost)


def _make_mark(box: dict[str, Any], place: str) -> Mark | str:
    """The mark of a box; or, as text, of which kind it is, if that kind is not used."""
    written = box.get(TEXT)
    text = str(written).strip() if type(written) in (str, int) else ""
    if text in ILLEGIBLE:
        return f"boxes with the illegible {quote(text)}"
    if text not in UNTYPED and not any(map(str.isdigit, text)):
        return "texts without a digit"
    corners, problem = read_corners(box.get("points"))
    return Mark(text, corners, place, False, problem)
