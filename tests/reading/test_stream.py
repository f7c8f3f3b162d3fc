"""The reader with networks that answer what they are told: crops, refusals, order, errors, and types of pictures."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence
from support.stub_reader import SEVERAL, TURNED

import svhn
from svhn.confidence import compute_needed, estimate_confidence
from svhn.errors import UserError
from svhn.labels import Number, Reading, Refusal, list_corners
from svhn.reading import crops, search, windows
from svhn.reading.engine import Network, Outputs
from svhn.reading.outputs import format_reading
from svhn.reading.reader import LOOKAHEAD, Reader
from svhn.spec import Info

INFO = Info("svhn", (20, 40), 0.25, 3, 5, "jpeg", {}, {}, {}, {}, seed=0)
WINDOW = Info("svhn_full", (16, 32), 0.0, 3, 5, "jpeg", {}, {}, {}, {}, seed=0)
PICTURE = Image.new("RGB", (60, 40))
THRESHOLD = 0.43  # about the confidence of an answer in one window where the product of both networks is 0.6


class Fake:
    """Finds the number where it is told to, reads the level of gray, and keeps what it was given to read."""

    def __init__(self, probability: float, box: tuple[float, ...] = (0.25, 0.25, 0.5, 0.75)) -> None:
        self.probability, self.box = probability, box
        self.seen: list[np.ndarray] = []

    def locate(self, images: np.ndarray) -> Outputs:
        count = len(images)
        return {"probability": np.full(count, self.probability), "box": np.array([self.box] * count)}

    def read(self, images: np.ndarray) -> Outputs:
        self.seen.append(images)
        levels = images[:, 0, 0, 0].tolist()
        number = [[level // 10, level % 10, -1, -1, -1] for level in levels]
        digit_confidences = [[0.9, 0.95, 0.5, 0.5, 0.5]] * len(images)
        return {
            "number": np.array(number),
            "confidence": np.full(len(images), 0.875),
            "digit_confidences": np.array(digit_confidences),
        }

    def reader(self, threads: int = 2) -> Reader:
        network = Network("mine", self.read, INFO, 0.5, locates=False, engine="fake")
        finder = Network("finder", self.locate, WINDOW, THRESHOLD, locates=True, engine="fake")
        return Reader(network, finder, threads)


def gray(level: int, size: tuple[int, int] = (60, 40)) -> Image.Image:
    return Image.new("RGB", size, (level, level, level))


def test_a_number_is_cut_out_where_it_was_found_and_read() -> None:
    fake = Fake(0.9)
    (reading,) = fake.reader().read([gray(27)])

    def locate(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return tuple(fake.locate(images).values())  # type: ignore[return-value]

    (expected,) = search.find_numbers(locate, gray(27), (16, 32)).detections
    number = Number("27", estimate_confidence(0.9 * 0.875, 1), (0.9, 0.95), list_corners(expected.box))
    assert reading == Reading((number,), size=(60, 40))
    assert reading.box == expected.box
    ((pixels,),) = fake.seen
    assert (pixels.shape, pixels.dtype) == ((20, 40, 3), np.uint8)


def test_below_the_threshold_there_is_no_number_and_what_was_nearly_read() -> None:
    """The finder's probability times the network's confidence decides."""
    (reading,) = Fake(0.68).reader().read([gray(27)])
    assert reading == Reading(refused=Refusal("27", estimate_confidence(0.68 * 0.875, 1), THRESHOLD), size=(60, 40))
    (reading,) = Fake(0.69).reader().read([gray(27)])
    assert (reading.text, reading.confidence) == ("27", estimate_confidence(0.69 * 0.875, 1))


def test_in_a_larger_picture_more_is_needed() -> None:
    (reading,) = Fake(0.8).reader().read([gray(27, (800, 600))])
    assert reading.refused
    assert reading.refused.needed == compute_needed(THRESHOLD, sum(map(len, windows.list_levels(800, 600)))) > 0.5


@pytest.mark.parametrize("box", [(1.0, 0.2, 1.0, 0.8), (0.5, 0.4, 0.5, 0.6)])
def test_an_empty_box_holds_no_number(box: tuple[float, ...]) -> None:
    (reading,) = Fake(0.9, box).reader().read([gray(27)])
    assert (reading.text, reading.box) == ("", None)
    assert reading.refused == Refusal("", 0.0, THRESHOLD)
    assert "no digit was read" in format_reading("a.png", reading)


def test_all_numbers_of_one_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reader = Fake(0.9).reader()
    assert reader.read_all(gray(27)) == list(reader.read(gray(27))[0].numbers)
    assert Fake(0.1).reader().read_all(gray(27)) == []
    monkeypatch.setattr(Reader, "_read_picture", lambda _, image, *__: Reading(SEVERAL, size=image.size))
    assert reader.read_all(gray(27)) == list(SEVERAL)
    (reading,) = reader.read(gray(27))
    assert (reading.surest, reading.text, reading.confidence) == (TURNED, "8", 0.96)
    assert (reading.digit_confidences, reading.box) == ((0.96,), (37.0, 20.0, 48.0, 30.0))
    with pytest.raises(FileNotFoundError, match=r"none\.png: .*missing"):
        reader.read_all(tmp_path / "none.png")
    with pytest.raises(ValueError, match="of type list"):
        reader.read_all([gray(27), gray(28)])


def test_a_network_that_locates_nothing_is_no_finder() -> None:
    network = Network("mine", Fake(0.9).read, INFO, 0.5, locates=False, engine="fake")
    with pytest.raises(UserError, match="--finder=mine"):
        Reader(network, network)


def test_everything_a_picture_can_be(tmp_path: Path) -> None:
    path, buffer = tmp_path / "a.png", io.BytesIO()
    gray(27).save(path)
    gray(27).save(buffer, "PNG")
    content, array = buffer.getvalue(), np.asarray(gray(27))
    reader = Fake(0.9).reader()
    alike: list[Any] = [path, str(path), content, bytearray(content), memoryview(content), gray(27), array]
    with path.open("rb") as file:
        for one in (*alike, array[..., 0], io.BytesIO(content), file):
            (reading,) = reader.read(one)
            assert (reading.text, reading.size) == ("27", (60, 40)), type(one)
    assert [reading.text for reading in reader.read(np.stack([array] * 3))] == ["27"] * 3
    assert [reading.text for reading in reader.read(iter([path, content]))] == ["27"] * 2


@pytest.mark.parametrize("what", [5, None, {"a": 1}, np.zeros((4, 4), np.float32), np.zeros((0, 4), np.uint8)])
def test_what_is_no_picture_is_named(what: Any) -> None:
    with pytest.raises(ValueError, match=r"picture 0: .*(int|NoneType|dict|float32|\(0, 4\))"):
        Fake(0.9).reader().read([what])


def test_one_bad_picture_need_not_end_a_batch(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"none")
    reader = Fake(0.9).reader()
    found = reader.read([gray(11), bad, gray(12)], on_error="return")
    assert [reading.text for reading in found] == ["11", "", "12"]
    assert [bool(reading.error) for reading in found] == [False, True, False]
    assert found[1].error.startswith(f"{bad}: the file is not a picture")
    with pytest.raises(OSError, match=r"bad\.png: .*not a picture"):
        reader.read([gray(11), bad, gray(12)])
    with pytest.raises(FileNotFoundError, match=r"none\.png: .*missing"):
        reader.read(tmp_path / "none.png")
    with pytest.raises(ValueError, match="on_error='ignore'"):
        reader.read([], on_error="ignore")  # pyright: ignore[reportArgumentType]


def test_what_is_no_picture_can_be_returned_as_an_error() -> None:
    strange: list[Any] = [io.StringIO("text"), memoryview(b"abcdef")[::2], 5, "\ud800.jpg", "a\0b.jpg"]
    found = Fake(0.9).reader().read([*strange, gray(11)], on_error="return")
    assert [bool(reading.error) for reading in found] == [True] * len(strange) + [False]
    for one in (*strange, None):
        with pytest.raises((ValueError, OSError), match=r"picture 0|jpg"):
            Fake(0.9).reader().read([one])
    with pytest.raises(ValueError, match="of type NoneType"):
        Fake(0.9).reader().read(None)


def test_a_picture_is_what_it_was_when_it_was_given(tmp_path: Path) -> None:
    """Frames of one animation, one array for each frame of a camera, files that are closed, one lazy picture."""
    frames, path = [gray(level) for level in range(10, 40, 2)], tmp_path / "frames.gif"
    levels = [str(level) for level in range(10, 40, 2)]
    frames[0].save(path, save_all=True, append_images=frames[1:])

    def refill() -> Iterator[np.ndarray]:
        buffer = np.zeros((40, 60, 3), np.uint8)
        for level in range(10, 40, 2):
            buffer[:] = level
            yield buffer

    def open_and_close() -> Iterator[Any]:
        for index, frame in enumerate(frames):
            frame.save(tmp_path / f"{index}.png")
            with (tmp_path / f"{index}.png").open("rb") as file:
                yield file

    with Image.open(path) as animation:
        for pictures in (ImageSequence.Iterator(animation), refill(), open_and_close()):
            assert [reading.text for reading in Fake(0.9).reader(4).stream(pictures)] == levels
    with Image.open(tmp_path / "3.png") as lazy:
        assert {reading.text for reading in Fake(0.9).reader(4).read([lazy] * 16)} == {"16"}


def test_readings_come_in_order_and_few_pictures_are_taken_ahead() -> None:
    taken = 0

    def pictures() -> Iterator[Image.Image]:
        nonlocal taken
        for level in range(10, 60):
            taken += 1
            yield gray(level, (60 + 40 * (level % 3), 40))

    reader = Fake(0.9).reader(threads=3)
    stream = reader.stream(pictures())
    first = next(stream)
    assert taken <= 3 * LOOKAHEAD
    assert [reading.text for reading in (first, *stream)] == [str(level) for level in range(10, 60)]


def test_pictures_are_finished_where_they_were_read() -> None:
    threads: set[int] = set()

    def finish(source: Any, image: Image.Image, reading: Reading) -> None:
        threads.add(threading.get_ident())
        time.sleep(0.02)
        assert (source.size, image.mode, reading.text[0]) == (image.size, "RGB", "1")
        if reading.text == "12":
            raise OSError("the disk is full")

    found = list(Fake(0.9).reader().stream([gray(level) for level in range(10, 15)], "return", finish))
    assert [reading.text for reading in found] == ["10", "11", "12", "13", "14"]
    assert [reading.error for reading in found] == ["", "", "picture 2: the disk is full", "", ""]
    assert len(threads) == 2
    assert threading.get_ident() not in threads


def test_a_reading_is_short_in_print() -> None:
    number, other = Number("27", 0.98765, (0.99, 0.99), list_corners((1.04, 2, 3, 4))), Number("8", 0.5, (0.5,))
    assert repr(Reading((number,))) == "Reading('27', 0.988, box=(1.0, 2.0, 3.0, 4.0))"
    assert (
        repr(Reading((other, number))) == "Reading(Number('8', 0.500), Number('27', 0.988, box=(1.0, 2.0, 3.0, 4.0)))"
    )
    assert repr(Reading(refused=Refusal("2", 0.5, 0.75))) == "Reading('', refused=Refusal('2', 0.500, 0.750))"
    assert repr(Reading(error="damaged")) == "Reading(error='damaged')"
    assert repr(Reading()) == "Reading('', 0.000)"


def test_what_is_cut_out_has_the_margin_of_the_records_and_ends_with_the_picture() -> None:
    image = Image.new("RGB", (80, 60))
    image.paste("white", (20, 20, 40, 40))
    pixels = crops.crop_number(image, (20.0, 20.0, 40.0, 40.0), INFO)[..., 0] > 127  # 30 x 30 pixels of it
    assert (np.flatnonzero(pixels.any(1))[[0, -1]] == [3, 16]).all()
    assert (np.flatnonzero(pixels.any(0))[[0, -1]] == [7, 32]).all()
    assert crops.crop_number(image, (70.0, 50.0, 80.0, 60.0), INFO).shape == (20, 40, 3)


def test_a_reader_of_gray_records_sees_gray() -> None:
    info = Info(**{**vars(INFO), "channels": 1})
    assert crops.crop_number(Image.new("RGB", (80, 60), "red"), (20.0, 20.0, 40.0, 40.0), info).shape == (20, 40, 1)


def test_the_package_offers_the_reader() -> None:
    assert svhn.Reader is Reader
    with pytest.raises(AttributeError, match="no attribute 'Writer'"):
        svhn.Writer  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]
