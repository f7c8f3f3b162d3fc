"""Numbers read and milliseconds per picture: our networks and two OCR engines, on the same boxes of test.

    python -m benchmarks.accuracy [--names=house,kvn] [--images=1000] [--data_dir=data] [--records_dir=records]

Every network and engine gets one picture at a time. A run's network gets the records' pictures, decoded as by Pillow.
An OCR engine, if it is installed, gets the same part of the published picture at its own proportions, and only the
digits in its answer count. Tesseract needs `pip install pytesseract` and its own program, which is started for each
picture. RapidOCR's recognizer needs `pip install rapidocr-onnxruntime`.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from svhn import records
from svhn.config import Config, Paths
from svhn.datasets import DATASETS
from svhn.labels import decode_slots
from svhn.pipeline import batches
from svhn.reading import crops
from svhn.reading.engine import load_network
from svhn.run import Run
from svhn.spec import Entry, Info

CROP_HEIGHT = 48  # pixels of a crop for an OCR engine: RapidOCR's recognizer works at this height
TESSERACT_OPTIONS = "--psm 7 -c tessedit_char_whitelist=0123456789"  # one line of digits

Images = list[np.ndarray]


def _load_pictures(paths: Paths, info: Info, count: int) -> tuple[list[str], list[str], Images]:
    """Names, labels and pictures, uint8 (height, width, 3), of the first `count` records of test."""
    split = records.open_split(paths.records_dir, info, "test")
    run = Run(paths.run_folder, Config(), info)
    ds = tf.data.TFRecordDataset([str(path) for path in split.paths])
    ds = ds.map(lambda serialized: batches.decode_record(serialized, run))
    names, labels, images = [], [], []
    for record in ds.take(count).as_numpy_iterator():
        names.append(bytes(record["name"]).decode())
        labels.append(decode_slots(record["digits"]))
        images.append(record["image"])
    return names, labels, images


def _crop_pictures(paths: Paths, info: Info, names: Iterable[str]) -> Images:
    """Crops of the named examples from the published pictures, `CROP_HEIGHT` high, at their own proportions."""
    spec = DATASETS[info.dataset]
    entries = {entry.name: entry for entry in spec.entries(Path(paths.data_dir), "test", info.seed)}

    def crop(entry: Entry) -> np.ndarray:
        left, top, right, bottom = entry.source[1]
        width = max(1, round(CROP_HEIGHT * (right - left) / (bottom - top)))
        return spec.load(entry, (CROP_HEIGHT, width), info.margin)

    return [crop(entries[name]) for name in names]


def network(paths: Paths, images: Images) -> Iterator[str]:
    """The readings of a run's best checkpoint by `svhn read`'s engine, one picture at a time."""
    chosen = load_network(paths, {}, "best", "auto")
    return (reading.text for reading in crops.read_crops(chosen, images, batch_size=1))


def tesseract(images: Images) -> Iterator[str]:
    """The answers of Tesseract. Raises `ImportError` or `OSError` if it is not installed."""
    engine: Any = importlib.import_module("pytesseract")
    return (engine.image_to_string(image, config=TESSERACT_OPTIONS) for image in images)


def rapidocr(images: Images) -> Iterator[str]:
    """The answers of RapidOCR's recognizer, which takes BGR. Raises `ImportError` if it is not installed."""
    engine: Any = importlib.import_module("rapidocr_onnxruntime").RapidOCR()
    answers = (engine(image[..., ::-1], use_det=False, use_cls=False, use_rec=True)[0] for image in images)
    return ("".join(text for text, _ in answer or []) for answer in answers)


def _measure_reading(read: Callable[[Images], Iterator[str]], images: Images, labels: list[str]) -> tuple[float, float]:
    """Share read right, 0 to 1, and milliseconds per picture.

    The first picture is read twice, and its first time does not count, because it includes the loading of the engine.
    """
    answers = read([images[0], *images])
    next(answers)
    began = time.perf_counter()
    right = [re.sub(r"\D", "", answer) == label for answer, label in zip(answers, labels, strict=True)]
    return float(np.mean(right)), 1000 * (time.perf_counter() - began) / len(labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", default="house,kvn", help="names of the runs, comma-separated")
    parser.add_argument("--images", type=int, default=1000, help="number of pictures")
    parser.add_argument("--data_dir", default="data")
    parser.add_argument("--records_dir", default="records")
    parser.add_argument("--checkpoints_dir", default="checkpoints")
    args = vars(parser.parse_args())
    run_names, count = args.pop("names").split(","), args.pop("images")
    paths = Paths(**args)
    info = records.read_info(paths.records_dir, "svhn")
    names, labels, images = _load_pictures(paths, info, count)
    print(f"{len(labels):,} numbers of test, one at a time   right   ms a picture")
    for name in run_names:
        run = dataclasses.replace(paths, name=name)
        _print_row(name, *_measure_reading(lambda pictures, run=run: network(run, pictures), images, labels))
    crops = _crop_pictures(paths, info, names)
    for engine in (tesseract, rapidocr):
        try:
            _print_row(engine.__name__, *_measure_reading(engine, crops, labels))
        except (ImportError, OSError) as error:  # OSError: the program of Tesseract is missing
            print(f"{engine.__name__:36} not installed: {error}")


def _print_row(name: str, right: float, milliseconds: float) -> None:
    print(f"{name:36} {right:6.1%} {milliseconds:10.1f}")


if __name__ == "__main__":
    main()
