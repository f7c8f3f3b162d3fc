"""Pascal VOC's XML: a file for each picture, as labelImg, CVAT, Label Studio and Roboflow write it.

http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html describes the layout. A box is given by its edges
in pixels. The original counts pixels from 1, most tools from 0; they are taken as they are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import NamedTuple
from xml.etree import ElementTree

from svhn.datasets.formats.digit_joining import Mark, describe_classes, is_whole_class, list_numbers, read_class
from svhn.datasets.formats.label_rows import (
    SPLITS,
    LabelRow,
    Labels,
    describe_unlabeled,
    describe_unused,
    find_split,
    join_row_problems,
    make_number_list,
    make_size,
    read_count,
)
from svhn.datasets.formats.picture_paths import PictureIndex, find_picture, index_pictures
from svhn.errors import quote, shorten
from svhn.spec import NOWHERE, Box

ROOT = b"<annotation"  # CVAT's own XML begins with <annotations>, and is another layout
EDGES = ("xmin", "ymin", "xmax", "ymax")
TEXTS = ("text", "number", "label", "value")  # attributes with a number
ENDINGS = ("", ".jpg", ".jpeg", ".png", ".JPG")  # which some tools leave out
LISTS = "ImageSets/Main"  # folder of a text file for each split


def find_voc_files(data_dir: Path) -> list[Path]:
    """The XML files below a folder that hold an annotation, even if they were cut short."""
    return [path for path in sorted(data_dir.glob("**/*.xml")) if path.is_file() and _is_voc(path.read_bytes())]


def _is_voc(content: bytes) -> bool:
    start, found, rest = content.partition(ROOT)
    return bool(found) and rest[:1] in (b">", b" ", b"\t", b"\r", b"\n") and b"<annotations" not in start


class _Tally(NamedTuple):
    """What was not used, the pictures without a number, and the classes."""

    unused: Counter[str]
    bare: list[str]
    classes: set[str]


def read_voc(data_dir: Path, paths: list[Path]) -> Labels:
    """The numbers of all files. A file that is no XML is a row with a problem."""
    pictures, splits, tally = index_pictures(data_dir), _read_splits(data_dir), _Tally(Counter(), [], set())
    rows = [row for path in paths for row in _read_file(data_dir, path, pictures, splits, tally)]
    folder = paths[0].parent
    taken = f"boxes as edges in pixels; {describe_classes(tally.classes)}"
    notes = [f"{folder}: Pascal VOC, {len(paths)} files with {len(rows)} numbers; {taken}"]
    return Labels(rows, [*notes, *describe_unused(folder, tally.unused), *describe_unlabeled(folder, tally.bare)])


def _read_splits(data_dir: Path) -> dict[str, set[str]]:
    """The splits of each picture that a list names, by the picture's name without its ending."""
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for path in sorted(data_dir.glob(f"**/{LISTS}/*.txt")):
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines() if path.stem in SPLITS else []
        for name in (line.split()[0] for line in lines if line.strip()):
            splits[name].add(SPLITS[path.stem])
    return splits


def _read_file(
    data_dir: Path, path: Path, pictures: PictureIndex, splits: Mapping[str, set[str]], tally: _Tally
) -> Iterator[LabelRow]:
    below = path.relative_to(data_dir)
    listed = sorted(splits.get(below.stem, ()))
    split = listed[0] if listed else find_split(below.parent)
    doubt = f"the lists of {' and '.join(listed)} name it: leave it in one" if len(listed) > 1 else ""
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        fault = f"the file is not XML ({shorten(error)}): export it again"
        yield LabelRow("", "", None, split, below.as_posix(), fault)
        return
    name, lost = _find_picture(root, below, pictures)
    numbers = list_numbers(list(_list_marks(root, below.as_posix(), tally)))
    if not numbers:
        tally.bare.append(name)
    size = make_size(_read_whole(root, "size/width"), _read_whole(root, "size/height"))
    for text, box, digits, place, fault in numbers:
        yield LabelRow(name, text, box, split, place, join_row_problems(name, text, lost, doubt, fault), digits, size)


def _find_picture(root: ElementTree.Element, file: PurePath, pictures: PictureIndex) -> tuple[str, str]:
    """The picture that a file names; some tools leave out its ending, or its folder."""
    written = (root.findtext("filename") or file.stem).strip()
    named = next((written + ending for ending in ENDINGS if written + ending in pictures), written)
    return find_picture(pictures, named, file.parent.as_posix())


def _list_marks(root: ElementTree.Element, file: str, tally: _Tally) -> Iterator[Mark]:
    for number, each in enumerate(root.findall("object"), start=1):
        name, text = (each.findtext("name") or "").strip(), _find_text(each)
        tally.classes.add(name)
        if not (text or read_class(name) or is_whole_class(name)):
            tally.unused[f"boxes of {quote(name)}"] += 1
            continue
        box = _read_box(each)
        problem = "" if box else f"the object has no bndbox with {', '.join(EDGES)} in pixels"
        is_digit = not text and len(read_class(name)) == 1
        yield Mark(text or read_class(name), box or NOWHERE, f"{file}, object {number}", is_digit, problem)


def _find_text(element: ElementTree.Element) -> str:
    """The number in an object's attributes, as CVAT writes them."""
    found = {each.findtext("name"): (each.findtext("value") or "").strip() for each in element.iter("attribute")}
    return next((found[name] for name in TEXTS if found.get(name)), "")


def _read_box(element: ElementTree.Element) -> Box | None:
    try:
        values = [float(element.findtext(f"bndbox/{edge}") or "") for edge in EDGES]
    except ValueError:
        return None
    sides = make_number_list(values, len(EDGES))
    return (sides[0], sides[1], sides[2], sides[3]) if sides and sides[0] < sides[2] and sides[1] < sides[3] else None


def _read_whole(root: ElementTree.Element, path: str) -> int:
    """A whole number; 0 if there is none."""
    return read_count((root.findtext(path) or "").strip()) or 0
