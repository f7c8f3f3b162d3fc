"""What surrounds YOLO's labels: the names of the classes, and the pictures of each split."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from svhn.datasets.formats.label_rows import SPLITS, find_split
from svhn.datasets.formats.picture_paths import find_picture, index_pictures, list_pictures
from svhn.errors import UserError, quote, shorten, suggest_extra

NAME_FILES = ("classes.txt", "obj.names", "labels/classes.txt")  # of Label Studio, CVAT and labelImg
NAMES = re.compile(rb"^[\"']?names[\"']?\s*:", re.MULTILINE)
YAML_ENDINGS = ("*.yaml", "*.yml")
EXPECTED = "expected a folder below this one, or a .txt file with a picture per line"


class ListedPicture(NamedTuple):
    """A picture below the data set's folder, its split, and why it can't be used, or ""."""

    name: str
    split: str
    problem: str = ""


class Listing(NamedTuple):
    """The file with the classes, their names by number, the pictures, and lines for the user."""

    path: Path
    classes: Mapping[int, str]
    pictures: list[ListedPicture]
    notes: list[str]


def find_yolo_files(data_dir: Path) -> list[Path]:
    """The files of a folder that name YOLO's classes; the folder `labels` if it holds texts and no file names them."""
    described = sorted(
        path for ending in YAML_ENDINGS for path in data_dir.glob(ending) if NAMES.search(path.read_bytes())
    )
    named = [path for name in NAME_FILES if (path := data_dir / name).is_file()]
    bare = [data_dir / "labels"] if any(data_dir.glob("labels/**/*.txt")) else []
    return described or named[:1] or bare


def read_listing(data_dir: Path, paths: Sequence[Path]) -> Listing:
    """Read the one file of `find_yolo_files`. Raises `UserError` if it does not give classes and pictures."""
    if len(paths) > 1:
        raise UserError(f"{paths[0]} and {paths[1]} both name classes: move all but one out of the folder")
    (path,) = paths
    if path.is_dir():
        expected = "expected a data.yaml with names, or a classes.txt with a name per line"
        raise UserError(
            f"{data_dir} has YOLO's labels in {path}, and no file with the names of their classes: {expected}"
        )
    if path.suffix in (".yaml", ".yml"):
        return _read_yaml(data_dir, path)
    names = path.read_text(encoding="utf-8-sig", errors="replace").split("\n")
    pictures = [ListedPicture(name, find_split(PurePosixPath(name).parent)) for name in list_pictures(data_dir)]
    return Listing(path, _check_classes(path, dict(enumerate(name.strip() for name in names))), pictures, [])


def _check_classes(path: Path, classes: Mapping[int, str]) -> Mapping[int, str]:
    if not any(classes.values()):
        raise UserError(f"{path} names no class: expected names such as 0 to 9")
    return classes


def _read_yaml(data_dir: Path, path: Path) -> Listing:
    content = _load_yaml(path)
    classes = _check_classes(path, _read_names(path, content.get("names")))
    notes, pictures = [], []
    index = index_pictures(data_dir)
    for key in (key for key in content if key in SPLITS and content[key]):
        for value in _list_values(path, key, content[key]):
            place = _find_place(data_dir, path, content.get("path"), value)
            if place is None:
                notes.append(f"{path}: {key}: {quote(value)} is not there, so not read: {EXPECTED}")
            else:
                found = list(_list_split(data_dir, place, SPLITS[key], index))
                notes.append(f"{path}: {key}: {len(found)} pictures in {place.relative_to(data_dir.resolve())}")
                pictures += found
    if not pictures:
        raise UserError("; ".join(notes) or f"{path} has no pictures for train, val or test: {EXPECTED}")
    return Listing(path, classes, pictures, notes)


def _load_yaml(path: Path) -> dict[str, Any]:
    if find_spec("yaml") is None:
        raise UserError(f"{path}: reading YAML needs PyYAML: {suggest_extra('labels')}")
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise UserError(f"{path} is not YAML ({shorten(error)}): expected YOLO's data.yaml") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is {quote(content)}, expected YOLO's data.yaml with names, train and val")
    return content


def _read_names(path: Path, names: object) -> dict[int, str]:
    """The classes by number, from a list, or from a dict by number."""
    if isinstance(names, list):
        names = dict(enumerate(names))
    try:
        return {int(number): str(name) for number, name in names.items()}  # pyright: ignore[reportAttributeAccessIssue]
    except (AttributeError, OverflowError, TypeError, ValueError):
        raise UserError(f"{path}: names is {quote(names)}, expected a list, or a name for each number from 0") from None


def _list_values(path: Path, key: str, value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    texts = [each for each in values if isinstance(each, str)]
    if len(texts) < len(values) or any("\0" in text for text in texts):
        raise UserError(f"{path}: {key} is {quote(value)}: {EXPECTED}")
    return texts


def _find_place(data_dir: Path, path: Path, root: object, value: str) -> Path | None:
    """The folder or the list of a split below the data set's folder; None if it is not there.

    Tools write the root of another machine, or, as Roboflow does, `../train/images` for `train/images`.
    """
    roots = [path.parent / root, path.parent] if isinstance(root, str) else [path.parent]
    values = (value, value.removeprefix("../"))
    folder = data_dir.resolve()
    places = [(start / each).resolve() for start in roots for each in values]
    return next((place for place in places if place.exists() and place.is_relative_to(folder)), None)


def _list_split(data_dir: Path, place: Path, split: str, index: Mapping[str, Sequence[str]]) -> Iterator[ListedPicture]:
    below = place.relative_to(data_dir.resolve())
    if place.is_dir():
        for name in list_pictures(place):
            yield ListedPicture((below / name).as_posix(), split)
        return
    for line in place.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        if line.strip():
            name, problem = find_picture(index, line.strip(), below.parent.as_posix())
            yield ListedPicture(name, split, problem)
