"""Video files read by the bundled networks: each kind, each turn and each damage, as real encoders write them."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image
from support.clips import CODECS, SIZE, show, write_clip, write_sound
from support.numbered_wall import PLACES, make_wall

from svhn.errors import UserError
from svhn.labels import Reading, Seen
from svhn.reading import frames
from svhn.reading.reader import Reader

FIX = 1 << 16  # 1 in a display matrix


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two numbers, one after the other, with a pause between them; the part that says where the frames are first."""
    images = show("208", 8) + show("", 13) + show("28", 8)
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", images, options={"movflags": "faststart"})


def see(reading: Reading) -> Seen:
    (number,) = reading.numbers
    assert number.seen
    return number.seen


@pytest.mark.parametrize("ending", CODECS)
def test_each_kind_of_file_is_read_each_number_once(ending: str, reader: Reader, tmp_path: Path) -> None:
    path = write_clip(tmp_path / f"clip{ending}", show("208", 8) + show("", 13) + show("28", 8))
    first, second = reader.read_video(path)
    assert (first.text, second.text) == ("208", "28")
    assert min(first.confidence, second.confidence) > 0.9
    assert first.size == SIZE
    assert (see(first).order, see(first).first_frame, see(first).last_frame, see(first).frames) == (0, 0, 7, 8)
    assert (see(second).order, see(second).first_frame, see(second).last_frame) == (1, 21, 28)
    assert (see(first).first, see(second).last) == pytest.approx((0, 2.8), abs=0.001)
    assert see(second).first <= see(second).best <= see(second).last


def test_each_of_several_numbers_is_followed(reader: Reader, tmp_path: Path) -> None:
    wall, images = make_wall(), list[Image.Image]()
    for frame in range(4):
        images.append(Image.new("RGB", wall.size, "gray"))
        images[-1].paste(wall, (4 * frame, 2 * frame))
    found = [*reader.read_video(write_clip(tmp_path / "wall.mp4", images))]
    assert [reading.text for reading in found] == list(PLACES)
    assert [(see(reading).order, see(reading).frames) for reading in found] == [(0, 4), (1, 4), (2, 4)]


def test_content_and_open_files_are_read_as_paths_are(clip: Path, reader: Reader, tmp_path: Path) -> None:
    expected = [*reader.read_video(str(clip))]
    with clip.open("rb") as file:
        assert [*reader.read_video(file)] == expected
    assert [*reader.read_video(clip.read_bytes())] == expected
    odd = tmp_path / "a:b \udcff.mp4"  # FFmpeg would take the start for a protocol
    odd.write_bytes(clip.read_bytes())
    assert [*reader.read_video(odd)] == expected


def test_a_title_that_is_not_utf_8_does_no_harm(reader: Reader, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "old.avi", show("208", 3), title="Tuer")
    path.write_bytes(path.read_bytes().replace(b"Tuer", b"T\xfcr\0"))
    assert b"T\xfcr" in path.read_bytes()
    assert [reading.text for reading in reader.read_video(path)] == ["208"]


def count_frames(reader: Reader, path: Path, rate: float) -> int:
    return sum(see(reading).frames for reading in reader.read_video(path, rate))


def test_the_rate_is_that_of_the_frames_times(clip: Path, reader: Reader, tmp_path: Path) -> None:
    assert count_frames(reader, clip, 0) == count_frames(reader, clip, 100) == 16
    assert count_frames(reader, clip, 5) == 8
    images, times = show("208", 8), [0, 0.01, 0.02, 0.03, 0.04, 0.05, 1.2, 4.0]
    uneven = write_clip(tmp_path / "uneven.mp4", images, rate=100, times=times)
    (reading,) = reader.read_video(uneven, 0)
    assert (see(reading).first, see(reading).last) == pytest.approx((0, 4))
    (reading,) = reader.read_video(uneven, 1)
    assert (see(reading).frames, see(reading).last_frame) == (3, 7)


TURNS: dict[
    str, tuple[list[int], Callable[[Image.Image], Image.Image]]
] = {  # how a player turns, and how it was filmed
    "upright": ([1, 0, 0, 1], lambda image: image),
    "quarter": ([0, 1, -1, 0], lambda image: image.transpose(Image.Transpose.ROTATE_90)),
    "half": ([-1, 0, 0, -1], lambda image: image.transpose(Image.Transpose.ROTATE_180)),
    "three quarters": ([0, -1, 1, 0], lambda image: image.transpose(Image.Transpose.ROTATE_270)),
    "mirrored": ([-1, 0, 0, 1], lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    "flipped": ([1, 0, 0, -1], lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)),
    "transposed": ([0, 1, 1, 0], lambda image: image.transpose(Image.Transpose.TRANSPOSE)),
    "transversed": ([0, -1, -1, 0], lambda image: image.transpose(Image.Transpose.TRANSVERSE)),
}


