"""The picture that a labeling tool's file names, found below the folder by the end of its path.

Tools write names as they saw them: without the folder, with the folders of another machine, or as an address.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from svhn.errors import quote
from svhn.images import list_suffixes

CANDIDATES_SHOWN = 3

PictureIndex = Mapping[str, Sequence[str]]  # paths below the folder, by the last part of the path


def index_pictures(data_dir: Path) -> PictureIndex:
    """All pictures below a folder. Hidden files and folders don't count."""
    index: dict[str, list[str]] = defaultdict(list)
    for path in list_pictures(data_dir):
        index[PurePosixPath(path).name].append(path)
    return index


def list_pictures(data_dir: Path) -> Iterator[str]:
    """The paths of the pictures below a folder, with slashes."""
    suffixes = list_suffixes()
    for place, folders, names in os.walk(data_dir):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(place).relative_to(data_dir)
        for name in sorted(names):
            if PurePosixPath(name).suffix.lower() in suffixes and not name.startswith("."):
                yield (below / name).as_posix()


def find_picture(index: PictureIndex, written: str, start: str = "") -> tuple[str, str]:
    """The path below the folder of the picture that a file names, and "", or the written path and a problem.

    Args:
        index: the pictures.
        written: the name in the file. Slashes may lean to either side.
        start: folder of the file, below the data set's folder; names mostly start from there.
    """
    plain = written.replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    same_name = index.get(parts[-1], ()) if parts else ()
    for exact in (str(PurePosixPath(start, *parts)), "/".join(parts)):
        if exact in same_name:
            return exact, ""
    found = [path for path in same_name if _are_one_tail(parts, path.split("/"))]
    best = [path for path in found if path.count("/") == max(other.count("/") for other in found)]
    if len(parts) == 1:
        best = found
    if len(best) == 1:
        return best[0], ""
    if best or same_name or plain.startswith("/") or ".." in parts:
        return plain, _explain_missing(written, best or same_name, several=len(best) > 1)
    return "/".join(parts), ""  # reported as missing when it is opened, with names that are near


def _are_one_tail(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a path ends in all of the other."""
    length = min(len(one), len(other))
    return list(one[-length:]) == list(other[-length:])


def _explain_missing(written: str, candidates: Sequence[str], *, several: bool) -> str:
    shown = ", ".join(map(quote, candidates[:CANDIDATES_SHOWN]))
    if several:
        return f"{quote(written)} may be {shown}: expected one picture of this name: add the folder to the name"
    near = f"; its name has {shown}" if candidates else ""
    return f"no picture {quote(written)} lies below the folder{near}"
