"""COCO's JSON: pictures, classes and boxes in one file. https://cocodataset.org/#format-data

A box is `[x, y, width, height]` in pixels, from 0 at the top left. A number's digits come from an annotation's text, or
from the name of its class: a class named by one digit marks a digit, and one named by several marks a whole number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from svhn.datasets.formats.digit_joining import Mark, describe_classes, is_whole_class, list_numbers, read_class
from svhn.datasets.formats.label_rows import (
    LabelRow,
    Labels,
    describe_unlabeled,
    describe_unused,
    enclose_points,
    find_split,
    join_row_problems,
    list_json_files,
    make_number_list,
    make_size,
    read_json,
)
from svhn.datasets.formats.picture_paths import PictureIndex, find_picture, index_pictures
from svhn.errors import UserError, quote
from svhn.spec import NOWHERE, Box

LISTS = ("images", "annotations", "categories")
TEXTS = ("text", "number", "label", "value", "transcription", "caption", "utf8_string")  # attributes with a number
SVHN_CLASSES = {str(label) for label in range(1, 11)}  # in which 10 stands for the digit 0


def find_coco_files(data_dir: Path) -> list[Path]:
    """The JSON files of a folder that hold COCO's lists."""
    return [path for path in list_json_files(data_dir) if _is_coco(path.read_bytes())]


def _is_coco(content: bytes) -> bool:
    """Whether a file looks like COCO's, even if it was cut short."""
    starts = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    return starts and sum(f'"{name}"'.encode() in content for name in LISTS) >= 2


def read_coco(data_dir: Path, paths: list[Path]) -> Labels:
    """The numbers of all files.

    Raises:
        UserError: a file is not JSON, or lacks one of COCO's lists, or its classes are 1 to 10.
    """
    pictures = index_pictures(data_dir)
    tables = [_read_file(data_dir, path, pictures) for path in paths]
    return Labels([row for table in tables for row in table.rows], [note for table in tables for note in table.notes])


class _File(NamedTuple):
    """What is the same for all annotations of a file."""

    name: str
    folder: str
    split: str
    classes: Mapping[Any, str]
    pictures: PictureIndex
    has_sizes: bool


def _read_file(data_dir: Path, path: Path, pictures: PictureIndex) -> Labels:
    content, below = _read_lists(path), path.relative_to(data_dir)
    classes = {each["id"]: str(each.get("name", "")) for each in content["categories"] if _is_key(each.get("id"))}
    _check_classes(path, classes)
    sized = not _is_by_label_studio(content)
    file = _File(below.as_posix(), below.parent.as_posix(), find_split(below), classes, pictures, sized)
    marks, unused = _sort_annotations(file, content["annotations"])
    groups = _group_images(file, content["images"])
    rows = [row for picture, images in groups.items() for row in _list_rows(file, picture, images, marks)]
    known = {_name_id(image.get("id")) for image in content["images"]}
    rows += [_make_lost_row(file, mark) for key in marks if key not in known for mark in marks[key]]
    bare = [name for (name, _), each in groups.items() if not any(marks[_name_id(image.get("id"))] for image in each)]
    return Labels(rows, _describe(path, file, len(groups), rows, unused, bare))


def _is_by_label_studio(content: Mapping[str, Any]) -> bool:
    """Whether Label Studio wrote a file. Of a picture with an Exif turn, it writes the upright boxes, but the sizes of
    the picture as it is stored (label-studio-sdk 2.1)."""
    info = content.get("info")
    return isinstance(info, dict) and info.get("contributor") == "Label Studio"


def _read_lists(path: Path) -> dict[str, Any]:
    content = read_json(path)
    for name in LISTS:
        found = content.get(name)
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            expected = f"expected COCO's {', '.join(LISTS)}: export the labels again"
            raise UserError(f"{path} has no list of objects called {name}, {expected}")
    return content


def _check_classes(path: Path, classes: Mapping[Any, str]) -> None:
    digits = {name.strip() for name in classes.values()}
    if digits >= SVHN_CLASSES and "0" not in digits:
        raise UserError(f"{path} has the classes 1 to 10 and no 0: rename the class 10 to 0 if it is SVHN's digit 0")


def _is_key(value: object) -> bool:
    return isinstance(value, int | str)


def _name_id(value: object) -> str:
    return repr(value)  # a damaged file may have an id of any type, even one that can't be a key