@pytest.mark.parametrize("turn", TURNS)
def test_frames_are_turned_as_a_phone_says(turn: str, reader: Reader, tmp_path: Path) -> None:
    (a, b, c, d), film = TURNS[turn]
    matrix = [a * FIX, b * FIX, 0, c * FIX, d * FIX, 0, 0, 0, 1 << 30]
    path = write_clip(tmp_path / "turned.mp4", [film(image) for image in show("208", 3)], matrix=matrix)
    (reading,) = reader.read_video(path)
    assert (reading.text, reading.size) == ("208", SIZE)
    assert reading.box
    assert reading.box == pytest.approx((8, 24, 146, 88), abs=8)


def test_a_video_without_a_number_is_answered_so(reader: Reader, tmp_path: Path) -> None:
    (reading,) = reader.read_video(write_clip(tmp_path / "wall.mp4", show("", 5)))
    assert (reading.text, reading.numbers, reading.size, reading.error) == ("", (), SIZE, "")


def collect(reader: Reader, source: Any) -> tuple[list[str], str]:
    """What was read before the error, and the error."""
    texts = []
    with pytest.raises(OSError) as error:  # noqa: PT011, PT012 - each test compares the message
        for reading in reader.read_video(source):
            texts.append(reading.text)
    return texts, str(error.value)


def test_a_file_that_was_cut_keeps_what_was_read(clip: Path, reader: Reader) -> None:
    content = clip.read_bytes()
    texts, problem = collect(reader, content[: len(content) // 2])
    assert texts == ["208"]
    assert problem.startswith("damaged in 1 place")
    assert "breaks off" in problem


def test_a_damaged_middle_is_counted_and_the_rest_is_read(clip: Path, reader: Reader) -> None:
    with av.open(str(clip)) as container:
        packets = [packet.pos for packet in container.demux(video=0) if packet.pos]
    content = bytearray(clip.read_bytes())
    for start, end in [*pairwise(packets)][11:14]:
        content[start:end] = bytes(end - start)
    texts, problem = collect(reader, bytes(content))
    assert texts == ["208", "28"]
    assert problem.startswith("damaged in ")
    assert re.search(r"first at 0:0[01]\.\d", problem)


def write_unfinished(path: Path) -> bytes:
    """The start of a film whose camera lost its battery: the part that says where the frames are comes last."""
    return write_clip(path, show("208", 8)).read_bytes().partition(b"moov")[0]


def write_unknown(clip: Path) -> bytes:
    return clip.read_bytes().replace(b"avc1", b"zzz1")


def write_cover(path: Path) -> bytes:
    """Music with a picture of its cover, which FFmpeg shows as a stream of video."""
    with av.open(str(path), "w") as container:
        sound: Any = container.add_stream("aac", rate=44100)
        cover: Any = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic  # type: ignore[attr-defined]
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.rate = 44100
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(sound.encode(frame))
        container.mux(cover.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 64)))))
        container.mux([*sound.encode(), *cover.encode()])
    return path.read_bytes()


def write_start(path: Path, options: dict[str, str] | None = None) -> bytes:
    """The start of a film, without a whole frame."""
    return write_clip(path, show("208", 8), options=options).read_bytes()[:1500]


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda _clip, _folder: b"", "no video"),
        (lambda _clip, _folder: b"hello\n" * 100, "no video"),
        (lambda _clip, folder: write_unfinished(folder / "cut.mp4"), "the part that says where its frames are"),
        (lambda _clip, folder: write_sound(folder / "sound.mp4").read_bytes(), "no video but sound"),
        (lambda _clip, folder: write_cover(folder / "cover.mp4"), "no video but sound"),
        (lambda clip, _folder: write_unknown(clip), "no decoder"),
        (lambda _clip, folder: write_start(folder / "start.mkv"), "breaks off"),
        (lambda _clip, folder: write_start(folder / "start.mkv", {"live": "1"}), "no frame of the video"),
    ],
)
def test_what_is_no_video_is_refused_with_its_reason(
    make: Callable[[Path, Path], bytes], problem: str, clip: Path, reader: Reader, tmp_path: Path
) -> None:
    texts, message = collect(reader, make(clip, tmp_path))
    assert texts == []
    assert problem in message


def test_frames_are_as_large_as_pictures_may_be(clip: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_PIXELS", SIZE[0] * SIZE[1])
    assert len([*reader.read_video(clip)]) == 2
    monkeypatch.setattr(frames, "MOST_PIXELS", SIZE[0] * SIZE[1] - 1)
    assert "208 x 112 pixels, expected at most 23,295" in collect(reader, clip)[1]


def test_a_missing_file_a_folder_and_another_type_are_named(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.mp4"):
        next(reader.read_video(tmp_path / "none.mp4"))
    assert "folder" in collect(reader, tmp_path)[1]
    with pytest.raises(ValueError, match="type int"):
        next(reader.read_video(7))
    with pytest.raises(UserError, match="-1 frames a second"):
        next(reader.read_video(io.BytesIO(), -1))


def test_without_pyav_the_extra_is_named(clip: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UserError, match=r"pip install -e '\.\[video\]'"):
        next(reader.read_video(str(clip)))
