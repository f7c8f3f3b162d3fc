"""The clips that `benchmarks.video` makes: the same ones each time, with their number in view."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from PIL import Image

from benchmarks.helpers.clips import CLIP_SIZE, film_picture, write_clip
from svhn.reading.reader import Reader

EXAMPLE = Path(__file__).parents[2] / "svhn/examples/208.jpg"
BOX = (15.0, 42.0, 337.0, 180.0)


def film(seed: int) -> list[np.ndarray]:
    return [*film_picture(Image.open(EXAMPLE).convert("RGB"), BOX, 8, np.random.default_rng(seed))]


def test_a_seed_makes_the_same_clip_which_moves_and_can_be_read(tmp_path: Path) -> None:
    frames = film(1)
    assert all(frame.shape == (CLIP_SIZE[1], CLIP_SIZE[0], 3) for frame in frames)
    assert np.array_equal(frames, film(1))
    assert not np.array_equal(frames, film(2))
    assert np.abs(np.subtract(frames[0], frames[-1], dtype=float)).mean() > 3
    path = tmp_path / "clip.mp4"
    write_clip(path, iter(frames), 22)
    with av.open(str(path)) as container:
        assert len([*container.decode(video=0)]) == 8
    assert [reading.text for reading in Reader.load().read_video(path, 0)] == ["208"]
