"""The picture that a labeling tool's file names, found below the folder by the end of its path.

Tools write names as they saw them: without the folder, with the folders of another machine, or as an address.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath

from svhn.errors import quote
from svhn.images import list_suffixes

CANDIDATES_SHOWN = 3
UPLOADED = re.compile("^[0-9a-f]{8}-(?=.)")  # what Label Studio puts before the name of an uploaded file
DRIVE = re.compile("[A-Za-z]:/")

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

    A path of another machine ends in the picture's path or, if no other picture has it, in the picture's name alone.

    Args:
        index: the pictures.
        written: the name in the file. Slashes may lean to either side.
        start: folder of the file, below the data set's folder; names mostly start from there.
    """
    plain = written.replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    same_name = index.get(parts[-1], ()) if parts else ()
    for exact in (posixpath.normpath(posixpath.join(start, *parts)), "/".join(parts)):
        if exact in same_name:
            return exact, ""
    found = _keep_longest_tails(parts, same_name, elsewhere=_is_elsewhere(plain))
    if len(found) == 1:
        return found[0], ""
    if UPLOADED.match(parts[-1] if parts else "") and not same_name:
        return find_picture(index, UPLOADED.sub("", parts[-1]), start)
    if same_name or _is_elsewhere(plain):
        return plain, _explain_missing(written, found or same_name, several=len(found) > 1)
    return "/".join(parts), ""  # reported as missing when it is opened, with names that are near


def _is_elsewhere(path: str) -> bool:
    """Whether a path leads out of the folder, to a place of another machine."""
    return path.startswith("/") or DRIVE.match(path) is not None or ".." in path.split("/")


def _keep_longest_tails(parts: Sequence[str], paths: Sequence[str], *, elsewhere: bool) -> list[str]:
    """The paths that share the most last parts with a written path: all parts of one of both, unless `elsewhere`."""
    shared = {path: _count_shared(parts, path.split("/")) for path in paths}
    whole = {
        path: count for path, count in shared.items() if elsewhere or count == min(len(parts), len(path.split("/")))
    }
    return [path for path, count in whole.items() if count == max(whole.values())]


def _count_shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts at their ends two paths share."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _explain_missing(written: str, candidates: Sequence[str], *, several: bool) -> str:
    shown = ", ".join(map(quote, candidates[:CANDIDATES_SHOWN]))
    if several:
        return f"{quote(written)} may be {shown}: expected one picture of this name: add the folder to the name"
    near = f"; its name has {shown}" if candidates else ""
    return f"no picture {quote(written)} lies below the folder{near}"
