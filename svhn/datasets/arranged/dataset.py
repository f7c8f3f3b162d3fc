"""SVHN's Format 1, each number as in `svhn`, and of a share of the pictures new forms, drawn numbers, or no number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from svhn import images
from svhn.datasets import format1
from svhn.datasets.arranged.digits import LEAST_HEIGHT, stand_apart
from svhn.datasets.arranged.forms import BLANK, LOOSE, PAGE, SIGN, get_form, list_forms, plan_scene
from svhn.datasets.arranged.scene import Arrangement, Scene, make_rng, measure_height
from svhn.datasets.arranged.signs import draw_text
from svhn.datasets.svhn import SVHN
from svhn.datasets.synthetic.fonts import find_readable_fonts
from svhn.spec import Box, Entry, Size

ONE, TWO = 0.4, 0.15  # shares of the pictures whose digits stand apart that give one entry more, and two
ALONE = 0.3  # share of the other pictures that give one entry more, with the number as it is
BLANK_SHARE = 0.2  # of the pictures that give an entry with a word, marks or the wall alone
PAGE_SHARE = 0.15  # of the pictures that give an entry with a text
SIGN_SHARE = 0.25  # of the pictures that give an entry with a drawn number
LOOSE_SHARE = 0.3  # of the pictures that give an entry with their number in a box that is not quite the true one
KEPT = 0.5  # share of the numbers that keep the picture's digits in their order, where the form allows as many


def list_entries(data_dir: str | Path, source: str, seed: int = 0) -> Iterator[Entry]:
    """Each picture with its number, as `svhn` has it, then those with its digits in new forms, and those without them.

    The name of such an entry is the picture's and the form's. All entries of a picture go to the split to which
    `svhn` assigns the picture with the same seed.

    Raises:
        UserError: the digitStruct.mat is missing or can't be read, or matplotlib is missing.
    """
    fonts = find_readable_fonts()
    for entry in format1.list_entries(data_dir, source, seed):
        yield entry._replace(source=(*entry.source, None), picture=entry.name)
        if not entry.problem and len(entry.label) <= SVHN.max_length:  # forms of others would change the draw of valid
            yield from _draw_entries(entry, seed, fonts)
            yield from _draw_blanks(entry, seed, fonts, BLANK, BLANK_SHARE, "without its number")
            yield from _draw_signs(entry, seed, fonts)
            yield from _draw_loose(entry, seed)
            yield from _draw_blanks(entry, seed, fonts, PAGE, PAGE_SHARE, "with a text")


def describe_sources(data_dir: str | Path, sources: Sequence[str]) -> Iterator[str]:
    """The lines of `format1.describe_boxes`, and one that names the fonts of letters.

    Raises:
        UserError: matplotlib is missing.
    """
    yield from format1.describe_boxes(data_dir, sources)
    yield f"fonts of letters and words: {', '.join(Path(font).name for font in find_readable_fonts())}"


def _draw_entries(entry: Entry, seed: int, fonts: Sequence[str]) -> Iterator[Entry]:
    """The entries with a picture's digits in new forms: none, one or two."""
    rng = make_rng(seed, entry.name)
    apart, draw = stand_apart(entry.boxes), rng.random()
    names, shares = list_forms(apart)
    count = (draw < ONE + TWO) + (draw < TWO) if apart else int(draw < ALONE)
    for name in rng.choice(names, count, replace=False, p=shares).tolist():
        order = draw_order(rng, get_form(name).counts, len(entry.boxes))
        font = fonts[int(rng.integers(len(fonts)))]
        label = "".join(entry.label[index] for index in order)
        yield _make_entry(entry, label, Arrangement(name, entry.boxes, order, font, seed))


