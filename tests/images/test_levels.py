"""What the levels of a picture mean: each is scaled rightly or refused, and none becomes blank in silence."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.odd_pictures import GRAY

from svhn.images import open_picture

CLEAR = np.where(GRAY > 128, 255, 0).astype(np.uint8)


def save(levels: np.ndarray, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels).save(file, kind)
    return file.getvalue()


KNOWN: dict[str, Any] = {
    "uint8": GRAY,
    "8 bits in uint16": GRAY.astype(np.uint16),
    "16 bits": GRAY.astype(np.uint16) << 8,
    "16 bits, three channels": np.dstack([GRAY.astype(np.uint16) * 257] * 3),
    "PIL's F, 0 to 1": Image.fromarray((GRAY / 255).astype(np.float32)),
    "PIL's F, 0 to 255": Image.fromarray(GRAY).convert("F"),
    "PIL's I": Image.fromarray(GRAY).convert("I"),
    "PIL's I;16": Image.fromarray(GRAY.astype(np.uint16) << 8),
    "PIL's I;16 of 8 bits": Image.fromarray(GRAY.astype(np.uint16)),
    "a PNG of 16 bits that holds 8": save(GRAY.astype(np.uint16), "png"),
}
REFUSED: dict[str, Any] = {
    "10 bits": GRAY.astype(np.uint16) * 4,
    "12 bits in a TIFF of 16": save(GRAY.astype(np.uint16) * 16, "tiff"),
    "12 bits in a PNG of 16": save(GRAY.astype(np.uint16) * 16, "png"),
    "below 0": Image.fromarray(GRAY.astype(np.int32) - 6),
    "above 16 bits": Image.fromarray(GRAY.astype(np.int32) * 1000),
    "floats below 0": Image.fromarray((GRAY / 255).astype(np.float32) - 0.5),
    "floats of light": Image.fromarray((GRAY / 50).astype(np.float32)),
    "no numbers": save(np.full((4, 4), np.nan, np.float32), "tiff"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_levels_are_scaled(name: str) -> None:
    expected = np.repeat(GRAY[..., None], 3, axis=-1)
    np.testing.assert_array_equal(open_picture(KNOWN[name]), expected)


@pytest.mark.parametrize("name", REFUSED)
def test_levels_of_unknown_meaning_are_refused_with_their_range(name: str) -> None:
    with pytest.raises(ValueError, match=r"levels from \S+ to \S+: .*0 to (1|65,535)\b"):
        open_picture(REFUSED[name])


@pytest.mark.parametrize("mode", ["La", "RGBa", "LA"])
def test_rare_modes_with_transparency_are_on_white(mode: str) -> None:
    layer = Image.fromarray(np.dstack([GRAY, CLEAR]), "LA")
    image = layer.convert("RGBA").convert("RGBa") if mode == "RGBa" else layer.convert(mode)
    expected = np.where(CLEAR == 255, GRAY, 255)
    np.testing.assert_array_equal(np.asarray(open_picture(image))[..., 0], expected)


def test_a_picture_that_the_caller_holds_is_not_changed() -> None:
    given = Image.new("RGB", (3, 2), "red")
    open_picture(given).putpixel((0, 0), (1, 2, 3))
    assert given.getpixel((0, 0)) == (255, 0, 0)
