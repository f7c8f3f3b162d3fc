"""Numbers read in clips: by the vote of the frames, beside a single frame of them.

    python -m benchmarks.video [--name=released-large] [--split=test] [--clips=450] [--frames=30] [--fps=10]
        [--data_dir=data]

Each clip is made from a picture of SVHN, as `benchmarks.helpers.clips` films it. The frames are those that
`Reader.read_video` read, so that all rows are about the same frames. The split `valid` is the one that wrangling draws
from train; the settings of `svhn/reading/tracks.py` were chosen on it. With `--keep=folder`, the clips stay.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.helpers.clips import QUALITIES, film_picture, write_clip
from svhn.config import READER
from svhn.datasets.svhn import SVHN
from svhn.images import open_picture
from svhn.labels import Reading
from svhn.reading.reader import Reader
from svhn.spec import Entry
from svhn.wrangle.draw import Options, Tally, draw_splits

BINS = 5  # of the calibration error


class Outcome(NamedTuple):
    """A clip: its label, the readings of its frames, and its answers."""

    label: str
    frames: list[Reading]
    answers: list[Reading]

    @property
    def surest(self) -> Reading:
        """The surest answer, or an empty one."""
        return max(self.answers, key=lambda answer: answer.confidence, default=Reading())


class _KeepingReader(Reader):
    """Keeps what it reads in the frames of a video."""

    def stream(self, *args: Any, **options: Any) -> Iterator[Reading]:
        self.frames: list[Reading] = []
        for reading in super().stream(*args, **options):
            self.frames.append(reading)
            yield reading


def _list_entries(data_dir: Path, split: str, count: int) -> list[Entry]:
    """The first entries of a split, in its random order."""
    source = "train" if split == "valid" else split
    return draw_splits(SVHN, data_dir, [source], Options(SVHN.size, SVHN.margin), Tally())[split][:count]


def _read_clip(reader: _KeepingReader, entry: Entry, path: Path, frames: int, rate: float) -> Outcome:
    path_of_picture, box = entry.source
    rng = np.random.default_rng(random.Random(entry.name).randrange(2**32))
    quality = int(rng.integers(QUALITIES[0], QUALITIES[1] + 1))
    write_clip(path, film_picture(open_picture(path_of_picture), box, frames, rng), quality)
    answers = [reading for reading in reader.read_video(path, rate) if reading.numbers]
    return Outcome(entry.label, reader.frames, answers)


def _measure_calibration(outcomes: Iterable[Outcome]) -> float:
    """Expected calibration error of the answers, 0 to 1, in bins of equal size (Naeini et al. 2015)."""
    pairs = sorted((each.surest.confidence, each.surest.text == each.label) for each in outcomes if each.answers)
    parts = np.array_split(np.array(pairs), BINS)
    return sum(len(part) * abs(float(np.subtract(*part.mean(axis=0)))) for part in parts) / len(pairs)


def _print_share(name: str, hits: Iterable[bool]) -> None:
    values = np.array([*hits], float)
    print(f"{name:<40}{values.mean():8.1%} ± {np.sqrt(values.var() / len(values)):.1%}")


def _print_table(outcomes: list[Outcome]) -> None:
    rng = random.Random(0)
    drawn = [rng.choice(each.frames).text == each.label for each in outcomes]
    surest = [max(each.frames, key=lambda frame: frame.confidence).text == each.label for each in outcomes]
    voted = [each.surest.text == each.label for each in outcomes]
    print(f"{len(outcomes)} clips, {np.mean([len(each.frames) for each in outcomes]):.1f} frames of each read")
    _print_share(
        "right: all frames, each as one", (frame.text == each.label for each in outcomes for frame in each.frames)
    )
    _print_share("right: a frame drawn at random", drawn)
    _print_share("right: the frame of highest confidence", surest)
    _print_share("right: the vote", voted)
    _print_share("exactly one answer", (len(each.answers) == 1 for each in outcomes))
    _print_share("several answers", (len(each.answers) > 1 for each in outcomes))
    gains = sum(voted) - sum(drawn), sum(voted) - sum(surest)
    print(f"clips that the vote gains: {gains[0]:+d} on the frame drawn, {gains[1]:+d} on the surest frame")
    print(f"calibration error of the vote           {_measure_calibration(outcomes):8.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default=READER, help="run that reads")
    parser.add_argument("--split", default="test", choices=("valid", "test"))
    parser.add_argument("--clips", type=int, default=450)
    parser.add_argument("--frames", type=int, default=30, help="of a clip, 25 a second")
    parser.add_argument("--fps", type=float, default=10.0, help="as svhn read takes it")
    parser.add_argument("--data_dir", type=Path, default=Path("data"))
    parser.add_argument("--keep", type=Path, help="folder for the clips")
    args = parser.parse_args()
    reader = _KeepingReader.load(args.name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        entries = _list_entries(args.data_dir, args.split, args.clips)
        outcomes = [
            _read_clip(reader, entry, folder / f"{place:04}.mp4", args.frames, args.fps)
            for place, entry in enumerate(entries)
        ]
    _print_table(outcomes)


if __name__ == "__main__":
    main()
