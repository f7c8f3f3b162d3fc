"""The kinds of files that the program reads: how sound ones are written, and how each is read.

What is read is compared by equality, so pixels and weights are returned as digests. Files are small.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import hashlib
import io
import shutil
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from svhn import records
from svhn.config import RELEASED, Paths
from svhn.datasets import DATASETS
from svhn.datasets.formats.digit_struct_writer import write_digit_struct
from svhn.errors import UserError
from svhn.reading.engine import Network
from svhn.reading.reader import Reader
from svhn.runs import stored
from svhn.runtime.shell import silence_tensorflow
from svhn.spec import Info
from tests.support.mnist_fixtures import write_csv, write_idx

INFO = Info("mnist", (28, 28), 0.0, 1, 1, "png", {}, {}, {}, {}, seed=0, fixed_length=True)
PICTURE_ERRORS = (OSError, ValueError)  # that `Reader.read` documents
PICTURES = {  # options of Pillow, for each picture of a kind
    "PNG": ({}, {"optimize": True}),
    "JPEG": ({"quality": 95}, {"progressive": True}),
    "GIF": ({},),
    "BMP": ({},),
    "TIFF": ({}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}),
    "WebP": ({"lossless": True}, {"quality": 90}),
    "QOI": ({},),
}


class Format(NamedTuple):
    """A kind of file.

    Args:
        name: its name in the table.
        write: `(folder)` writes sound files; returns those that are to be damaged.
        read: `(path)` reads one of these and what lies beside it, as the program does.
        errors: what `read` may raise.
    """

    name: str
    write: Callable[[Path], list[Path]]
    read: Callable[[Path], object]
    errors: tuple[type[Exception], ...] = (UserError, OSError)  # OSError ends the commands in one line, too


def draw_picture(index: int, mode: str = "RGB") -> Image.Image:
    """A number on a ground that changes, 60 x 40 pixels."""
    rows, columns = np.indices((40, 60))
    pixels = np.stack([2 * rows + index, 3 * columns, rows * columns // 12], axis=2).astype(np.uint8)
    picture = Image.fromarray(pixels)
    ImageDraw.Draw(picture).text((8, 12), str(210 + index), "white")
    return picture.convert(mode)


def _write_pictures(kind: str, folder: Path) -> list[Path]:
    paths = []
    for index, options in enumerate(PICTURES[kind]):
        paths.append(folder / f"{index}.{kind.lower()}")
        draw_picture(index).save(paths[-1], kind, **options)
    return paths


@cache
def _load_reader() -> Reader:
    """A reader whose networks find a number in every picture, since only the picture's pixels matter."""
    found = {"probability": np.ones(1), "box": np.array([[0.25, 0.25, 0.75, 0.75]])}
    read = {"number": np.array([[7]]), "confidence": np.ones(1), "digit_confidences": np.ones((1, 1))}
    network = Network("reader", lambda _: read, INFO, 0.5, locates=False, engine="fake")
    finder = Network(
        "finder", lambda images: {k: np.repeat(v, len(images), 0) for k, v in found.items()}, INFO, 0.5, True, "fake"
    )
    return Reader(network, finder, threads=1)


def _read_picture(path: Path) -> object:
    seen: list[tuple[tuple[int, int], str]] = []
    reader = _load_reader()
    for _ in reader.stream([path], "raise", lambda _, image, __: seen.append((image.size, _digest(image.tobytes())))):
        pass
    return seen


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_dataset(name: str, source: str, path: Path) -> object:
    """Numbers and pixels of a source, as wrangling takes them."""
    spec, found = DATASETS[name], []
    folder = path.parent.parent if name == "svhn" else path.parent
    for entry in spec.entries(folder, source, 0):
        if entry.problem:  # which wrangling lists, too
            raise UserError(entry.problem)
        try:
            pixels = spec.load(entry, spec.size, spec.margin)
        except (OSError, ValueError) as error:
            raise UserError(str(error)) from error
        found.append((entry.name, entry.label, pixels.shape, _digest(pixels.tobytes())))
    return found


def _write_idx(folder: Path) -> list[Path]:
    return sorted(write_idx(folder).glob("train-*"))


def _write_gzip(folder: Path) -> list[Path]:
    for path in write_idx(folder).iterdir():
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        path.unlink()
    return sorted(folder.glob("train-*"))


def _write_pixel_csv(folder: Path) -> list[Path]:
    return [write_csv(folder) / "train.csv"]


