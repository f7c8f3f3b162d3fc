"""The forms into which a picture's digits are brought."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from PIL import Image

from svhn.datasets.arranged.blanks import plan_blank, plan_page
from svhn.datasets.arranged.digits import Cut, paste_cuts, plan_cut
from svhn.datasets.arranged.letters import add_letter
from svhn.datasets.arranged.places import climb, line_up, pile_up, split_rows
from svhn.datasets.arranged.scene import Arrangement, PixelSize, Scene, clip_box, measure_height, shift_box, widen_box
from svhn.datasets.arranged.signs import plan_sign
from svhn.datasets.arranged.wall import extend_picture, make_wall
from svhn.datasets.synthetic.wall import to_image
from svhn.images import enclose_boxes
from svhn.spec import Box, Point

MOST_HIGH = 48.0  # pixels of a digit; a record shows none higher
MOST_LONG = 480.0  # pixels of a number's width and height, which bounds the work for boxes of any proportions
SURROUNDINGS = 3.0  # of a number from which its wall is made, in heights of a digit
ANGLES = 8.0, 30.0  # degrees, to either side
# Mean and standard deviation of how far a side of a finder's box lies outside of the true one on valid, in heights of a
# digit; and the most of an outer digit that a box cuts off.
LOOSE_SIDES, CUT_SHARE = (0.03, 0.08), 0.35
MATCHED_SHARE = 0.75  # of walls into which the digits' own wall passes without a step

Place = Callable[[np.random.Generator, Sequence[tuple[float, float]]], list[Point]]


class Form(NamedTuple):
    """A form of numbers.

    Args:
        share: of all entries with a new form.
        counts: how many digits a number may have that is put together of a picture's digits, each as likely as another;
            empty for a form that keeps the picture's number.
        plan: `(rng, size, arrangement)` to the scene, for a picture's width and height and the arrangement's boxes in
            pixels of this size.
    """

    share: float
    counts: tuple[int, ...]
    plan: Callable[[np.random.Generator, PixelSize, Arrangement], Scene]


def plan_scene(rng: np.random.Generator, picture: PixelSize, arrangement: Arrangement) -> Scene:
    """The picture that shows an arrangement.

    Args:
        rng: draws all that the arrangement leaves open.
        picture: width and height of the picture, in pixels.
        arrangement: the form and the digits.
    """
    boxes = [clip_box(box, picture) for box in arrangement.boxes]
    part, factor = _find_part(boxes, picture)
    size = max(1, round(factor * (part[2] - part[0]))), max(1, round(factor * (part[3] - part[1])))
    moved = (shift_box(box, -part[0], -part[1]) for box in boxes)
    scaled = tuple((factor * x0, factor * y0, factor * x1, factor * y1) for x0, y0, x1, y1 in moved)
    scene = get_form(arrangement.form).plan(rng, size, arrangement._replace(boxes=scaled))
    return scene._replace(paint=partial(_paint_part, picture, part, size, scene.paint))


def _find_part(boxes: Sequence[Box], picture: PixelSize) -> tuple[Box, float]:
    """The part of a picture that scenes are made of, in whole pixels, and the factor by which it is made smaller."""
    number = enclose_boxes(boxes)
    wide, tall = number[2] - number[0], number[3] - number[1]
    high = measure_height(boxes)
    left, top, right, bottom = clip_box(widen_box(number, SURROUNDINGS * high, SURROUNDINGS * high), picture)
    factor = min(1.0, MOST_HIGH / high, MOST_LONG / max(wide, tall))
    return (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)), factor


def _paint_part(
    picture: PixelSize,
    part: Box,
    size: PixelSize,
    paint: Callable[[Image.Image], Image.Image],
    image: Image.Image,
) -> Image.Image:
    """What is painted with a part of a picture, which an image shows in the picture's size or a smaller one."""
    across, down = image.width / picture[0], image.height / picture[1]
    box = across * part[0], down * part[1], across * part[2], down * part[3]
    return paint(image.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=2.0))


