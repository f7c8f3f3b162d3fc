"""The regions of a Label Studio annotation as marks: boxes in percent, with their classes and texts.

https://labelstud.io/guide/export describes the results. A region's results have one id: a rectangle, its class and its
text are three results in the template for OCR.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from svhn.datasets.formats.digit_joining import Mark, is_whole_class, read_class
from svhn.datasets.formats.label_rows import enclose_points, make_number_list, make_size
from svhn.errors import quote
from svhn.spec import NOWHERE, Box

SIDES = ("x", "y", "width", "height")
TEXTS = ("text", "number", "choices")  # fields of a value that hold what a person wrote or chose
UNDO = "turn the picture back in Label Studio"


class Region(NamedTuple):
    """A region, or the whole picture.

    Args:
        place: its place in the file, for messages.
        values: the values of its results.
        size: width and height for which its percent were written; None if the file does not give them.
        turn: degrees by which the picture was turned in Label Studio.
    """

    place: str
    values: list[Mapping[str, Any]]
    size: tuple[int, int] | None
    turn: float


def list_regions(results: Iterable[Any], place: str) -> list[Region]:
    """The regions of an annotation. Relations and anything else without a value are passed over."""
    regions: dict[str, Region] = {}
    for result in results:
        value = result.get("value") if isinstance(result, dict) else None
        if isinstance(value, dict):
            key = str(result.get("id"))
            size = make_size(result.get("original_width"), result.get("original_height"))
            turn = result.get("image_rotation")
            turned = turn if isinstance(turn, int | float) else 0
            region = regions.setdefault(key, Region(f"{place}, region {key}", [], size, turned))
            region.values.append(value)
    return list(regions.values())


def list_marks(regions: Sequence[Region], size: tuple[int, int], unused: Counter[str]) -> list[Mark]:
    """The marks of an annotation.

    Args:
        regions: its regions.
        size: width and height of the picture in pixels, for the whole picture and for regions without a size.
        unused: counts the regions that are not used.
    """
    return [mark for region in regions for mark in _make_mark(region, size, unused)]


def _is_whole(region: Region) -> bool:
    """Whether a region has no place in the picture, and so is about all of it."""
    return not any("x" in value or "points" in value or "rle" in value for value in region.values)


def _make_mark(region: Region, size: tuple[int, int], unused: Counter[str]) -> Iterator[Mark]:
    texts = [text for value in region.values for name in TEXTS for text in _list_texts(value.get(name))]
    names = [name for value in region.values for name in _list_names(value)]
    text = texts[0] if texts else next(filter(None, map(read_class, names)), "")
    if _is_whole(region):
        if not read_class(text):
            unused["answers about the whole picture that are no number"] += 1
        else:
            yield Mark(text, (0.0, 0.0, float(size[0]), float(size[1])), region.place, is_digit=False)
        return
    box = _read_box(region, region.size or size)
    if not box or not (text or any(map(is_whole_class, names))):
        named = quote(names[0]) if names else "no class"
        unused[f"regions of {named} without a number" if box else "regions that are no rectangle and no polygon"] += 1
        return
    if any(value.get("rotation") for value in region.values):
        unused["turns of rectangles, which become the upright boxes around them"] += 1
    problem = _find_problem(region, texts)
    yield Mark(text, box, region.place, is_digit=not texts and len(text) == 1, problem=problem)


def _find_problem(region: Region, texts: Sequence[str]) -> str:
    if region.turn:
        return f"image_rotation {region.turn:g}, expected 0: {UNDO}"
    return f"texts {quote(list(texts))}, expected one" if len(set(texts)) > 1 else ""


def _list_texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(each).strip() for each in values if isinstance(each, str | int) and str(each).strip()]


def _list_names(value: Mapping[str, Any]) -> Iterator[str]:
    """The classes in a value: in `rectanglelabels`, `polygonlabels` or `labels`."""
    for field, names in value.items():
        if field.endswith("labels") and isinstance(names, list):
            yield from map(str, names)


def _read_box(region: Region, size: tuple[int, int]) -> Box | None:
    """The upright box around a rectangle or polygon, in pixels; `NOWHERE` if its numbers can't be read."""
    for value in region.values:
        if all(side in value for side in SIDES):
            return _turn_rectangle(value, size)
        if isinstance(value.get("points"), list):
            points = [make_number_list(point, 2) for point in value["points"]]
            across, down = (side / 100 for side in size)
            found = [(point[0] * across, point[1] * down) for point in points if point]
            return enclose_points(found) if len(found) == len(points) > 0 else NOWHERE
    return None


def _turn_rectangle(value: Mapping[str, Any], size: tuple[int, int]) -> Box:
    """A rectangle is turned clockwise around its top left corner, by degrees."""
    sides = make_number_list([value.get(name) for name in (*SIDES, "rotation")], 5)
    sides = sides or make_number_list([*(value.get(name) for name in SIDES), 0], 5)
    if not sides:
        return NOWHERE
    left, top, width, height = (side * size[index % 2] / 100 for index, side in enumerate(sides[:4]))
    cosine, sine = math.cos(math.radians(sides[4])), math.sin(math.radians(sides[4]))
    corners = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    return enclose_points((left + x * cosine - y * sine, top + x * sine + y * cosine) for x, y in corners)
