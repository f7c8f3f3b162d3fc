"""The search for picture files: which files the paths, folders and patterns of a command line stand for."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from svhn.errors import UserError
from svhn.images import is_remote, list_suffixes

SIDECAR_PREFIX = "._"  # of files in which macOS keeps, beside each file, what another file system can't hold
SIDECAR, SPECIAL, NO_ENDING = "sidecar files", "not regular files", "no ending"  # kinds of files, beside endings
SURROGATES = re.compile("[\ud800-\udfff]")  # stand for bytes of a name that are not UTF-8, as old archives hold them
REMEDY = "name files, folders of pictures, or patterns such as *.jpg or *.mp4"

# Videos are read where they are named, and passed over in folders: phones keep one beside each photo.
VIDEO_ENDINGS = {
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".3gp"),
    *(".3g2", ".ogv", ".vob", ".mxf"),
}
LIVE_SCHEMES = {"rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp", "rtp", "tcp"}
LIVE_ENDINGS = {".m3u8", ".mjpg", ".mjpeg"}  # of web addresses
PASSWORD = re.compile("(?<=://)[^/?#]*@")  # with the user's name

FolderId = tuple[int, int]  # device and inode: the same for all names of a folder


@dataclass
class Pictures:
    """The picture files that a command line names.

    Args:
        paths: the files in the order in which they are read, each once.
        roots: the folders that were searched with their subfolders, as they were given; none lies in one before it.
        passed_over: number of the other files in the folders, by kind: an ending such as `.txt`, or `SIDECAR`,
            `SPECIAL` or `NO_ENDING`.
        problems: a line for each folder that could not be listed.
        states: what the search told of pictures on other machines, by address: what `remote.describe_picture` returns,
            "" for nothing.
    """

    paths: list[str] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)


def find_pictures(patterns: Iterable[str], recursive: bool = True) -> Pictures:
    """Find the files that paths, folders and patterns such as `*.png` name.

    A folder stands for the picture files in it, and a pattern for the paths that it matches. A path of a file is
    returned even if no picture is there: its error is reported when the file is read.

    Args:
        patterns: paths and patterns, in the order in which the files are read. `**` stands for any number of folders.
        recursive: whether a folder stands for the picture files in its subfolders, too. A folder with several names, as
            links give it, is searched once.

    Raises:
        UserError: a folder or a pattern names no picture, or there are no patterns at all.
    """
    found, counted = Pictures(), set[FolderId]()
    for pattern in filter(None, patterns):  # a comma at the end of the flag leaves an empty pattern
        paths, problems, passed_over = len(found.paths), len(found.problems), found.passed_over.copy()
        if is_live(pattern):
            found.paths.append(pattern)
        elif is_remote(pattern):
            _add_remote(pattern, recursive, found)
        for path in () if is_remote(pattern) else _expand_pattern(pattern, found):
            if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
                _add_folder(path, recursive, found, counted)
            else:
                found.paths.append(str(path))
        if len(found.paths) == paths:
            reason = _explain_nothing(found.problems[problems:], found.passed_over - passed_over)
            raise UserError(f"{to_line(pattern)}: no picture found{reason}; {REMEDY}")
    if not found.paths:
        raise UserError(f"no picture named: {REMEDY}")
    found.paths, found.problems = list(dict.fromkeys(found.paths)), list(dict.fromkeys(found.problems))
    return found


def is_live(source: object) -> bool:
    """Whether an address is that of a live stream, which does not end by itself."""
    if not isinstance(source, str) or not is_remote(source):
        return False
    return source.partition("://")[0].lower() in LIVE_SCHEMES or _find_ending(source) in LIVE_ENDINGS


def is_video(path: str) -> bool:
    """Whether a path or an address names a video or a live stream."""
    return is_live(path) or _find_ending(path) in VIDEO_ENDINGS


def _find_ending(path: str) -> str:
    """The ending of a name, in lower case; of an address, without its host and what follows a question mark."""
    name = re.split("[?#]", path.partition("://")[2])[0].partition("/")[2] if is_remote(path) else path
    return Path(name).suffix.lower()


def hide_password(address: str) -> str:
    """An address without a user's name and password, to be printed and written; a path as it is."""
    return PASSWORD.sub("", address) if is_remote(address) else address


def _add_remote(address: str, recursive: bool, found: Pictures) -> None:
    from svhn.reading import remote

    for name, state in remote.list_files(address, recursive).items():
        kind = "" if name == address else _find_kind(Path(name))
        if kind:
            found.passed_over[kind] += 1
        else:
            found.paths.append(name)
            found.states[name] = state