def _group_images(file: _File, images: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The images by picture and problem: a tool may list a picture once for each person who labeled it."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for image in images:
        written = image.get("file_name")
        groups[find_picture(file.pictures, written if isinstance(written, str) else "", file.folder)].append(image)
    return groups


def _sort_annotations(
    file: _File, annotations: list[dict[str, Any]]
) -> tuple[defaultdict[str, list[Mark]], Counter[str]]:
    """The marks by picture, and how many annotations of each kind are not used."""
    marks: defaultdict[str, list[Mark]] = defaultdict(list)
    unused: Counter[str] = Counter()
    for annotation in annotations:
        made = _make_mark(file, annotation)
        if isinstance(made, str):
            unused[made] += 1
        else:
            marks[_name_id(annotation.get("image_id"))].append(made)
    return marks, unused


def _make_mark(file: _File, annotation: Mapping[str, Any]) -> Mark | str:
    """The mark of an annotation; or, as text, of which kind it is, if that kind is not used."""
    if annotation.get("iscrowd") == 1:
        return "boxes of crowds"
    place = f"{file.name}, annotation {annotation.get('id')}"
    name, text = _find_class(file, annotation), find_text(annotation)
    if name is None:
        known = f"expected one of {len(file.classes)} classes"
        return Mark("", NOWHERE, place, True, f"category_id {quote(annotation.get('category_id'))}, {known}")
    text = text or read_class(name)
    if not text and not is_whole_class(name):
        return f"boxes of {quote(name)}"
    box = _read_box(annotation)
    problem = "" if box else f"bbox {quote(annotation.get('bbox'))}, expected x, y, width and height in pixels"
    return Mark(text, box or NOWHERE, place, not find_text(annotation) and len(text) == 1, problem)


def _find_class(file: _File, annotation: Mapping[str, Any]) -> str | None:
    key = annotation.get("category_id")
    return file.classes.get(key) if _is_key(key) else None


def find_text(annotation: Mapping[str, Any]) -> str:
    """The number that an annotation holds as text, as CVAT and COCO-Text write it; "" if it holds none."""
    attributes = annotation.get("attributes")
    fields = {**annotation, **(attributes if isinstance(attributes, dict) else {})}
    found = (str(fields[name]).strip() for name in TEXTS if type(fields.get(name)) in (str, int))
    return next(filter(None, found), "")


def _read_box(annotation: Mapping[str, Any]) -> Box | None:
    """The box, or the upright box around the outline if there is no box."""
    values = make_number_list(annotation.get("bbox"), 4)
    if values:
        left, top, width, height = values
        return (left, top, left + width, top + height) if width > 0 < height else None
    outlines = annotation.get("segmentation")
    points = [point for outline in outlines for point in _pair(outline)] if isinstance(outlines, list) else []
    return enclose_points(points) if points and "bbox" not in annotation else None


def _pair(outline: object) -> Iterator[tuple[float, float]]:
    values = make_number_list(outline, len(outline)) if isinstance(outline, list) else None
    return zip(values[::2], values[1::2], strict=False) if values else iter(())


def _list_rows(
    file: _File, picture: tuple[str, str], images: list[dict[str, Any]], marks: Mapping[str, list[Mark]]
) -> Iterator[LabelRow]:
    """The numbers of one picture."""
    name, problem = picture
    size = make_size(images[0].get("width"), images[0].get("height")) if file.has_sizes else None
    found = [mark for image in images for mark in marks.get(_name_id(image.get("id")), ())]
    for text, box, digits, place, fault in list_numbers(found):
        yield LabelRow(name, text, box, file.split, place, join_row_problems(name, text, problem, fault), digits, size)


def _make_lost_row(file: _File, mark: Mark) -> LabelRow:
    return LabelRow("", mark.text, None, file.split, mark.place, "its image_id is not among the images")


def _describe(
    path: Path, file: _File, pictures: int, rows: list[LabelRow], unused: Counter[str], bare: list[str]
) -> list[str]:
    taken = f"boxes as x, y, width and height in pixels; {describe_classes(file.classes.values())}"
    return [
        f"{path}: COCO, {pictures} pictures with {len(rows)} numbers; {taken}",
        *describe_unused(path, unused),
        *describe_unlabeled(path, bare),
    ]
