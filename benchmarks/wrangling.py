"""Seconds and memory to turn PNG files into records: by `svhn.wrangle`, in the reference's way, and on fewer pictures.

    python -m benchmarks.wrangling [--data_dir=data] [--few=5000]

The reference's way is one process that reads all labels value by value, keeps all crops in one array and then writes
the crops as raw pixels. Both ways make crops of 64x64 with a margin of 30 %. Memory is read from /proc, which only
Linux has.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.digitstruct import read_value_by_value
from svhn.datasets.formats.digit_struct import read_digit_struct
from svhn.datasets.formats.digit_struct_writer import write_digit_struct

SIZE, MARGIN = 64, 0.3  # side of a crop in pixels; margin on each side of the box, as a share of its width and height


def _crop_like_reference(path: Path, digits: np.ndarray) -> np.ndarray:
    left, top = digits[:, 1].min(), digits[:, 2].min()
    right, bottom = (digits[:, 1] + digits[:, 3]).max(), (digits[:, 2] + digits[:, 4]).max()
    width, height = right - left, bottom - top
    with Image.open(path) as image:
        corners = (
            max(0, round(left - MARGIN * width)),
            max(0, round(top - MARGIN * height)),
            min(image.width, round(right + MARGIN * width)),
            min(image.height, round(bottom + MARGIN * height)),
        )
        return np.asarray(image.convert("RGB").crop(corners).resize((SIZE, SIZE), Image.Resampling.LANCZOS))


def _convert_like_reference(folder: Path, target: Path) -> None:
    import tensorflow as tf

    entries = list(read_value_by_value(folder / "digitStruct.mat"))
    images = np.stack([_crop_like_reference(folder / name, digits) for name, digits in entries])
    with tf.io.TFRecordWriter(str(target)) as writer:
        for image, (_, digits) in zip(images, entries, strict=True):
            feature = {"image_raw": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()]))}
            for index, label in enumerate([len(digits), *digits[:, 0]]):
                feature[f"digit{index}"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[int(label)]))
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


def _measure_tree_memory(pid: int) -> int:
    """Bytes of memory of a process and its descendants, by proportional set size, which counts shared pages once."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except (OSError, StopIteration):
        return 0
    return own * 1024 + sum(_measure_tree_memory(child) for child in children)


def _measure_command(command: list[str]) -> tuple[float, float]:
    """Seconds and peak megabytes of a command with all its processes. Raises `SystemExit` if the command fails."""
    began, peak = time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, _measure_tree_memory(process.pid))
            time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return time.perf_counter() - began, peak / 1e6


def _measure_ours(data_dir: Path, scratch: Path) -> tuple[float, float]:
    flags = [f"--data_dir={data_dir}", f"--records_dir={scratch}", "--splits=train", f"--size={SIZE}x{SIZE}"]
    return _measure_command([sys.executable, "-m", "svhn.wrangle", *flags, f"--margin={MARGIN}"])


def _measure_reference(data_dir: Path, scratch: Path) -> tuple[float, float]:
    return _measure_command(
        [sys.executable, "-m", "benchmarks.wrangling", f"--data_dir={data_dir}", f"--reference={scratch / 'reference'}"]
    )


def _link_first_images(data_dir: Path, target: Path, count: int) -> Path:
    """Make a data folder with the first `count` images of train, as links; returns the folder."""
    folder = target / "train"
    folder.mkdir(parents=True)
    entries = list(islice(read_digit_struct(data_dir / "train" / "digitStruct.mat"), count))
    write_digit_struct(folder / "digitStruct.mat", entries)
    for name, _ in entries:
        (folder / name).symlink_to((data_dir / "train" / name).resolve())
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, default=Path("data"))
    parser.add_argument("--few", type=int, default=5000, help="number of pictures in the smaller source")
    parser.add_argument("--reference", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.reference:
        _convert_like_reference(args.data_dir / "train", args.reference)
        return
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        few = _link_first_images(args.data_dir, scratch / "few", args.few)
        rows = [
            ("ours", _measure_ours(args.data_dir, scratch)),
            ("the reference's way", _measure_reference(args.data_dir, scratch)),
        ]
        small = _measure_ours(few, scratch)
    print("                          seconds   peak MB")
    for title, (seconds, memory) in (*rows, (f"ours, {args.few} images", small)):
        print(f"{title:<24}{seconds:9.1f} {memory:9.0f}")
    ratio = rows[1][1][0] / rows[0][1][0]
    print(f"{ratio:.2f} times as fast; {rows[0][1][1] / small[1]:.2f} times the memory of {args.few} images")


if __name__ == "__main__":
    main()
