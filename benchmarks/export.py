"""A run in each export format: share of numbers right, agreement with TensorFlow, size, and milliseconds per call.

    taskset -c 0 python -m benchmarks.export [--name=released] [--split=test] [--images=3000] [--records_dir=records]

Each call gets one picture as the records hold it. "Same" is the share of numbers read as by TensorFlow in float32; the
columns after it are the largest differences of a confidence and of any output, and the mean overlap of a finder's
boxes. The milliseconds are the mean of 200 calls.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from svhn import records
from svhn.config import Paths
from svhn.pipeline.batches import make_evaluation_batches
from svhn.publishing import agreement, export
from svhn.publishing.formats import FORMATS, Call, Outputs
from svhn.run import Run
from svhn.runs import load

TIMED_IMAGES = 200


def _load_labeled_images(run: Run, records_dir: str, split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `count` images of a split, uint8 (images, height, width, channels), and their digits.

    The digits are int32 (images, max_length), -1 past the end.
    """
    info = records.read_info(records_dir, run.config.dataset)
    run = Run(run.folder, run.config, info)
    split_batches = make_evaluation_batches(run, records.open_split(records_dir, info, split))
    batches = list(split_batches.take(-(-count // run.config.batch_size)))
    real = np.concatenate([batch["weight"] for batch in batches]) > 0  # padding has weight 0
    images, digits = (np.concatenate([batch[name] for batch in batches])[real] for name in ("image", "digits"))
    return images[:count], digits[:count]


def _measure_size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())


def _time_call(call: Callable[[np.ndarray], object], images: np.ndarray) -> float:
    """Mean milliseconds of a call with one image."""
    call(images[:1])  # the first call is slower: runtimes allocate and compile
    began = time.perf_counter()
    for image in images:
        call(image[None])
    return 1000 * (time.perf_counter() - began) / len(images)


def _format_row(kind: str, call: Call, path: Path, images: np.ndarray, numbers: np.ndarray, expected: Outputs) -> str:
    found = agreement.run_in_batches(call, images)
    right = (found["number"] == numbers).all(axis=1).mean()
    compared = agreement.compare_outputs(found, expected)
    megabytes, milliseconds = _measure_size(path) / 1e6, _time_call(call, images[:TIMED_IMAGES])
    measured = (
        f"{right:8.2%}{compared.same:8.2%}{compared.confidence:12.1e}{compared.difference:9.1e}{compared.overlap:9.4f}"
    )
    return f"{kind:12}{measured}{megabytes:6.1f}{milliseconds:7.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="released", help="name of the run")
    parser.add_argument("--split", default="test", help="split to read")
    parser.add_argument("--images", type=int, default=3000, help="number of images")
    parser.add_argument("--records_dir", default=Paths.records_dir)
    parser.add_argument("--checkpoints_dir", default=Paths.checkpoints_dir)
    args = parser.parse_args()
    folder = Paths(name=args.name, checkpoints_dir=args.checkpoints_dir).run_folder
    run, model = load.load_run(folder, export.PORTABLE_OPTIONS)
    module = export.make_exportable(load.freeze_model(export.unroll_recurrence(model)), run)
    images, numbers = _load_labeled_images(run, args.records_dir, args.split, args.images)
    expected = agreement.run_in_batches(module.run_images, images)
    print(f"{len(images):,} images of {args.split}")
    print("format         right    same  confidence  outputs  overlap    MB     ms")
    with tempfile.TemporaryDirectory() as scratch:
        for kind, form in FORMATS.items():
            path = Path(scratch) / kind
            form.write(module, path)
            print(_format_row(kind, form.load(path), path, images, numbers, expected), flush=True)


if __name__ == "__main__":
    main()
