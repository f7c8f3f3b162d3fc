"""Pictures of any mode in RGB with 8 bits, with transparent areas on white."""

from __future__ import annotations

import numpy as np
from PIL import Image

EXPECTED_SHARES = "expected 0 to 1, or whole numbers from 0 to 255"
FEW_BITS = 2**12  # 16-bit levels below this one are nearly black: cameras with 10 or 12 bits leave them unscaled
TIFF_BITS = 258  # the tag that holds the bits of a level
# Pillow scales a PNG's levels to 8 bits, but not the level that is transparent.
SCALES = {"L;2": 85, "L;4": 17}


def flatten_picture(image: Image.Image) -> Image.Image:
    """The picture in RGB, with its levels scaled to 8 bits and transparent areas on white.

    Args:
        image: a picture of any mode whose pixels are loaded. One in RGB without transparency is returned as it is.

    Raises:
        ValueError: what its levels mean is not certain.
    """
    if image.mode == "F" or image.mode.startswith("I"):
        return _flatten_levels(image)
    if image.mode == "La":  # Pillow converts this mode to LA alone
        image = image.convert("LA")
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _flatten_levels(image: Image.Image) -> Image.Image:
    """As `flatten_picture`, for modes with more than 8 bits, which Pillow would clip at 255 and not scale."""
    levels = np.asarray(image)
    bits = getattr(image, "tag_v2", {}).get(TIFF_BITS)
    gray = scale_levels(levels << 4 if bits == (12,) else levels)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        gray = np.where(levels == transparent, np.uint8(255), gray)
    return Image.fromarray(gray).convert("RGB")


def scale_levels(levels: np.ndarray) -> np.ndarray:
    """Levels of any type in 8 bits: uint8, of the same shape.

    Args:
        levels: floats from 0 to 1, or whole numbers of 8 or 16 bits.

    Raises:
        ValueError: what the levels mean is not certain. The message gives their range.
    """
    if levels.dtype == np.uint8:
        return levels
    low, high = levels.min(), levels.max()
    if levels.dtype.kind == "f":
        return _scale_floats(levels, low, high)
    if low < 0 or high >= 2**16:
        raise ValueError(f"levels from {low:,} to {high:,}: expected 0 to 65,535")
    if high <= 255:  # 8 bits in a wider type; as levels of 16 bits, they would all be black
        return levels.astype(np.uint8)
    if high < FEW_BITS:
        raise ValueError(f"16-bit levels from {low:,} to {high:,}: nearly black; scale them to 0 to 65,535")
    return (levels >> 8).astype(np.uint8)


def _scale_floats(levels: np.ndarray, low: float, high: float) -> np.ndarray:
    if low >= 0 and high <= 1:
        return (levels * 255).round().astype(np.uint8)
    if low >= 0 and high <= 255 and (levels == levels.round()).all():
        return levels.astype(np.uint8)
    raise ValueError(f"levels from {low:g} to {high:g}: {EXPECTED_SHARES}")


def scale_transparency(image: Image.Image) -> None:
    """Scale the transparent level of a PNG as Pillow scales its other levels. Call it before the pixels are loaded."""
    tiles = getattr(image, "tile", None)
    stored, transparent = tiles[0][3] if tiles else "", image.info.get("transparency")
    if isinstance(transparent, int) and stored in SCALES:
        image.info["transparency"] = transparent * SCALES[stored]
    if isinstance(transparent, tuple) and stored == "RGB;16B":
        image.info["transparency"] = tuple(level >> 8 for level in transparent)


def convert_array(array: np.ndarray) -> Image.Image:
    """An array of levels as a PIL image of mode L, RGB or RGBA. Raises `ValueError` for another shape or type."""
    grayscale = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1)
    known = array.dtype in (np.uint8, np.uint16) and array.size
    if not known or not (grayscale or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ValueError(
            f"an array {array.shape} of {array.dtype}: expected uint8 or uint16 and (height, width), "
            "or with 1, 3 or 4 channels"
        )
    levels = scale_levels(array)
    return Image.fromarray(levels.reshape(levels.shape[:2]) if grayscale else levels)
