"""Copies of pictures with each number and its box drawn in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from svhn.errors import PassingError, UserError
from svhn.labels import NO_NUMBER, Number, Reading
from svhn.reading.files import Pictures
from svhn.runtime.files import atomic_write, make_ending
from svhn.runtime.shell import explain_os_error

BOX_COLOR = (230, 30, 60)
MIN_HEIGHT = 200  # pixels of a copy; smaller pictures are enlarged, so that the text can be read
MAX_ENLARGED_WIDTH = 4000  # pixels; bounds the memory that the copy of a wide, low picture takes
JPEG_ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif")
JPEG_QUALITY = 95


class Copies:
    """The annotated copies of pictures. Each place is chosen before the work, so that threads may share an object."""

    def __init__(self, folder: str, pictures: Pictures) -> None:
        """Choose the places.

        Args:
            folder: the folder for the copies, which need not exist.
            pictures: the pictures, as they were found.

        Raises:
            UserError: the copies would lie among the pictures, where the next call would read them.
        """
        self.folder, self._roots = Path(folder), pictures.roots
        self._renamed: dict[str, Path] = {}  # by picture: places that differ from `_choose_place`
        folders = self._rename_twins(pictures.paths)
        self._check_folders(pictures, folders)

    def _rename_twins(self, paths: Iterable[str]) -> set[Path]:
        """Number the places that pictures of other folders or formats have already; returns the places' folders."""
        taken: set[int] = set()  # hashes, which are smaller than places; some file systems ignore case
        folders: set[Path] = set()
        for path in paths:
            plain = self._choose_place(path)
            place = next(each for each in _number_place(plain) if hash(str(each).lower()) not in taken)
            taken.add(hash(str(place).lower()))
            folders.add(place.parent)
            if place != plain:
                self._renamed[path] = place
        return folders

    def _choose_place(self, path: str) -> Path:
        """Where in the folder the copy lies: as the picture does below the folder that was searched."""
        places = (_strip_root(Path(path), root) for root in self._roots)
        place = next((place for place in places if place), Path(Path(path).name))
        return place if place.suffix.lower() in (*JPEG_ENDINGS, ".png") else place.with_suffix(".png")

    def _check_folders(self, pictures: Pictures, folders: set[Path]) -> None:
        target = _resolve(self.folder)
        for root in self._roots:
            if target.is_relative_to(_resolve(root)):
                raise UserError(
                    f"--annotate={self.folder} lies in {root}, whose pictures are read with those of its subfolders: "
                    "name another folder for the annotated copies"
                )
        sources = {Path(path).parent for path in pictures.paths}
        if {*map(_resolve, sources)} & {_resolve(target / each) for each in folders}:
            raise UserError(
                f"--annotate={self.folder} holds the pictures themselves: name another folder for the annotated copies"
            )

    def find_path(self, source: str) -> Path:
        """The path of a picture's copy."""
        return self.folder / self._renamed.get(source, self._choose_place(source))

    def write(self, source: str, image: Image.Image, reading: Reading) -> None:
        """Write the copy of a picture, as `write_copy`."""
        write_copy(self.find_path(source), image, reading)


def write_copy(path: Path, image: Image.Image, reading: Reading) -> None:
    """Write the copy of an RGB picture: JPEG if the path ends as that of a JPEG, else PNG. Its folder is made.

    Raises:
        OSError: the copy can't be written; `PassingError` if the system refuses it, which a user can mend.
    """
    jpeg = path.suffix.lower() in JPEG_ENDINGS
    form = {"format": "jpeg", "quality": JPEG_QUALITY} if jpeg else {"format": "png"}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, ending=make_ending()) as file:
            draw_reading(image, reading).save(file, **form)
    except OSError as error:
        kind = PassingError if error.errno else OSError
        raise kind(f"the annotated copy could not be written: {explain_os_error(error)}") from error


def _resolve(path: str | Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises for a link that leads to itself


def _strip_root(path: Path, root: str) -> Path | None:
    """The path below a root; None if it is not below."""
    if not path.is_relative_to(root):
        return None
    inner = path.relative_to(root)
    return None if os.pardir in inner.parts else inner


def _number_place(place: Path) -> Iterator[Path]:
    """The place, then `NAME (2).png`, `NAME (3).png` and so on."""
    yield place
    for number in count(2):
        yield place.with_name(f"{place.stem} ({number}){place.suffix}")


def draw_reading(image: Image.Image, reading: Reading) -> Image.Image:
    """A copy of an RGB picture with each number's box, and above or below the box the number and its confidence."""
    factor = max(1, min(-(-MIN_HEIGHT // image.height), MAX_ENLARGED_WIDTH // image.width))
    copy = image.resize((factor * image.width, factor * image.height))
    for number in reading.numbers or [NO_NUMBER]:
        _draw_label(copy, number, factor)
    for number in reading.numbers:
        _draw_box(copy, number, factor)
    return copy


def _draw_label(copy: Image.Image, number: Number, factor: int) -> None:
    draw, size = ImageDraw.Draw(copy), _choose_letter_size(copy)
    left, top, _, bottom = (factor * side for side in number.box or (0, 0, 0, 0))
    text, font = _format_label(number), ImageFont.load_default(size)
    left = max(0, min(left, copy.width - draw.textlength(text, font)))
    place = left, top - 1.3 * size if top > 1.3 * size else min(bottom, copy.height - 1.3 * size)
    draw.rectangle(draw.textbbox(place, text, font=font), fill="white")
    draw.text(place, text, BOX_COLOR, font=font)


def _draw_box(copy: Image.Image, number: Number, factor: int) -> None:
    points = [(factor * x, factor * y) for x, y in number.corners or ()]
    if points:
        ImageDraw.Draw(copy).polygon(points, outline=BOX_COLOR, width=max(1, _choose_letter_size(copy) // 8))


def _choose_letter_size(copy: Image.Image) -> int:
    return max(1, copy.height // 15)


def _format_label(number: Number) -> str:
    return f"{number.shown} {number.confidence:.2f}" if number.shown else "no number"
