"""House numbers that one core draws and saves per second, as `python -m svhn.download --dataset=synthetic` does.

    python -m benchmarks.drawing [PICTURES]

The CPU time of this process is measured, so other work on the machine does not count. The best of three rounds is
printed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from svhn.datasets.synthetic import dataset, fonts

REPEATS = 3


def _time_drawing(folder: Path, paths: tuple[str, ...], pictures: int, seed: int) -> float:
    start = time.process_time()
    for index in range(pictures):
        dataset.draw_picture(folder, paths, seed, index)
    return time.process_time() - start


def main(pictures: int) -> None:
    paths = fonts.find_readable_fonts()
    with tempfile.TemporaryDirectory() as folder:
        seconds = min(_time_drawing(Path(folder), paths, pictures, seed) for seed in range(REPEATS))
        size = sum(path.stat().st_size for path in Path(folder).glob("*.png")) / pictures
    print(f"{pictures:,} numbers with {len(paths)} fonts, best of {REPEATS}")
    print(f"drawn and saved          {pictures / seconds:8.0f} images/s a core")
    print(f"a picture                {size / 1000:8.1f} kB")
    print("fonts                    " + ", ".join(sorted(Path(path).stem for path in paths)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
