"""Files of pictures: which there are, what was read in them as a table, and drawn into copies of them."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from svhn import images
from svhn.errors import UserError
from svhn.images import SUFFIXES
from svhn.labels import Reading
from svhn.runtime.files import atomic_write, write_json, write_rows

COLUMNS = ("file", "number", "confidence", "left", "top", "right", "bottom", "digit_confidences")
BOX_COLOR = (230, 30, 60)
MIN_HEIGHT = 200  # least pixels of an annotated copy

Read = Callable[[Image.Image], Reading]
Row = tuple[Path, Reading]


def read_files(
    read: Read, files: Iterable[Path], annotated: Path | None, problem: Callable[[str], None]
) -> Iterator[Row]:
    """Each file that is a picture, with what was read in it, also drawn into a copy in the folder `annotated`.

    Says of each other file why it can't be read.
    """
    copies: set[Path] = set()
    for file in files:
        try:
            image = images.open_picture(file)
        except (OSError, ValueError) as error:
            problem(f"{_to_printable(file)}: {error}")
            continue
        reading = read(image)
        if annotated:
            _write_annotated_copy(image, reading, _choose_path(annotated, file.stem, copies))
        yield file, reading


def _choose_path(folder: Path, stem: str, taken: set[Path]) -> Path:
    """The picture's, counted up where one of another folder or kind has it already."""
    numbered = (folder / f"{stem}{f' ({number})' if number > 1 else ''}.png" for number in count(1))
    path = next(path for path in numbered if path not in taken)
    taken.add(path)
    return path


def _to_printable(file: Path) -> str:
    """A name that can be printed and saved: old archives leave some whose bytes are no UTF-8."""
    return os.fsencode(file).decode(errors="replace")


def format_reading(file: Path, reading: Reading) -> str:
    return f"{_to_printable(file)}  {reading.text or 'no number'}  {reading.confidence:.3f}"


def check_targets(files: Iterable[Path], output: str, annotated: str) -> None:
    """Raises `UserError` where a table would be of no known kind, or a copy could be taken for a picture to be read."""
    if output and Path(output).suffix.lower() not in (".csv", ".json"):
        raise UserError(f"--output={output}: expected a name that ends in .csv or .json")
    if annotated and Path(annotated).resolve() in {file.resolve().parent for file in files}:
        raise UserError(f"--annotate={annotated} is where the pictures are: name another folder for their copies")


def write_readings(path: Path, rows: Iterable[Row]) -> None:
    """As a CSV, or as JSON where the name ends so; the box in pixels, empty where there is no number."""
    if path.suffix.lower() == ".csv":
        write_rows(path, COLUMNS, (_to_csv_row(*row) for row in rows))
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, [_to_json_entry(*row) for row in rows])


def _to_csv_row(file: Path, reading: Reading) -> list[object]:
    box = [f"{side:.1f}" for side in reading.box] if reading.box else [""] * 4
    digits = " ".join(f"{value:.4f}" for value in reading.digit_confidences)
    return [_to_printable(file), reading.text, f"{reading.confidence:.6f}", *box, digits]


def _to_json_entry(file: Path, reading: Reading) -> dict[str, object]:
    box = [round(side, 1) for side in reading.box] if reading.box else None
    return {
        "file": _to_printable(file),
        "number": reading.text,
        "confidence": reading.confidence,
        "box": box,
        "digit_confidences": reading.digit_confidences,
    }


def _write_annotated_copy(image: Image.Image, reading: Reading, path: Path) -> None:
    """A copy of the picture, enlarged if small, with the box and, above or below it, what was read and how surely."""
    factor = -(-MIN_HEIGHT // image.height)
    copy = image.resize((factor * image.width, factor * image.height))
    draw, size = ImageDraw.Draw(copy), copy.height // 15
    left, top, right, bottom = (factor * side for side in reading.box or (0, 0, 0, 0))
    above = left, top - 1.3 * size if top > 1.3 * size else min(bottom, copy.height - 1.3 * size)
    text, font = f"{reading.text or 'no number'} {reading.confidence:.2f}", ImageFont.load_default(size)
    draw.rectangle(draw.textbbox(above, text, font=font), fill="white")
    draw.text(above, text, BOX_COLOR, font=font)
    if reading.box:
        draw.rectangle((left, top, right, bottom), outline=BOX_COLOR, width=max(1, size // 8))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        copy.save(file, "png")


def expand_patterns(patterns: Iterable[str]) -> list[Path]:
    """The files that paths, folders and patterns such as `*.png` name, in that order, each once.

    Raises:
        UserError: one of them names nothing.
    """
    found: list[Path] = []
    for pattern in filter(None, patterns):  # of a comma at the end
        path = Path(pattern)
        if path.is_dir():
            named = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        else:
            magic = glob.has_magic(pattern) and not path.exists()
            named = sorted(map(Path, glob.glob(pattern, recursive=True))) if magic else [path]  # noqa: PTH207
        if not named:
            raise UserError(f"--images={pattern}: no picture there; expected files, folders with pictures, or patterns")
        found += named
    if not found:
        raise UserError("--images names nothing: expected files, folders with pictures, or patterns, by comma")
    return list(dict.fromkeys(found))
