"""House numbers drawn by this package, in SVHN's Format 1: for trying the program, and for training readers.

The same fonts give the same files, byte for byte. Lengths are distributed as in SVHN's train split.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from svhn.datasets import format1
from svhn.datasets.synthetic import camera, fonts, wall
from svhn.datasets.synthetic import digits as numerals
from svhn.datasets.synthetic.digits import DIGIT_HEIGHT
from svhn.errors import UserError
from svhn.labels import SVHN_ZERO
from svhn.runtime.holding import hold_file
from svhn.runtime.processes import count_cores, start_workers
from svhn.spec import DRAWN, Archive, DatasetSpec

PICTURES = {"train": 4000, "test": 600}
SVHN_LENGTHS = (5137, 18130, 8691, 1434, 9)  # how many numbers of SVHN's train split have one to five digits
MARK = "House numbers drawn by svhn.datasets.synthetic, version 2; how many:"
WORTH_PROCESSES = 500  # pictures; fewer are drawn faster than worker processes start
TRIM = 10  # pixels cut off at each border, which a tilted picture leaves blank


def render_dataset(data_dir: str | Path, pictures: int = 0) -> None:
    """Draw the folders `train` and `test` of `data_dir`. A folder that is complete already is left as it is.

    Args:
        data_dir: folder of the sources; made if it is missing.
        pictures: number of training pictures; 0 stands for that of `PICTURES`.

    Raises:
        UserError: a folder of that name holds other files or another number of pictures, another process draws it, or
            matplotlib is missing.
    """
    counts = {**PICTURES, **({"train": pictures} if pictures else {})}
    for split in counts:
        folder = Path(data_dir) / split
        held = count_drawn(folder)
        if folder.exists() and (not held or (pictures and held != counts[split])):
            what = f"holds {held} pictures" if held else "was not drawn by this version"
            raise UserError(f"{folder} {what} and is left as it is: choose another --data_dir")
    for split, count in counts.items():
        if is_present(data_dir, split):
            continue
        with hold_file(Path(data_dir) / split, "choose another --data_dir"):
            if not is_present(data_dir, split):  # another process may have drawn it since
                render_split(Path(data_dir) / split, count, seed=list(PICTURES).index(split))


def is_present(data_dir: str | Path, source: str) -> bool:
    """Whether this version drew the source."""
    return count_drawn(Path(data_dir) / source) > 0


def count_drawn(folder: Path) -> int:
    """The number of pictures that this version drew into the folder; 0 for any other folder."""
    marker = folder / DRAWN
    lines = marker.read_text(encoding="utf-8").splitlines() if marker.is_file() else []
    return int(lines[1]) if len(lines) > 1 and lines[0] == MARK and lines[1].isdecimal() else 0


def render_split(folder: Path, count: int, seed: int) -> None:
    """Draw `count` pictures into a folder that takes its name only when it is complete."""
    # h5py would slow down the start of every command.
    from svhn.datasets.formats.digit_struct_writer import write_digit_struct

    unfinished = folder.with_name(folder.name + ".partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    write_digit_struct(unfinished / format1.BOXES_FILE, _draw_pictures(unfinished, count, seed))
    used = (Path(path).name for path in fonts.find_readable_fonts())
    (unfinished / DRAWN).write_text("\n".join([MARK, str(count), "Fonts:", *used, ""]), encoding="utf-8", newline="")
    unfinished.replace(folder)


def _draw_pictures(folder: Path, count: int, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Save the pictures; yields the file name and digits of each, as `write_digit_struct` takes them."""
    from svhn.runtime.bars import make_bar  # its tqdm would slow down every command's start

    draw = partial(draw_picture, folder, fonts.find_readable_fonts(), seed)
    with start_workers(count_cores() if count >= WORTH_PROCESSES else 1) as parallel_map:
        yield from make_bar(parallel_map(draw, range(count)), desc=folder.stem, total=count, unit="image")


def draw_picture(folder: Path, paths: Sequence[str], seed: int, index: int) -> tuple[str, np.ndarray]:
    """Draw and save one picture; returns its file name and digits.

    The seed and the index alone draw it, so that any number of processes draws the same pictures.

    Args:
        folder: where the picture goes.
        paths: the fonts to choose from.
        seed: number of the split.
        index: number of the picture, from 0.
    """
    rng = np.random.default_rng((seed, index))
    picture, digits = draw_number(rng, sample_number(rng), paths[int(rng.integers(len(paths)))])
    name = f"{index + 1}.png"
    picture.save(folder / name, compress_level=1)
    return name, digits


def sample_number(rng: np.random.Generator) -> str:
    """The digits of a house number. None begins with 0, and small numbers are more frequent, as along any street."""
    length = 1 + rng.choice(len(SVHN_LENGTHS), p=np.array(SVHN_LENGTHS) / sum(SVHN_LENGTHS))
    return str(int(10 ** rng.uniform(length - 1, length)))


def draw_number(rng: np.random.Generator, text: str, font: str) -> tuple[Image.Image, np.ndarray]:
    """A picture of the number, and its digits as in digitStruct.mat: float64 (digits, 5), boxes in pixels."""
    inks, corners = numerals.place_digits(rng, text, font)
    left, top, right, bottom = (round(DIGIT_HEIGHT * side) for side in rng.uniform(0.5, 1.3, 4))
    masks = numerals.draw_masks(inks, corners, (left, top, right, bottom))
    scene = wall.draw_scene(rng, masks)
    view = numerals.sample_viewpoint(rng, masks[0].size)
    trim = (TRIM, TRIM, masks[0].width - TRIM, masks[0].height - TRIM)
    picture, factor = camera.take_photo(rng, np.asarray(numerals.project_picture(scene, view).crop(trim), np.float32))
    rows = []
    for digit, mask in zip(text, masks, strict=True):
        box = np.array(numerals.find_ink_box(np.asarray(numerals.project_picture(mask, view).crop(trim)))) * factor
        rows.append((int(digit) or SVHN_ZERO, box[0], box[1], box[2] - box[0], box[3] - box[1]))
    return picture, np.array(rows, np.float64)


SYNTHETIC = DatasetSpec(
    name="synthetic",
    size=(57, 95),
    margin=0.15,
    channels=3,
    max_length=5,
    longer=True,  # as house numbers, so that networks can learn from both
    image_format="jpeg",
    sources={split: (Archive(split),) for split in PICTURES},
    valid_from=("train",),
    entries=format1.list_entries,
    load=format1.load_picture,
    locate=format1.locate_digits,
    present=is_present,
    checksum=format1.compute_checksum,
    describe=format1.describe_boxes,
    pictures=format1.get_pictures_folder,
    path=format1.get_picture_path,
    render=render_dataset,
)
