"""Pre-labels: what was read, as labels for a person to correct in a labeling tool. docs/labeling.md describes them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from svhn.errors import Say, UserError, shorten
from svhn.images import is_remote
from svhn.labels import Reading
from svhn.reading.files import to_line
from svhn.reading.prelabel_formats import FORMATS, LABEL_STUDIO, YOLO, Files, LabeledPicture, Origin, name_label_file
from svhn.runtime.files import attach_filename, flush_to_disk, make_ending
from svhn.runtime.holding import hold_file

UNNAMABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # control characters, and bytes that are not UTF-8
Add = Callable[[str, Reading], str]  # takes a picture's path; returns why the output lacks the picture, or ""


class Target(NamedTuple):
    """Where pre-labels go.

    Args:
        kind: their format's name, one of `FORMATS`.
        path: the file or the folder.
        names: the pictures' names in the pre-labels, by path.
    """

    kind: str
    path: Path
    names: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.path.parent if FORMATS[self.kind].ending else self.path

    @property
    def pictures(self) -> Path:
        """From where the pictures' names start."""
        return self.folder / FORMATS[self.kind].pictures


def plan_prelabels(kind: str, output: str, pictures: Sequence[str]) -> Target:
    """Choose where pre-labels go, before any picture is read.

    Args:
        kind: their format's name, one of `FORMATS`.
        output: the file or the folder, as the user named it.
        pictures: paths or addresses of the pictures.

    Raises:
        UserError: the name does not suit the format, something of that name is there already, a picture lies elsewhere,
            or two pictures would share a file.
    """
    _check_name(kind, output)
    target = Target(kind, Path(output), {})
    _check_absent(target)
    names = {path: _name_picture(target, path) for path in pictures}
    outside = [path for path, name in names.items() if name is None]
    if outside:
        raise UserError(_explain_outside(target, outside[0]))
    target = target._replace(names={path: name for path, name in names.items() if name is not None})
    _check_twins(target)
    return target


def _check_name(kind: str, output: str) -> None:
    ending, path = FORMATS[kind].ending, Path(output)
    if not output:
        raise UserError(f"--as={kind} writes {'a file' if ending else 'a folder'}: name it by --output")
    folder = path.is_dir() or output.endswith(("/", os.sep))
    if not folder and path.suffix.lower() == ending if ending else not path.is_file():
        return
    expected = f"the name of a file that ends in {ending}" if ending else "the name of a folder"
    raise UserError(f"--output={shorten(output)}: expected {expected}, which --as={kind} writes; it works in no parts")


def _check_absent(target: Target) -> None:
    for path in _list_outputs(target):
        if os.path.lexists(path):
            raise UserError(
                f"{path} is there already, and may hold corrections: move it away, or name another --output"
            )


def _list_outputs(target: Target) -> list[Path]:
    return [target.folder / name for name in FORMATS[target.kind].list_outputs(target.path.name)]


def _name_picture(target: Target, picture: str) -> str | None:
    """The path of a picture from where its format has the pictures; None if it lies elsewhere."""
    if is_remote(picture):
        return picture if target.kind == LABEL_STUDIO else None
    path, start = Path(os.path.abspath(picture)), os.path.abspath(target.pictures)  # noqa: PTH100 - links stay links
    return path.relative_to(start).as_posix() if path.is_relative_to(start) else None


def _explain_outside(target: Target, picture: str) -> str:
    remedy = "name an --output in the folder of the pictures, or move or link the pictures to this folder"
    if is_remote(picture):
        remedy = "copy the pictures to this folder"
    elif not FORMATS[target.kind].ending:
        remedy = (
            f"move the pictures to {target.pictures}, or make it a link to their folder; then read {target.pictures}"
        )
    return (
        f"{to_line(picture)} does not lie in {target.pictures}, from where --as={target.kind} names pictures: {remedy}"
    )


def _check_twins(target: Target) -> None:
    """Raise `UserError` if two of the pictures would be one in the pre-labels."""
    first: dict[str, str] = {}
    for path, name in target.names.items():
        key = f"labels/{name_label_file(name)}" if target.kind == YOLO else name
        other = first.setdefault(key, path)
        if other != path:
            raise UserError(
                f"{to_line(other)} and {to_line(path)} would both be {to_line(key)}: rename one of them, or leave one "
                "out"
            )


@contextmanager
def open_prelabels(target: Target, origin: Origin, say: Say) -> Iterator[Add]:
    """A function that adds a picture's reading to pre-labels, which are written at the end and read back.

    If an exception ends the work, nothing is written. Nothing is written without a picture that was read, either.

    Args:
        target: where they go.
        origin: what they come from.
        say: prints a line about what was written.

    Raises:
        UserError: another process writes the same, or what was written differs when it is read back.
    """
    found: list[LabeledPicture] = []

    def add(path: str, reading: Reading) -> str:
        name = target.names[path]
        if UNNAMABLE.search(name):
            return f"{to_line(path)}: its name has bytes that are not UTF-8 or control characters: rename it"
        if reading.size:
            found.append(LabeledPicture(name, reading.size, reading.numbers, estimate_sureness(reading)))
        return ""

    with hold_file(_list_outputs(target)[0], "name another --output"):
        _check_absent(target)
        yield add
        if found:
            found.sort(key=lambda picture: picture.sureness)
            form = FORMATS[target.kind]
            _write_files(target, form.make_files(found, target.path.name, origin))
            count = sum(len(picture.numbers) for picture in found)
            say(f"{target.path} holds {count:,} numbers of {len(found):,} pictures to correct")


def estimate_sureness(reading: Reading) -> float:
    """The confidence, 0 to 1, of the least sure number; without a number, that what was nearly read is not there.

    It is 0 with a number that is too long, whose digits a person has to type.
    """
    nothing = 1 - reading.refused.confidence if reading.refused else 0.0
    return min((0.0 if each.truncated else each.confidence for each in reading.numbers), default=nothing)


def _write_files(target: Target, files: Files) -> None:
    """Write files beside their places, read them back, and have all take their names."""
    staging = target.folder / make_ending()
    try:
        for name, text in files.items():
            _write_file(staging / name, text)
        for path in _list_outputs(target):
            (staging / path.name).rename(path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write_file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with attach_filename(path), path.open("wb") as file:
        file.write(text.encode())
        flush_to_disk(file)
    if path.read_bytes() != text.encode():
        raise UserError(f"{path} is not as it was written: check the disk, then run the same command again")