def _draw_blanks(entry: Entry, seed: int, fonts: Sequence[str], form: str, share: float, key: str) -> Iterator[Entry]:
    """The entry of a form that shows no number in place of a picture's, if the picture has one.

    Args:
        entry: the picture.
        seed: of wrangling.
        fonts: paths of the fonts of words.
        form: `BLANK` or `PAGE`.
        share: of the pictures that have one, 0 to 1.
        key: words that make the draws of one form independent of another's.
    """
    rng = make_rng(seed, f"{entry.name} {key}")  # the entry's own name draws what it shows
    if rng.random() < share:
        yield _make_entry(entry, "", Arrangement(form, entry.boxes, (), fonts[int(rng.integers(len(fonts)))], seed))


def _draw_signs(entry: Entry, seed: int, fonts: Sequence[str]) -> Iterator[Entry]:
    """The entry with a drawn number in place of a picture's, if the picture has one."""
    rng = make_rng(seed, f"{entry.name} with a drawn number")  # the entry's own name draws how the number is written
    high = measure_height(entry.boxes)
    if high >= LEAST_HEIGHT and rng.random() < SIGN_SHARE:
        text = draw_text(rng, high)
        label = "".join(character for character in text if character.isdigit())
        font = fonts[int(rng.integers(len(fonts)))]
        yield _make_entry(entry, label, Arrangement(SIGN, entry.boxes, (), font, seed, text))


def _draw_loose(entry: Entry, seed: int) -> Iterator[Entry]:
    """The entry with a picture's number in a box that is not quite the true one, if the picture has one."""
    if make_rng(seed, f"{entry.name} in a loose box").random() < LOOSE_SHARE:
        yield _make_entry(entry, entry.label, Arrangement(LOOSE, entry.boxes, tuple(range(len(entry.boxes))), "", seed))


def _make_entry(entry: Entry, label: str, arrangement: Arrangement) -> Entry:
    return Entry(f"{entry.name} {arrangement.form}", label, (*entry.source, arrangement), picture=entry.name)


def draw_order(rng: np.random.Generator, counts: Sequence[int], digits: int) -> tuple[int, ...]:
    """Which of a picture's digits a new number has; a digit may be repeated."""
    if not counts or (digits in counts and rng.random() < KEPT):
        return tuple(range(digits))
    return tuple(rng.integers(0, digits, rng.choice(counts)).tolist())


def load_picture(entry: Entry, size: Size, margin: float) -> np.ndarray:
    """The number with its margin, cut out of its picture or out of the scene that is made of the picture.

    Args:
        entry: an entry of `list_entries` without a problem.
        size: height and width of the result, in pixels.
        margin: share of the box's height and width that is added on each side.

    Returns:
        uint8 (height, width, 3).

    Raises:
        OSError: the file is missing, damaged or not a picture.
        ValueError: the box lies outside of the picture, or the picture is too large.
    """
    path, box, arrangement = entry.source
    if arrangement is None:
        return format1.load_picture(entry._replace(source=(path, box)), size, margin)
    picture = images.open_reduced(path)
    scene = _plan_scene(entry, picture.size)
    return images.resize_crop(scene.paint(picture.image), size, images.expand_box(scene.around, margin, scene.size))


def locate_digits(entry: Entry, margin: float) -> list[Box]:
    """The upright box of each digit, in shares of the width and height of the pixels that `load_picture` returns.

    Raises the errors of `load_picture`.
    """
    path, box, arrangement = entry.source
    if arrangement is None:
        return format1.locate_digits(entry._replace(source=(path, box)), margin)
    scene = _plan_scene(entry, images.measure_picture(path))
    crop = images.expand_box(scene.around, margin, scene.size)
    return [images.normalize_box(digit, crop) for digit in scene.boxes]


def _plan_scene(entry: Entry, size: tuple[int, int]) -> Scene:
    """The scene of an entry with a new form, for the width and height of its picture."""
    _, box, arrangement = entry.source
    images.expand_box(box, 0.0, size)  # raises the error of a number outside of the picture
    return plan_scene(make_rng(arrangement.seed, entry.name), size, arrangement)


SVHN_ARRANGED = replace(
    SVHN,
    name="svhn_arranged",
    entries=list_entries,
    load=load_picture,
    locate=locate_digits,
    describe=describe_sources,
)