def _write_labels(folder: Path) -> list[Path]:
    path = folder / "labels.csv"
    rows = [(f"{index}.png", 210 + index, "train", 8, 10, 22, 16) for index in range(8)]
    for index in range(8):
        draw_picture(index).save(folder / f"{index}.png")
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("filename", "label", "split", "left", "top", "width", "height"), *rows])
    return [path]


def _write_matlab(folder: Path) -> list[Path]:
    train = folder / "train"
    train.mkdir()
    rows = {f"{index}.png": np.array([[1 + index, 8, 10, 9, 20], [2, 20, 10, 8, 20]], float) for index in range(6)}
    for index, name in enumerate(rows):
        draw_picture(index).save(train / name)
    write_digit_struct(train / "digitStruct.mat", rows.items())
    return [train / "digitStruct.mat"]


def _encode_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _write_records(folder: Path) -> list[Path]:
    _import_tensorflow()
    (folder / "mnist").mkdir()
    (path,) = records.get_shard_paths(folder, "mnist", "valid", 1)
    pictures = (_encode_png(draw_picture(index, "L").resize((28, 28))) for index in range(20))
    records.write_shard(
        path, (records.serialize_example(each, str(index % 10), str(index)) for index, each in enumerate(pictures))
    )
    info = dataclasses.replace(
        INFO, splits={"valid": [20]}, sizes={"valid": [path.stat().st_size]}, lengths={"valid": {"1": 20}}
    )
    records.write_info(folder, info)
    return [path]


def _read_records(path: Path) -> object:
    from svhn.pipeline import batches, integrity, splits

    info = records.read_info(path.parent.parent, "mnist")
    run = stored.Run(path.parent, stored.make_config({"model": "shallow", "dataset": "mnist"}), info)
    split = splits.open_run_split(run, Paths(records_dir=str(path.parent.parent)), "valid")
    with integrity.explain_corruption(split):
        images, digits = batches.load_arrays(run, split)
    return _digest(images.tobytes()), digits.tolist()


def _read_info(path: Path) -> object:
    return dataclasses.asdict(records.read_info(path.parent.parent, "mnist"))


def _write_info(folder: Path) -> list[Path]:
    (folder / "mnist").mkdir()
    counts = {"splits": {"valid": [20]}, "sizes": {"valid": [9000]}, "lengths": {"valid": {"1": 20}}}
    records.write_info(folder, dataclasses.replace(INFO, **counts, sources={"train": "0" * 64}))
    return [folder / "mnist/info.json"]


def _write_config(folder: Path) -> list[Path]:
    return [Path(shutil.copy(RELEASED / "config.json", folder))]


def _read_config(path: Path) -> object:
    run = stored.open_run(path.parent, {}, stored.read_run_info(path.parent), "score")
    return dataclasses.asdict(run.config), run.records.form


def _import_tensorflow() -> None:
    with silence_tensorflow():
        import tensorflow  # noqa: F401


@cache
def _build_model() -> Any:
    _import_tensorflow()
    from svhn.runs import load

    return load.build_model(stored.Run(Path(), stored.make_config({"model": "shallow", "dataset": "mnist"}), INFO))


def _write_weights(folder: Path) -> list[Path]:
    np.savez_compressed(folder / "ckpt-1.npz", *_build_model().get_weights())
    return [folder / "ckpt-1.npz"]


def _read_weights(path: Path) -> object:
    from svhn.runs import checkpoints

    checkpoints.load_weights(path.parent, _build_model(), 1)
    return [_digest(weight.tobytes()) for weight in _build_model().get_weights()]


def _list_formats() -> Iterable[Format]:
    for kind in PICTURES:
        yield Format(kind, partial(_write_pictures, kind), _read_picture, PICTURE_ERRORS)
    yield Format("idx", _write_idx, partial(_read_dataset, "mnist", "train"))
    yield Format("gzip", _write_gzip, partial(_read_dataset, "mnist", "train"))
    yield Format("npz", _write_weights, _read_weights)
    yield Format("TFRecord", _write_records, _read_records)
    yield Format("CSV", _write_pixel_csv, partial(_read_dataset, "mnist", "train"))
    yield Format("labels", _write_labels, partial(_read_dataset, "folder", "train"))
    yield Format("MAT", _write_matlab, partial(_read_dataset, "svhn", "train"))
    yield Format("info.json", _write_info, _read_info)
    yield Format("config.json", _write_config, _read_config)


FORMATS = {kind.name: kind for kind in _list_formats()}
