"""Pictures that lie in a data set's folder and that none of its labels names."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from svhn.errors import quote
from svhn.images import list_suffixes
from svhn.spec import DatasetSpec

# Of pictures that cameras and other programs write, and that can't be opened.
OTHER_SUFFIXES = {".arw", ".cr2", ".cr3", ".dng", ".jxl", ".nef", ".orf", ".raf", ".raw", ".rw2", ".svg"}


def find_unnamed(spec: DatasetSpec, data_dir: Path, sources: Sequence[str], named: Collection[str]) -> list[str]:
    """The paths of the pictures that no entry names, sorted.

    Args:
        spec: the data set.
        data_dir: folder of the sources.
        sources: the sources whose folders are searched.
        named: the path of each entry's picture, of all `sources`.

    Returns:
        Nothing for a data set without a file per picture. Hidden files, such as macOS's `._1.png`, don't count.

    Raises:
        UserError: another source that names pictures of the same folder can't be read.
    """
    if spec.path is None or spec.pictures is None:
        return []
    folders = {spec.pictures(data_dir, source) for source in sources}
    others = [source for source in spec.sources if source not in sources and spec.pictures(data_dir, source) in folders]
    known = {*named, *(spec.path(entry) for source in others for entry in spec.entries(data_dir, source, 0))}
    found = (path for folder in folders for path in _list_pictures(folder) if path not in known)
    return sorted(os.fsencode(path).decode("utf-8", "replace") for path in found)


def _list_pictures(folder: Path) -> Iterator[str]:
    suffixes = list_suffixes() | OTHER_SUFFIXES
    for place, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".")]
        for name in names:
            if os.path.splitext(name)[1].lower() in suffixes and not name.startswith("."):  # noqa: PTH122
                yield str(Path(place, name))


def describe_unnamed(unnamed: Sequence[str]) -> list[str]:
    """A line for the user, or none."""
    if not unnamed:
        return []
    return [f"not used: {len(unnamed)} pictures that no label names, such as {quote(unnamed[0])}; --check lists all"]