def _plan_digits(place: Place, rng: np.random.Generator, size: PixelSize, arrangement: Arrangement) -> Scene:
    """Digits cut out and pasted on a wall, at the places that `place` draws for their boxes."""
    zooms = np.exp(rng.normal(0, 0.05, (len(arrangement.order), 2))).tolist()
    cuts = [
        plan_cut(arrangement.boxes, index, size, (zoom[0], zoom[1]))
        for index, zoom in zip(arrangement.order, zooms, strict=True)
    ]
    sizes = [(right - left, bottom - top) for left, top, right, bottom in (cut.box for cut in cuts)]
    points = place(rng, sizes)
    boxes = [(x, y, x + width, y + height) for (x, y), (width, height) in zip(points, sizes, strict=True)]
    left, top, right, bottom = _add_borders(rng, boxes)
    corners = [
        (round(x - left - cut.box[0]), round(y - top - cut.box[1])) for (x, y), cut in zip(points, cuts, strict=True)
    ]
    placed = [shift_box(cut.box, *corner) for cut, corner in zip(cuts, corners, strict=True)]
    canvas = math.ceil(right - left), math.ceil(bottom - top)
    paint = partial(_paint_digits, rng, arrangement.boxes, cuts, corners, canvas)
    return Scene(canvas, placed, enclose_boxes(placed), paint)


def _add_borders(rng: np.random.Generator, boxes: Sequence[Box]) -> Box:
    """A box around a number and some of the wall around it, which has room for what is cut out with each digit."""
    left, top, right, bottom = enclose_boxes(boxes)
    cut = 0.25 * measure_height(boxes)
    x0, y0, x1, y1 = rng.uniform(0.1, 0.3, 4).tolist()
    across, down = right - left, bottom - top
    return left - cut - x0 * across, top - cut - y0 * down, right + cut + x1 * across, bottom + cut + y1 * down


def _paint_digits(
    rng: np.random.Generator,
    boxes: Sequence[Box],
    cuts: Sequence[Cut],
    corners: Sequence[tuple[int, int]],
    size: PixelSize,
    image: Image.Image,
) -> Image.Image:
    """The arguments are those of `_plan_digits` and what it has drawn."""
    wall = make_wall(rng, image, boxes, size)
    match = 1.0 if rng.random() < MATCHED_SHARE else rng.uniform(0, 1)
    return to_image(paste_cuts(rng, wall, image, cuts, corners, match))


def _plan_turn(rng: np.random.Generator, _size: PixelSize, arrangement: Arrangement) -> Scene:
    """The picture turned about its number's middle."""
    angle = math.radians(float(rng.choice((-1, 1))) * rng.uniform(*ANGLES))
    left, top, right, bottom = enclose_boxes(arrangement.boxes)
    middle = (left + right) / 2, (top + bottom) / 2
    turned = [_turn_box(shift_box(box, -middle[0], -middle[1]), angle) for box in arrangement.boxes]
    x0, y0, x1, y1 = _add_borders(rng, turned)
    boxes = [shift_box(box, -x0, -y0) for box in turned]
    canvas = math.ceil(x1 - x0), math.ceil(y1 - y0)
    paint = partial(_paint_turned, arrangement.boxes, middle, angle, (x0, y0), canvas)
    return Scene(canvas, boxes, enclose_boxes(boxes), paint)


def _turn_box(box: Box, angle: float) -> Box:
    """The upright box around a box that is turned counterclockwise about 0, 0."""
    cos, sin = math.cos(angle), math.sin(angle)
    corners = [(cos * x + sin * y, cos * y - sin * x) for x in box[::2] for y in box[1::2]]
    return enclose_boxes([(x, y, x, y) for x, y in corners])


