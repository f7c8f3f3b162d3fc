"""Picture files: the search for them, a table of the readings, and annotated copies."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from svhn import images
from svhn.errors import UserError
from svhn.images import list_suffixes
from svhn.labels import Reading
from svhn.runtime.files import atomic_write, write_json, write_rows

COLUMNS = ("file", "number", "confidence", "left", "top", "right", "bottom", "digit_confidences")
BOX_COLOR = (230, 30, 60)
MIN_HEIGHT = 200  # pixels of an annotated copy; smaller pictures are enlarged, so that the text can be read

Read = Callable[[Image.Image], Reading]
Row = tuple[Path, Reading]


def read_files(
    read: Read, files: Iterable[Path], annotated: Path | None, problem: Callable[[str], None]
) -> Iterator[Row]:
    """Yield each picture file with its reading.

    Args:
        read: reads one RGB picture.
        files: paths of the files, read one at a time.
        annotated: folder for copies that show the box and the number; None for no copies.
        problem: called with a line for each file that can't be read; such a file is skipped.
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
    """A path for the copy of a picture, which is added to `taken`.

    Pictures of other folders or formats can have the same name; the second copy is then called `NAME (2).png`.
    """
    numbered = (folder / f"{stem}{f' ({number})' if number > 1 else ''}.png" for number in count(1))
    path = next(path for path in numbered if path not in taken)
    taken.add(path)
    return path


def _to_printable(file: Path) -> str:
    """The file's name for output. Old archives hold names that are not UTF-8; their other bytes become U+FFFD."""
    return os.fsencode(file).decode(errors="replace")


def format_reading(file: Path, reading: Reading) -> str:
    """The file, the number and the confidence of one reading as a line for the terminal."""
    return f"{_to_printable(file)}  {reading.text or 'no number'}  {reading.confidence:.3f}"


def check_targets(files: Iterable[Path], output: str, annotated: str) -> None:
    """Check where the results are to be written, before any picture is read.

    Args:
        files: the pictures to be read.
        output: path of the table; "" for no table.
        annotated: folder for annotated copies; "" for no copies.

    Raises:
        UserError: the table's suffix is unknown, or the copies would lie beside the pictures, where the next call would
            read them.
    """
    if output and Path(output).suffix.lower() not in (".csv", ".json"):
        raise UserError(f"--output={output}: expected a name that ends in .csv or .json")
    if annotated and Path(annotated).resolve() in {file.resolve().parent for file in files}:
        raise UserError(
            f"--annotate={annotated} holds the pictures themselves: name another folder for the annotated copies"
        )


def write_readings(path: Path, rows: Iterable[Row]) -> None:
    """Write the readings as a table, and its folder if that is missing.

    The box is in pixels. Without a number, it is empty in CSV and null in JSON.

    Args:
        path: ends in .csv for CSV; any other name is written as JSON.
    """
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
    """A copy of the picture with the box, and above or below the box the number and its confidence."""
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
    """The files that paths, folders and patterns such as `*.png` name, in the order given, each once.

    A folder stands for the picture files directly in it. A path is returned even if no file is there: its error is
    reported when the file is read.

    Raises:
        UserError: a folder or a pattern names no picture, or there are no patterns at all.
    """
    found: list[Path] = []
    for pattern in filter(None, patterns):  # a comma at the end of the flag leaves an empty pattern
        path = Path(pattern)
        if path.is_dir():
            matches = sorted(file for file in path.iterdir() if file.suffix.lower() in list_suffixes())
        else:
            magic = glob.has_magic(pattern) and not path.exists()  # a file's own name may hold brackets
            matches = sorted(map(Path, glob.glob(pattern, recursive=True))) if magic else [path]  # noqa: PTH207
        if not matches:
            raise UserError(f"{pattern}: no picture found; name files, folders of pictures, or patterns such as *.jpg")
        found += matches
    if not found:
        raise UserError("no picture named: expected files, folders of pictures, or patterns such as *.jpg")
    return list(dict.fromkeys(found))
