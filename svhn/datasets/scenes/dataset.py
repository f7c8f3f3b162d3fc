"""SVHN's Format 1 as whole pictures, as `svhn_full` has them, and scenes made of each: the data set of the finder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from svhn import images
from svhn.datasets import svhn_full
from svhn.datasets.arranged.dataset import describe_sources, draw_order
from svhn.datasets.arranged.digits import stand_apart
from svhn.datasets.arranged.forms import get_form, list_forms, plan_scene
from svhn.datasets.arranged.scene import Arrangement, Scene, make_rng
from svhn.datasets.scenes.window import blank_scene, frame_scene
from svhn.datasets.svhn import SVHN
from svhn.datasets.svhn_full import SVHN_FULL
from svhn.datasets.synthetic.fonts import find_readable_fonts
from svhn.spec import Box, Entry, Size

PLAIN_SHARE = 0.35  # of numbers in scenes that keep their form
KINDS: Mapping[str, float] = {"scene": 0.45, "several": 0.25, "blank": 0.3}  # of scenes, and how frequent they are


class View(NamedTuple):
    """A scene that is made of a picture: a key of `KINDS`, and the digits in their form."""

    kind: str
    arrangement: Arrangement


def list_entries(data_dir: str | Path, source: str, seed: int = 0) -> Iterator[Entry]:
    """The entries of `svhn_full`, and after each picture a scene that is made of it.

    The name of such an entry is the picture's, the scene's kind and the number's form. All entries of a picture go to
    the split to which `svhn` assigns the picture with the same seed.

    Raises:
        UserError: the digitStruct.mat is missing or can't be read, or matplotlib is missing.
    """
    fonts = find_readable_fonts()
    for entry in svhn_full.list_entries(data_dir, source, seed):
        yield entry._replace(source=(*entry.source, None))
        whole = entry.source[2]
        if whole and not entry.problem and len(entry.label) <= SVHN.max_length:
            yield _draw_entry(entry, seed, fonts)


def _draw_entry(entry: Entry, seed: int, fonts: Sequence[str]) -> Entry:
    """A scene that is made of a picture."""
    rng = make_rng(seed, entry.name)
    kind = str(rng.choice([*KINDS], p=[*KINDS.values()]))
    form = "" if rng.random() < PLAIN_SHARE else _draw_form(rng, stand_apart(entry.boxes))
    order = draw_order(rng, get_form(form).counts, len(entry.boxes))
    arrangement = Arrangement(form, entry.boxes, order, fonts[int(rng.integers(len(fonts)))], seed)
    label = "" if kind == "blank" else "".join(entry.label[index] for index in order)
    name = f"{entry.name} {kind} {form}".strip()
    return Entry(name, label, (*entry.source, View(kind, arrangement)), picture=entry.name)


def _draw_form(rng: np.random.Generator, apart: bool) -> str:
    names, shares = list_forms(apart)
    return str(rng.choice(names, p=shares))


def load_picture(entry: Entry, size: Size, margin: float = 0.0) -> np.ndarray:
    """The picture, the part beside its number or the scene, resized to uint8 (height, width, 3).

    Raises:
        OSError: the file is missing, damaged or not a picture.
        ValueError: the number lies outside of the picture, or the picture is too large.
    """
    *source, view = entry.source
    if view is None:
        return svhn_full.load_picture(entry._replace(source=tuple(source)), size, margin)
    picture = images.open_reduced(source[0])
    scene = _plan_scene(entry, picture.size)
    return images.resize_crop(scene.paint(picture.image), size, scene.around)


def locate_digits(entry: Entry, margin: float = 0.0) -> list[Box]:
    """The upright box of each digit, in shares of the width and height; none where there is no number.

    Raises the errors of `load_picture`.
    """
    *source, view = entry.source
    if view is None:
        return svhn_full.locate_digits(entry._replace(source=tuple(source)), margin)
    scene = _plan_scene(entry, images.measure_picture(source[0]))
    return [images.normalize_box(digit, scene.around) for digit in scene.boxes]


def _plan_scene(entry: Entry, size: tuple[int, int]) -> Scene:
    """The scene of an entry with a view, for the width and height of its picture."""
    _, box, _, (kind, arrangement) = entry.source
    images.expand_box(box, 0.0, size)  # raises the error of a number outside of the picture
    rng = make_rng(arrangement.seed, entry.name)
    scene = plan_scene(rng, size, arrangement)
    if kind == "blank":
        return blank_scene(rng, scene, arrangement.font)
    return frame_scene(rng, scene, kind == "several", arrangement.font)


SVHN_SCENES = replace(
    SVHN_FULL,
    name="svhn_scenes",
    entries=list_entries,
    load=load_picture,
    locate=locate_digits,
    describe=describe_sources,
)
