"""Signs that are drawn: walls and plates with a text, one box per character."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.helpers.wild.layers import Layer, blur_edges
from benchmarks.helpers.wild.scores import Number
from svhn.datasets.synthetic import digits as numerals
from svhn.datasets.synthetic import fonts, wall

SOFTEST = 0.03  # radius of the blur of a drawn sign, as a share of its letters' height
TURNED = 0.5  # share of signs that are seen from one side
NO_CHARACTER = "\U0010fffe"  # which a font shows as it shows all that it lacks
TRIM = 0.1  # of the width: what is cut off at each border, where a turned sign may be blank


def draw_sign(rng: np.random.Generator, text: str, height: float, scales: Sequence[float] = ()) -> Layer:
    """A drawn wall or plate with a text, one number per character, in a font of this machine.

    Args:
        rng: draws the font, the wall and the viewpoint.
        text: what is written.
        height: size of the font, in pixels.
        scales: factor on the size of each character; 1 for all if there are none.
    """
    masks = _draw_characters(pick_font(rng, text), text, height, scales or [1.0] * len(text), rng)
    scene = wall.draw_scene(rng, masks)
    if rng.random() < TURNED:
        view = numerals.sample_viewpoint(rng, scene.size)
        scene, *masks = (numerals.project_picture(each, view) for each in (scene, *masks))
    trim = round(TRIM * scene.width)
    inner = (trim, trim, scene.width - trim, scene.height - trim)
    scene, *masks = (each.crop(inner) for each in (scene, *masks))
    scene = scene.filter(ImageFilter.GaussianBlur(rng.uniform(0, SOFTEST) * height))
    boxes = [numerals.find_ink_box(np.asarray(mask)) for mask in masks]
    around = numerals.enclose_boxes(boxes)
    room = around[0], around[1], scene.width - around[2], scene.height - around[3]
    numbers = (Number(character, box) for character, box in zip(text, boxes, strict=True))
    return Layer(scene, blur_edges(rng, scene.size, room), tuple(numbers))


def pick_font(rng: np.random.Generator, text: str) -> str:
    """A readable font that has each character of the text."""
    paths = fonts.find_readable_fonts()
    for index in rng.permutation(len(paths)):
        face = ImageFont.truetype(paths[index], 20)
        missing = {_draw_ink(face, " "), _draw_ink(face, NO_CHARACTER)}
        if missing.isdisjoint(_draw_ink(face, character) for character in text):
            return paths[index]
    raise ValueError(f"no font has all of {text!r}")


def _draw_ink(face: ImageFont.FreeTypeFont, character: str) -> bytes:
    mask = Image.new("L", (60, 60))
    ImageDraw.Draw(mask).text((20, 20), character, fill=255, font=face)
    return mask.tobytes()


def _draw_characters(
    font: str, text: str, height: float, scales: Sequence[float], rng: np.random.Generator
) -> list[Image.Image]:
    """Each character's ink on a mask of its own, all on one baseline."""
    faces = [ImageFont.truetype(font, height * scale) for scale in scales]
    gap = rng.uniform(0.0, 0.12) * height
    widths = [face.getlength(character) + gap for face, character in zip(faces, text, strict=True)]
    border = rng.uniform(0.3, 1.0) * height + 1.5 * TRIM * (sum(widths) + 2 * height)
    size = round(sum(widths) + 2 * border), round(height + 2 * border)
    masks = []
    for index, (face, character) in enumerate(zip(faces, text, strict=True)):
        mask = Image.new("L", size)
        place = border + sum(widths[:index]), border + 0.85 * height
        ImageDraw.Draw(mask).text(place, character, fill=255, font=face, anchor="ls")
        masks.append(mask)
    return masks
