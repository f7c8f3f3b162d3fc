"""Every kind of picture that a user has, and what is none."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from svhn import images
from svhn.images import decoding

COLOR = (200, 100, 40)
SIZE = (30, 20)


def plain() -> Image.Image:
    return Image.new("RGB", SIZE, COLOR)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def half_transparent() -> Image.Image:
    image = plain().convert("RGBA")
    image.paste((0, 0, 0, 0), (15, 0, 30, 20))
    return image


def turned() -> bytes:
    """Stored lying on its side, with the note that it is to be turned."""
    image = plain()
    image.paste((0, 0, 0), (0, 0, 30, 10))  # black above
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(image.transpose(Image.Transpose.ROTATE_90), "jpeg", exif=exif, quality=100, subsampling=0)


def animated() -> bytes:
    return saved(plain(), "gif", save_all=True, append_images=[Image.new("RGB", SIZE, "blue")])


KINDS = {
    "png": saved(plain(), "png"),
    "jpeg": saved(plain(), "jpeg", quality=100),
    "palette": saved(plain().convert("P", palette=Image.Palette.ADAPTIVE), "png"),
    "cmyk": saved(plain().convert("CMYK"), "jpeg", quality=100),
    "animated": animated(),
    "webp": saved(plain(), "webp", lossless=True),
    "bmp": saved(plain(), "bmp"),
    "tiff": saved(plain(), "tiff"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_alike(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture.{kind}"
    path.write_bytes(KINDS[kind])
    for source in (KINDS[kind], path, str(path), Image.open(io.BytesIO(KINDS[kind]))):
        image = images.open_picture(source)
        assert (image.mode, image.size) == ("RGB", SIZE)
        np.testing.assert_allclose(np.asarray(image), np.broadcast_to(COLOR, (20, 30, 3)), atol=6)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_notes_that_are_cut_off_turn_nothing(kind: str) -> None:
    stored = saved(plain(), kind, exif=b"Exif\0\0MM\0*", dpi=(72, 72))
    assert images.open_picture(stored).size == plain().size


def test_a_size_that_is_no_whole_number_is_damage() -> None:
    stored = saved(plain(), "im").replace(b"30*20", b"3.*20")
    with pytest.raises(OSError, match="the picture is damaged: "):
        images.open_picture(stored)


def heic(image: Image.Image) -> bytes:
    pytest.importorskip("pillow_heif")
    return saved(image, "heif", quality=100)


def test_an_iphones_picture_is_turned_once() -> None:
    """Its decoder turns it, and leaves no note that it is to be turned again."""
    stored = heic(Image.open(io.BytesIO(turned())))
    assert b"irot" in stored
    pixels = np.asarray(images.open_picture(stored))
    assert pixels.shape == (20, 30, 3)
    assert pixels[:8].max() < 60
    assert pixels[12:].mean() > 80


def test_a_damaged_picture_of_an_iphone_is_said() -> None:
    """Whatever its bytes make the decoder raise, and whatever of it is missing."""
    stored = bytearray(heic(plain()))
    rng = np.random.default_rng(0)
    damaged = [bytes(stored[:length]) for length in range(20, len(stored), 40)]
    for _ in range(300):
        changed = stored.copy()
        for place in rng.integers(len(stored), size=5):
            changed[place] ^= int(rng.integers(1, 256))
        damaged.append(bytes(changed))
    reasons = []
    for content in damaged:
        try:
            images.open_picture(content)
        except (OSError, ValueError) as error:
            reasons.append(str(error).strip())
    assert len(reasons) > 100
    assert all(reasons)


def test_without_the_extra_an_iphones_picture_is_said_to_need_it(tmp_path: Path) -> None:
    """In a process of its own, where the decoder can't be imported; a folder doesn't pass over the picture."""
    (tmp_path / "door.HEIC").write_bytes(b"\0\0\0\x1cftypheic")
    program = (
        "import sys; sys.modules['pillow_heif'] = None\n"
        "from svhn import images\n"
        "from svhn.reading import files\n"
        f"(path,) = files.find_pictures([{str(tmp_path)!r}]).paths\n"
        "try: images.open_picture(path)\n"
        "except OSError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.startswith("the file is not a picture, or of no known kind")
    assert "pip install -e '.[heic]'" in said


def test_what_is_transparent_is_white() -> None:
    palette = half_transparent().quantize(4)
    for source in (saved(half_transparent(), "png"), half_transparent(), np.asarray(half_transparent()), palette):
        pixels = np.asarray(images.open_picture(source))
        np.testing.assert_allclose(pixels[:, :15], np.broadcast_to(COLOR, (20, 15, 3)), atol=2)
        assert (pixels[:, 15:] == 255).all()


def test_a_picture_is_turned_as_its_camera_says() -> None:
    pixels = np.asarray(images.open_picture(turned()))
    assert pixels.shape == (20, 30, 3)
    assert pixels[:8].max() < 40
    assert pixels[12:].mean() > 80


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_turn_is_pillows_own(orientation: int, kind: str) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(256, size=(20, 30, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = saved(image, kind, exif=exif)
    with Image.open(io.BytesIO(stored)) as opened:
        np.testing.assert_array_equal(images.open_picture(stored), ImageOps.exif_transpose(opened))


@pytest.mark.parametrize("kind", [b"\x00\x04", b"\x00\x02"])  # a number of 4 bytes, text
def test_notes_of_the_wrong_type_are_passed_over(kind: bytes) -> None:
    """Pillow can't write them anew, as it does when it turns a picture: here, one of 2 bytes."""
    exif = Image.Exif()
    exif[0x0112], exif[0x0128] = 6, 2
    stored = saved(plain(), "jpeg", exif=exif).replace(b"\x01\x28\x00\x03", b"\x01\x28" + kind)
    with Image.open(io.BytesIO(stored)) as image:
        assert image.getexif()[0x0112] == 6
    assert images.open_picture(stored).size == SIZE[::-1]


