"""labelme's JSON: a file for each picture, mostly beside it. https://github.com/wkentaro/labelme

X-AnyLabeling writes the same layout. A shape has corners in pixels of the picture as it is seen; labelme follows the
Exif turn of a picture. Shapes with one `group_id` belong together.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from svhn.datasets.formats.digit_joining import Mark, describe_classes, is_whole_class, list_numbers, read_class
from svhn.datasets.formats.label_rows import (
    LabelRow,
    Labels,
    describe_unlabeled,
    describe_unused,
    find_split,
    join_row_problems,
    list_files,
    make_size,
    read_corners,
)
from svhn.datasets.formats.picture_paths import PictureIndex, find_picture, index_pictures
from svhn.errors import quote, shorten
from svhn.spec import NOWHERE, Box

FIELDS = (b'"shapes"', b'"imagePath"', b'"shape_type"', b'"imageData"')  # a file that was cut short has two of them
OUTLINES = ("polygon", "rectangle", "oriented_rectangle", "rotation", "mask")  # whose points the box encloses
REMEDY = "save the labels again"


def find_labelme_files(data_dir: Path) -> list[Path]:
    """The JSON files below a folder that hold shapes, even if they were cut short. Hidden folders don't count."""
    return [path for path in list_files(data_dir, ".json") if _is_labelme(path.read_bytes())]


def _is_labelme(content: bytes) -> bool:
    starts = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    return starts and sum(field in content for field in FIELDS) >= 2


class _Tally(NamedTuple):
    """What was not used, the pictures without a number, and the classes."""

    unused: Counter[str]
    bare: list[str]
    classes: set[str]


def read_labelme(data_dir: Path, paths: list[Path]) -> Labels:
    """The numbers of all files. A file that can't be read is a row with a problem."""
    pictures, tally = index_pictures(data_dir), _Tally(Counter(), [], set())
    rows = [row for path in paths for row in _read_file(data_dir, path, pictures, tally)]
    taken = f"shapes in pixels; {describe_classes(tally.classes)}; a group_id joins digits"
    notes = [f"{data_dir}: labelme, {len(paths)} files with {len(rows)} numbers; {taken}"]
    return Labels(rows, [*notes, *describe_unused(data_dir, tally.unused), *describe_unlabeled(data_dir, tally.bare)])


def _read_file(data_dir: Path, path: Path, pictures: PictureIndex, tally: _Tally) -> Iterator[LabelRow]:
    below = path.relative_to(data_dir)
    split, place = find_split(below.parent), below.as_posix()
    content, fault = _load_content(path)
    if fault:
        yield LabelRow("", "", None, split, place, fault)
        return
    written = content.get("imagePath")
    name, lost = find_picture(pictures, written if isinstance(written, str) else "", below.parent.as_posix())
    numbers = list_numbers(list(_list_marks(content, place, tally)))
    if not numbers:
        tally.bare.append(name)
    if isinstance(content.get("imageData"), str) and not (data_dir / name).is_file():
        lost = f"no picture {quote(written)} lies below the folder, and its copy in imageData is not read: add the file"
    size = make_size(content.get("imageWidth"), content.get("imageHeight"))
    for text, box, digits, where, fault in numbers:
        yield LabelRow(name, text, box, split, where, join_row_problems(name, text, lost, fault), digits, size)


def _load_content(path: Path) -> tuple[dict[str, Any], str]:
    """The content of a file, and why it can't be used, or ""."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return {}, f"the file is not JSON ({shorten(error)}): {REMEDY}"
    shapes = content.get("shapes")
    if not isinstance(shapes, list) or not all(isinstance(shape, dict) for shape in shapes):
        return {}, f"shapes is {quote(shapes)}, expected labelme's list of objects: {REMEDY}"
    return content, ""


def _list_marks(content: Mapping[str, Any], file: str, tally: _Tally) -> Iterator[Mark]:
    _count_flags(content, tally)
    for number, shape in enumerate(content["shapes"], start=1):
        _count_flags(shape, tally)
        name, text = _read_text(shape.get("label")), _read_text(shape.get("description"))
        tally.classes.add(name)
        mark = _make_mark(shape, name, text, f"{file}, shape {number}")
        if mark:
            yield mark
        else:
            tally.unused[f"shapes of {quote(name)}"] += 1
        if text and not (read_class(text) or is_whole_class(name)):
            tally.unused["descriptions that are no number"] += 1


def _count_flags(fields: Mapping[str, Any], tally: _Tally) -> None:
    flags = fields.get("flags")
    named = flags.items() if isinstance(flags, dict) else ()
    tally.unused.update(f"flags {quote(name)}" for name, is_set in named if is_set is True)


def _read_text(value: object) -> str:
    return str(value).strip() if type(value) in (str, int) else ""


def _make_mark(shape: Mapping[str, Any], name: str, description: str, place: str) -> Mark | None:
    """The mark of a shape; None for a shape that is no number. A number is a class, or a description of digits."""
    label, text = read_class(name), description if is_whole_class(name) else read_class(description)
    if not (label or text or is_whole_class(name)):
        return None
    box, problem = _read_box(shape)
    if label and text and label != text:
        problem = f"label {quote(label)} and description {quote(text)}, expected one number"
    group = shape.get("group_id")
    written = "" if group is None else quote(group)
    return Mark(text or label, box, place, len(label) == 1, problem, written)


def _read_box(shape: Mapping[str, Any]) -> tuple[Box, str]:
    """The upright box around a shape, and why there is none, or ""."""
    kind = shape.get("shape_type", OUTLINES[0])  # labelme 2 wrote polygons alone
    if kind not in OUTLINES:
        return NOWHERE, f"shape_type {quote(kind)}, expected rectangle, oriented_rectangle or polygon"
    return read_corners(shape.get("points"))
