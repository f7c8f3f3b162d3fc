"""Paths that are missing, and the files there whose names nearly are theirs."""

from __future__ import annotations

import functools
import os
import unicodedata
from pathlib import Path

SAME_ENDINGS = {"jpeg": "jpg", "tiff": "tif"}


def find_near_path(path: str | Path) -> Path | None:
    """The one path that differs from a missing one only in Unicode form, case, punctuation or the kind of slash.

    Returns:
        None if the path exists, if no such path is there, or if several are.
    """
    path = Path(path)
    if os.path.lexists(path):
        return None
    parts = str(path)[len(path.anchor) :].replace("\\", "/").split("/")
    found = Path(path.anchor or ".")
    for part in filter(None, parts):
        if part == "..":
            return None
        if not os.path.lexists(found / part):
            near = _list_names(found).get(_simplify_name(part), [])
            if len(near) != 1:
                return None
            part = near[0]
        found /= part
    return found


def suggest_near_path(path: str | Path) -> str:
    """The end of a message about a missing path: what nearly has its name; "" if nothing has."""
    near = find_near_path(path)
    return (
        f"; {str(near)!r} is there, whose name differs in {_describe_difference(str(path), str(near))}" if near else ""
    )


def _describe_difference(one: str, other: str) -> str:
    if unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other):
        return "its Unicode form alone"
    return "case alone" if one.casefold() == other.casefold() else "case, punctuation, ending or Unicode form"


def _simplify_name(name: str) -> str:
    stem, dot, ending = unicodedata.normalize("NFKC", name).casefold().rpartition(".")
    text = stem + dot + SAME_ENDINGS.get(ending, ending)
    return "".join(filter(str.isalnum, text)) or text


def _list_names(folder: Path) -> dict[str, list[str]]:
    """The names in a folder, by what `_simplify_name` makes of them; none if the folder can't be listed."""
    try:
        return _list_state(str(folder), folder.stat().st_mtime_ns)
    except OSError:
        return {}


@functools.lru_cache(maxsize=8)
def _list_state(folder: str, _modified: int) -> dict[str, list[str]]:
    """The folder as it was at a time, so that thousands of missing files list it once."""
    names: dict[str, list[str]] = {}
    for name in sorted(os.listdir(folder)):  # noqa: PTH208 - Path.iterdir makes an object per name
        names.setdefault(_simplify_name(name), []).append(name)
    return names