def _paint_turned(
    boxes: Sequence[Box], middle: Point, angle: float, start: Point, size: PixelSize, image: Image.Image
) -> Image.Image:
    """The arguments are those of `_plan_turn` and what it has drawn."""
    reach = math.hypot(*size)
    lacking = reach - middle[0], reach - middle[1], middle[0] + reach - image.width, middle[1] + reach - image.height
    left, top, right, bottom = (max(0, math.ceil(side)) for side in lacking)
    (x, y), cos, sin = start, math.cos(angle), math.sin(angle)
    view = (
        *(cos, -sin, cos * x - sin * y + middle[0] + left),
        *(sin, cos, sin * x + cos * y + middle[1] + top),
    )
    extended = extend_picture(image, boxes, (left, top, right, bottom))
    return extended.transform(size, Image.Transform.AFFINE, view, Image.Resampling.BICUBIC)


def _plan_plain(_rng: np.random.Generator, size: PixelSize, arrangement: Arrangement) -> Scene:
    return Scene(size, arrangement.boxes, enclose_boxes(arrangement.boxes), Image.Image.copy)


def _plan_loose(rng: np.random.Generator, size: PixelSize, arrangement: Arrangement) -> Scene:
    """The picture as it is, and a box around its number whose sides lie about as far off as those of a finder's."""
    boxes = arrangement.boxes
    left, top, right, bottom = enclose_boxes(boxes)
    high = boxes[0][3] - boxes[0][1]
    outer = [min(boxes, key=itemgetter(side)) if side < 2 else max(boxes, key=itemgetter(side)) for side in range(4)]
    least = [-CUT_SHARE * (box[side % 2 + 2] - box[side % 2]) for side, box in enumerate(outer)]
    x0, y0, x1, y1 = np.maximum(high * rng.normal(*LOOSE_SIDES, 4), least).tolist()
    return Scene(size, boxes, clip_box((left - x0, top - y0, right + x1, bottom + y1), size), Image.Image.copy)


def _plan_letter(rng: np.random.Generator, size: PixelSize, arrangement: Arrangement) -> Scene:
    return add_letter(rng, size, arrangement.boxes, arrangement.font)


FORMS: Mapping[str, Form] = {
    "stacked": Form(0.20, (2, 2, 3, 3, 4, 4, 5), partial(_plan_digits, pile_up)),
    "rows": Form(0.08, (3, 4, 4, 5), partial(_plan_digits, split_rows)),
    "apart": Form(0.10, (2, 3, 4, 5), partial(_plan_digits, partial(line_up, gaps=(0.3, 1.5)))),
    "climbing": Form(0.10, (2, 3, 4, 5), partial(_plan_digits, climb)),
    "long": Form(0.20, (6, 7, 8), partial(_plan_digits, partial(line_up, gaps=(0.0, 0.25)))),
    "slanted": Form(0.12, (), _plan_turn),
    "lettered": Form(0.20, (), _plan_letter),
}
# Crops without a number, the second with a text, and a drawn number: none of the picture's digits is shown.
BLANK, PAGE, SIGN = "blank", "page", "sign"
LOOSE = "loose"  # the number as it is, in a box that is not quite the true one
OTHERS: Mapping[str, Form] = {
    "": Form(0.0, (), _plan_plain),  # the number as it is, in what surrounds it
    BLANK: Form(0.0, (), plan_blank),
    PAGE: Form(0.0, (), plan_page),
    SIGN: Form(0.0, (), plan_sign),
    LOOSE: Form(0.0, (), _plan_loose),
}


def get_form(name: str) -> Form:
    """The form of that name, from `FORMS` or `OTHERS`."""
    return OTHERS[name] if name in OTHERS else FORMS[name]


def list_forms(apart: bool) -> tuple[list[str], np.ndarray]:
    """The names of the forms that a picture's digits can be brought into, and their shares, float64, which sum to 1.

    Args:
        apart: whether the picture's digits stand apart, so that they can be put together anew.
    """
    names = [name for name, form in FORMS.items() if apart or not form.counts]
    shares = np.array([FORMS[name].share for name in names])
    return names, shares / shares.sum()
