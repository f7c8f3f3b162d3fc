"""Your own pictures: a folder with the labels that a person or a labeling tool wrote, one number or several a picture.

`FORMATS` lists the kinds of labels that are read. A folder holds labels of one kind; docs/labels.md describes each.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from svhn import images
from svhn.datasets.formats.coco import find_coco_files, read_coco
from svhn.datasets.formats.fast_plate import find_plate_tables, read_plate_tables
from svhn.datasets.formats.label_csv import LABELS_FILE, find_tables, read_csv_labels
from svhn.datasets.formats.label_rows import LabelRow, Labels
from svhn.datasets.formats.label_studio import find_label_studio_files, read_label_studio
from svhn.datasets.formats.labelme import find_labelme_files, read_labelme
from svhn.datasets.formats.ppocr import find_ppocr_files, read_ppocr
from svhn.datasets.formats.voc import find_voc_files, read_voc
from svhn.datasets.formats.yolo import read_yolo
from svhn.datasets.formats.yolo_names import find_yolo_files
from svhn.datasets.svhn import SVHN
from svhn.errors import UserError
from svhn.runtime.near_names import suggest_near_path
from svhn.spec import Box, Entry, Size


class LabelFormat(NamedTuple):
    """A kind of labels.

    Args:
        find: `(data_dir)` to the files of this kind in a folder.
        read: `(data_dir, files)` to the numbers in them.
    """

    find: Callable[[Path], list[Path]]
    read: Callable[[Path, list[Path]], Labels]


FORMATS = {
    LABELS_FILE: LabelFormat(find_tables, read_csv_labels),
    "COCO": LabelFormat(find_coco_files, read_coco),
    "YOLO": LabelFormat(find_yolo_files, read_yolo),
    "Label Studio": LabelFormat(find_label_studio_files, read_label_studio),
    "Pascal VOC": LabelFormat(find_voc_files, read_voc),
    "fast-plate-ocr": LabelFormat(find_plate_tables, read_plate_tables),
    "labelme": LabelFormat(find_labelme_files, read_labelme),
    "PPOCRLabel": LabelFormat(find_ppocr_files, read_ppocr),
}
PAGE = "docs/labels.md"  # describes all formats


def read_labels(data_dir: str | Path) -> Labels:
    """The folder's numbers, sorted by picture, so that rows of one picture follow one another.

    The split `val` becomes test if there is no test, so that pictures that were held out are not trained on. Else it
    joins train, from which wrangling draws `valid`.

    Raises:
        UserError: the folder has no labels, or labels of two kinds, or one of its files can't be read.
    """
    folder = Path(data_dir)
    name, files = _choose_format(folder)
    rows, notes = FORMATS[name].read(folder, files)
    splits = Counter(row.split for row in rows)
    joined = "train" if splits["test"] else "test"
    if splits["val"]:
        notes = [*notes, f"{files[0]}: the {splits['val']} numbers of val become {joined}"]
    rows = [row._replace(split=joined) if row.split == "val" else row for row in rows]
    return Labels(sorted(rows, key=lambda row: row.filename), notes)


def _choose_format(data_dir: Path) -> tuple[str, list[Path]]:
    """The one format whose files lie in a folder, and these files. Raises `UserError` for none or several."""
    found = {name: files for name, each in FORMATS.items() if (files := each.find(data_dir))}
    if len(found) > 1:
        named = " and ".join(f"{files[0]} ({name})" for name, files in found.items())
        raise UserError(f"{data_dir} has labels of {len(found)} kinds, {named}: move all but one out of the folder")
    if not found:
        path = data_dir / LABELS_FILE
        expected = "expected a CSV with the columns filename,label, a line for each picture"
        others = ", ".join(name for name in FORMATS if name != LABELS_FILE)
        raise UserError(f"{path} is missing{suggest_near_path(path)}: {expected}, or labels of {others}: see {PAGE}")
    return next(iter(found.items()))


def list_entries(data_dir: str | Path, source: str, _seed: int = 0) -> Iterator[Entry]:
    """The entries of a split, by file name. A row without a split, or of an unknown one, is an entry of train.

    Raises the `UserError` of `read_labels`.
    """
    seen: Counter[str] = Counter()
    for row in read_labels(data_dir).rows:
        if _find_source(row) == source:
            name = row.filename
            seen[name] += 1
            numbered = name if seen[name] == 1 else f"{name} ({seen[name]})"
            yield Entry(
                numbered or row.place,
                row.label,
                (str(Path(data_dir) / name), None if row.problem else row.box, row.size),
                f"{row.place}: {row.problem}" if row.problem else "",
                picture=name,
                boxes=() if row.problem else row.digits,
            )


def _find_source(row: LabelRow) -> str:
    return row.split or SOURCES[0]


def get_number_box(entry: Entry) -> Box | None:
    """The box of an entry's number, in pixels of the upright picture; None if the label has none."""
    return entry.source[1]


def load_picture(entry: Entry, size: Size, margin: float) -> np.ndarray:
    """As `format1.load_picture`, for the row's box, or for the whole picture if the row has no box.

    Labels that were written for a larger or smaller copy of the picture are scaled. Raises `ValueError`, too, if the
    picture for which they were written had another form.
    """
    path, box, labeled_size = entry.source
    picture = images.open_reduced(path)
    if box and labeled_size:
        box = _scale_box(box, labeled_size, picture.size)
    return images.crop_picture(picture, size, images.expand_box(box, margin, picture.size) if box else None)


def _scale_box(box: Box, labeled: tuple[int, int], found: tuple[int, int]) -> Box:
    """A box in pixels of the picture. Raises `ValueError` if width and height differ by more than rounding does."""
    if abs(labeled[0] * found[1] - labeled[1] * found[0]) > max(*labeled, *found):
        turned = ", upright as its Exif tag asks" if labeled == found[::-1] else ""
        sizes = f"{labeled[0]} x {labeled[1]} pixels, and the picture has {found[0]} x {found[1]}{turned}"
        raise ValueError(f"the labels are for {sizes}: export them for the picture as it is seen")
    across, down = found[0] / labeled[0], found[1] / labeled[1]
    return box[0] * across, box[1] * down, box[2] * across, box[3] * down


def is_present(data_dir: str | Path, source: str) -> bool:
    """Whether the labels hold the split. Train counts as present, so that reading it reports what is missing."""
    return source == "train" or any(_find_source(row) == source for row in read_labels(data_dir).rows)


def compute_checksum(data_dir: str | Path, source: str) -> str:
    """The sha256 of the split's rows, which changes with any box, label or file name."""
    rows = (row for row in read_labels(data_dir).rows if _find_source(row) == source)
    split = [row.written or (row.box, row.digits, row.size, row.label, row.filename) for row in rows]
    return hashlib.sha256(json.dumps(split).encode()).hexdigest()


def describe_labels(data_dir: str | Path, _sources: Sequence[str]) -> list[str]:
    """Lines about the labels: which files, columns or classes are used and which are not, and the boxes' units."""
    return read_labels(data_dir).notes


def get_pictures_folder(data_dir: Path, _source: str) -> Path:
    """The folder in which the labels should name each picture."""
    return data_dir


FOLDER = replace(
    SVHN,
    name="folder",
    sources={"train": (), "test": ()},
    valid_from=("train",),
    entries=list_entries,
    load=load_picture,
    locate=None,  # most labels hold the boxes of numbers, not of digits
    present=is_present,
    checksum=compute_checksum,
    describe=describe_labels,
    pictures=get_pictures_folder,
    url="",
)
SOURCES = tuple(FOLDER.sources)