def _explain_nothing(problems: list[str], passed_over: Counter[str]) -> str:
    if problems:
        return f" ({problems[-1]})"
    return f" (passed over: {format_kinds(passed_over)})" if passed_over else ""


def _expand_pattern(pattern: str, found: Pictures) -> Iterator[Path]:
    """The paths that a pattern matches, sorted. A path stands for itself, even if its name holds brackets."""
    path = Path(pattern)
    if not glob.has_magic(pattern) or os.path.lexists(path):
        yield path
    elif "**" not in path.parts:
        yield from sorted(map(Path, glob.glob(pattern)))  # noqa: PTH207 - Path.glob matches hidden files
    else:
        place = path.parts.index("**")
        yield from _expand_folders(str(Path(*path.parts[:place])), path.parts[place + 1 :], found)


def _expand_folders(start: str, rest: tuple[str, ...], found: Pictures) -> Iterator[Path]:
    """The paths that `start/**/rest` matches. Python's own search follows links that lead in circles many times."""
    for root in _expand_pattern(start, found):
        _add_root(root, found)
        if not rest:
            yield root
            continue
        for folder, _ in _walk(root, True, found):
            matches = _expand_pattern(str(Path(glob.escape(str(folder)), *rest)), found)
            yield from filter(os.path.lexists, matches)


def _add_folder(root: Path, recursive: bool, found: Pictures, counted: set[FolderId]) -> None:
    """Add the pictures of a folder. What is passed over in a folder counts once: `counted` holds the folders so far."""
    if recursive:
        _add_root(root, found)
    for folder, names in _walk(root, recursive, found):
        kinds: Counter[str] = Counter()
        for path in (folder / name for name in names):
            kind = _find_kind(path)
            if kind:
                kinds[kind] += 1
            else:
                found.paths.append(str(path))
        if _add_folder_id(folder, counted):
            found.passed_over += kinds


def _add_root(root: Path, found: Pictures) -> None:
    if not any(root.is_relative_to(outer) for outer in found.roots):
        found.roots.append(str(root))


def _walk(root: Path, recursive: bool, found: Pictures) -> Iterator[tuple[Path, list[str]]]:
    """Each folder once, with the names of its files. The order depends on the names alone."""
    seen: set[FolderId] = set()
    _add_folder_id(root, seen)
    for name, inner, names in os.walk(root, onerror=lambda error: _note_problem(error, found), followlinks=True):
        folder = Path(name)
        inner[:] = [each for each in sorted(inner) if recursive and _add_folder_id(folder / each, seen)]
        yield folder, sorted(names)


def _note_problem(error: OSError, found: Pictures) -> None:
    found.problems.append(f"{to_line(str(error.filename))}: {error.strerror or error}")


def _add_folder_id(folder: Path, seen: set[FolderId]) -> bool:
    """Whether the folder is new. A folder that can't be examined counts as new: its listing reports the error."""
    try:
        state = folder.stat()
    except OSError:
        return True
    before = len(seen)
    seen.add((state.st_dev, state.st_ino))
    return len(seen) > before


def _find_kind(path: Path) -> str:
    """The kind of a file that is passed over; "" for a picture. A link that leads nowhere counts as a picture."""
    if path.name.startswith(SIDECAR_PREFIX):
        return SIDECAR
    ending = path.suffix.lower()
    if ending not in list_suffixes():
        return ending or NO_ENDING
    try:
        return "" if stat.S_ISREG(path.stat().st_mode) else SPECIAL
    except OSError:
        return ""


def format_kinds(passed_over: Counter[str], shown: int = 6) -> str:
    """The number of files of each kind, such as `.txt 3, sidecar files 2`; the most frequent kinds first."""
    kinds = sorted(passed_over.items(), key=lambda pair: (-pair[1], pair[0]))
    others = sum(count for _, count in kinds[shown:])
    listed = [f"{to_line(kind)} {count:,}" for kind, count in kinds[:shown]]
    return ", ".join([*listed, *([f"others {others:,}"] if others else [])])


def to_printable(text: str) -> str:
    """A file's name for a document in UTF-8: bytes that are not UTF-8 become U+FFFD."""
    return SURROGATES.sub("\ufffd", text)


def to_line(text: str) -> str:
    """A file's name for a line on a terminal: as `to_printable`, and control characters become U+FFFD, too."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", to_printable(text))