def test_gray_and_16_bits() -> None:
    gray = np.full((20, 30), 150, np.uint8)
    deep = (gray.astype(np.uint16) << 8) + 7
    sources: list[Any] = [gray, gray[..., None], deep, Image.fromarray(gray), saved(Image.fromarray(deep), "png")]
    sources += [b"P5 30 20 65535\n" + deep.astype(">u2").tobytes(), Image.fromarray(deep.astype(np.int32))]
    sources.append(Image.fromarray(gray.astype(np.int32)))
    for source in sources:
        assert (np.asarray(images.open_picture(source)) == 150).all()


def test_one_pixel_is_a_picture() -> None:
    assert images.open_picture(saved(Image.new("1", (1, 1), 1), "png")).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"", "not a picture"),
        (b"no picture at all", "not a picture"),
        (KINDS["png"][:60], "truncated"),
        (KINDS["jpeg"][: len(KINDS["jpeg"]) // 2], "Truncated"),
        (np.zeros((4, 4, 3), np.float32), r"\(4, 4, 3\) of float32: expected uint8"),
        (np.zeros((4, 4, 2), np.uint8), "1, 3 or 4 channels"),
        (np.zeros((0, 4, 3), np.uint8), "expected"),
        ("nowhere.png", "missing"),
    ],
)
def test_what_is_no_picture_is_said(source: Any, said: str) -> None:
    with pytest.raises((OSError, ValueError), match=said):
        images.open_picture(source)


def test_a_picture_that_is_too_large_is_refused_before_its_pixels_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MEGAPIXELS", 0.0005)
    with pytest.raises(ValueError, match=r"30 x 20 pixels, .* 0\.0005 million"):
        images.open_picture(KINDS["png"][:60])  # of which nothing more is there


def test_a_bomb_is_refused() -> None:
    header = saved(Image.new("1", (16_000, 16_000)), "png")
    with pytest.raises(ValueError, match="too large"):
        images.open_picture(header)


def test_a_path_of_what_is_no_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="got a folder"):
        images.open_picture(tmp_path)
    with pytest.raises(OSError, match="got a device"):
        images.open_picture("/dev/zero")
    with pytest.raises(FileNotFoundError, match="missing"):
        images.open_picture(tmp_path / "door.png")


def test_the_endings_of_pictures_are_those_that_pillow_decodes() -> None:
    assert {".jpg", ".png", ".webp", ".heic", ".tif", ".mpo"} <= images.list_suffixes()
    assert not {".mpg", ".h5", ".pdf", ".txt", ""} & images.list_suffixes()


def test_threads_that_open_pictures_leave_warnings_as_they_were() -> None:
    """`warnings.catch_warnings` restores in one thread what another has set in the meantime."""
    before, started = list(warnings.filters), threading.Barrier(2, timeout=10)

    def open_slowly(wait: float) -> None:
        with decoding.QUIET:
            started.wait()
            warnings.warn("a flaw", UserWarning, stacklevel=1)
            time.sleep(wait)

    threads = [threading.Thread(target=open_slowly, args=(wait,)) for wait in (0.0, 0.2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


def test_whatever_a_decoder_raises_the_picture_is_damaged() -> None:
    """Pillow's decoder of QOI reads past the end of a file that is cut off."""
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    content = saved(Image.fromarray(noise), "qoi")
    for length in range(20, len(content), 97):
        with pytest.raises(OSError, match=r"the picture is damaged"):
            images.open_picture(content[:length])
