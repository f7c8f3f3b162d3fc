"""Damage that is found, and pictures that seem damaged and are not."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from support.odd_pictures import COLORS, save

from svhn.datasets import DATASETS
from svhn.images import open_picture
from svhn.spec import Entry
from svhn.wrangle.crop import crop_entry

PHOTO = Path(__file__).parents[2] / "svhn/examples/2507.jpg"
PNG = save(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8), "png")
CUTS = 300


def change_bit(content: bytes, rng: random.Random) -> bytes:
    """One of a PNG's pixels or of what lies between them."""
    changed = bytearray(content)
    changed[rng.randrange(content.index(b"IDAT"), content.rindex(b"IEND") - 4)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def test_a_changed_bit_of_a_png_is_found() -> None:
    rng, expected = random.Random(0), np.asarray(open_picture(PNG))
    for _ in range(300):
        try:
            found = np.asarray(open_picture(change_bit(PNG, rng)))
        except OSError:
            continue
        np.testing.assert_array_equal(found, expected)


def test_a_png_whose_pixels_decode_but_differ_from_their_checksum_is_refused_when_it_is_wrangled(
    tmp_path: Path,
) -> None:
    """Pillow doesn't compare them. Here, the checksum itself is changed."""
    place, path = PNG.rindex(b"IEND") - 8, tmp_path / "1.png"
    path.write_bytes(PNG[:place] + bytes(4) + PNG[place + 4 :])
    Image.open(path).load()
    spec, whole = DATASETS["svhn"], Entry("1", "1", (str(path), (0, 0, 60, 40)))
    assert "its pixels differ from their checksum" in str(crop_entry(spec.load, None, None, (8, 8), 0.0, "png", whole))


@pytest.mark.parametrize("kept", [-4, -12, -14])
def test_a_png_that_lacks_only_its_end_is_read(kept: int) -> None:
    """Without the last checksum, or the whole last chunk, or half of the checksum before it."""
    np.testing.assert_array_equal(open_picture(PNG[:kept]), open_picture(PNG))


def list_jpegs() -> dict[str, bytes]:
    noise = np.random.default_rng(0).integers(0, 256, (61, 83, 3), np.uint8)
    photo = np.asarray(Image.open(PHOTO))[:90, :120]
    kinds: dict[str, dict[str, Any]] = {
        "plain": {},
        "poor": {"quality": 20},
        "all colors": {"quality": 100, "subsampling": 0},
        "best codes": {"optimize": True},
        "restarted": {"restart_marker_rows": 1},
        "progressive": {"progressive": True},
    }
    pictures = {"noise": noise, "photo": photo, "white": np.full_like(noise, 255)}
    return {
        f"{title}, {kind}": save(pixels, "jpeg", **options)
        for title, pixels in pictures.items()
        for kind, options in kinds.items()
    }


JPEGS = list_jpegs()


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_is_read_where_only_its_end_marker_is_missing(name: str) -> None:
    """It is cut at each of its last 300 bytes. In some kinds, one can't tell what is missing."""
    whole = JPEGS[name]
    expected, start = np.asarray(open_picture(whole)), whole.index(b"\xff\xda") + 16
    one_scan = not name.endswith(("restarted", "progressive"))
    for missing in range(1, min(CUTS, len(whole) - start) + 1):
        if one_scan and missing <= 2:
            np.testing.assert_array_equal(open_picture(whole[:-missing]), expected)
        else:
            with pytest.raises(OSError, match="truncated"):
                open_picture(whole[:-missing])


def test_notes_that_unpack_to_more_than_a_megabyte_are_named_and_how_to_strip_them() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "a" * 2**21, zip=True)
    with pytest.raises(ValueError, match=r"notes .* 1 MB, which is refused: .* `exiftool -all= FILE`"):
        open_picture(save(COLORS, "png", pnginfo=notes))


def test_a_jpeg_of_12_bits_is_refused_for_what_it_is() -> None:
    content = save(COLORS, "jpeg")
    place = content.index(b"\xff\xc0") + 4
    with pytest.raises(OSError, match=r"begins as a JPEG picture, .* 12-bit"):
        open_picture(content[:place] + b"\x0c" + content[place + 1 :])


def test_an_open_file_that_fails_is_not_called_damaged() -> None:
    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise RuntimeError("no such page")

    with pytest.raises(OSError, match="the open file can't be read: no such page"):
        open_picture(Broken())
