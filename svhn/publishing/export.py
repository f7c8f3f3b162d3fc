"""A run as a file for another runtime: pixels in, number and confidence out; kept only if it reads alike there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from svhn import records
from svhn.errors import UserError
from svhn.evaluation import decoding, views
from svhn.models.losses import Network
from svhn.pipeline import integrity
from svhn.pipeline.batches import make_evaluation_batches
from svhn.publishing.formats import FORMATS, Call, Exportable, Outputs
from svhn.run import Run
from svhn.runs.load import freeze_model, load_run
from svhn.runs.stored import open_run
from svhn.spec import Info

PORTABLE_OPTIONS = {"mixed_precision": False, "views": 1}  # what every runtime can follow
CHECK_COUNT = 256  # images
BATCH_SIZE = 64
CALIBRATION_COUNT = (
    1000  # images of train whose ranges int8 takes; with 100 to 300, it read 0.2 to 0.4 points less of valid
)
MAX_DIFFERENCE = 1e-3  # other roundings of float32: 2e-4 on 2,999 house numbers, more on what looks like none
MIN_INT8_AGREEMENT = 0.9  # least share of numbers that are read as before


class ExportCheck(NamedTuple):
    """How an exported file reads what TensorFlow has read.

    Args:
        images: how many and which.
        same: share of numbers that are read alike.
        difference: the largest in logits, confidences and box.
    """

    sample: str
    same: float
    difference: float


def export_run(
    folder: Path, given: Mapping[str, Any], checkpoint: str, records_dir: str, kind: str, target: Path
) -> ExportCheck:
    """Write a run's checkpoint as a file, or a folder, of that kind.

    Raises:
        UserError: the extra is missing, or records of train for int8, or it can't be had in int8, or doesn't read as
            TensorFlow does.
    """
    _check_target(target, kind)
    if given.get("views", 1) != 1:
        raise UserError(f"--views={given['views']}: what is exported reads a picture as it is")
    run, model = load_run(folder, {**given, **PORTABLE_OPTIONS}, checkpoint)
    if not FORMATS[kind].exact and any(isinstance(layer, keras.layers.RNN) for layer in model.layers):
        raise UserError(
            f"--format={kind}: {run.config.model} is recurrent, which can't be had in 8 bits: choose another one"
        )
    module = make_exportable(freeze_model(model), run)
    source, images = _choose_check_images(run, records_dir)
    calibration = images if FORMATS[kind].exact else load_split_images(run, records_dir, "train", CALIBRATION_COUNT)
    return ExportCheck(f"{len(images)} {source}", *write_export(module, kind, target, images, calibration))


def _check_target(target: Path, kind: str) -> None:
    """Raises `UserError` where something else lies at the file's place, or the name is not the format's."""
    expected = Path(f"_{FORMATS[kind].suffix}").suffix
    if kind != "savedmodel" and target.suffix != expected:
        raise UserError(f"--output={target}: expected a name that ends in {expected}")
    earlier = (target / "saved_model.pb").exists() if kind == "savedmodel" else target.is_file()
    if not target.name or (target.exists() and not earlier):
        raise UserError(f"--output={target} is there, and no earlier export of that format: choose another name")


def make_exportable(network: Network, run: Run) -> Exportable:
    """Of images, the logits at the run's temperature, and `number` (batch, max_length), its slots -1 past the end.

    `confidence` (batch,) is the number's, `digit_confidences` (batch, max_length) each digit's. A finder also says
    `box` (batch, 4), in shares of the image's width and height, and `probability` (batch,) that there is a number.
    """
    look = views.average_views(network, run)

    def read(images: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = look(images)
        number, confidence, digit_confidences = decoding.decode_outputs(logits)
        found = {"probability": decoding.compute_presence(logits)} if "box" in logits else {}
        answer = {"number": number, "confidence": confidence, "digit_confidences": digit_confidences}
        return {**logits, **found, **answer}

    return Exportable(read, run.records)


def _choose_check_images(run: Run, records_dir: str) -> tuple[str, np.ndarray]:
    """What to check with, in words and as images: of valid, or else of test, or else drawn ones."""
    for split in ("valid", "test"):
        with suppress(UserError):
            return f"images of {split}", load_split_images(run, records_dir, split, CHECK_COUNT)
    return "drawn images", draw_plain_images(run.records, CHECK_COUNT)


def load_split_images(run: Run, records_dir: str, name: str, count: int) -> np.ndarray:
    """The first images of a split, uint8 (…, height, width, channels).

    Raises:
        UserError: there are no such records, or they are damaged, or of another form than the run's.
    """
    info = records.read_info(records_dir, run.config.dataset)
    run, split = open_run(run.folder, {}, info, "score"), records.open_split(records_dir, info, name)
    batches = make_evaluation_batches(run, split).take(-(-count // run.config.batch_size))
    with integrity.explain_corruption(split):
        images = [batch["image"][batch["weight"] > 0] for batch in batches]
    return np.concatenate(images)[:count]


def draw_plain_images(info: Info, count: int) -> np.ndarray:
    """The same of plain numbers, as noisy as photos, for who has no records."""
    rng, (height, width) = np.random.default_rng(0), info.size
    font = ImageFont.load_default(height / 2)

    def draw() -> np.ndarray:
        ground, ink = rng.integers(256, size=2).tolist()
        image = Image.new("L", (width, height), ground)
        text = "".join(map(str, rng.integers(10, size=rng.integers(1, info.max_length + 1))))
        ImageDraw.Draw(image).text((width / 2, height / 2), text, ink, font, "mm")
        return np.asarray(image)[..., None] + rng.normal(0, 20, (height, width, info.channels))

    return np.stack([draw() for _ in range(count)]).clip(0, 255).astype(np.uint8)


def write_export(
    module: Exportable, kind: str, target: Path, images: np.ndarray, calibration: np.ndarray
) -> tuple[float, float]:
    """Write a file and read the images with it: the share read as TensorFlow does, and the logits' largest difference.

    Raises:
        UserError: as `export_run`; then the earlier file stays.
    """
    form, unfinished, earlier = (
        FORMATS[kind],
        make_hidden_path(target, "unfinished"),
        make_hidden_path(target, "earlier"),
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_path(unfinished)
    try:
        form.write(module, unfinished, calibration)
        same, difference = compare_outputs(
            run_in_batches(form.load(unfinished), images), run_in_batches(module.run_images, images)
        )
        if same < (1 if form.exact else MIN_INT8_AGREEMENT) or not (difference <= MAX_DIFFERENCE or not form.exact):
            raise UserError(
                f"{kind} reads {same:.1%} of {len(images)} images as TensorFlow does, and its outputs differ by up to "
                f"{difference:.2g}: not exported, choose another --format"
            )
        if target.is_dir():  # unlike a file, it can't be replaced
            _remove_path(earlier)  # of an export that was killed
            target.replace(earlier)
        unfinished.replace(target)
        _remove_path(earlier)
    finally:
        _remove_path(unfinished)
    return same, difference


def make_hidden_path(target: Path, word: str) -> Path:
    """A place of our own: the name is hidden, since a user may have called a file so."""
    return target.with_name(f".{word}-{target.name}")


def run_in_batches(call: Call, images: np.ndarray) -> Outputs:
    """Of any number of images."""
    parts = [call(images[start : start + BATCH_SIZE]) for start in range(0, len(images), BATCH_SIZE)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def compare_outputs(found: Outputs, expected: Outputs) -> tuple[float, float]:
    """The share of numbers that are read alike, and the largest difference in what else is said."""
    same = (found["number"] == expected["number"]).all(axis=1).mean()
    others = expected.keys() - {"number"}
    return float(same), float(np.max([np.abs(found[name] - expected[name]).max() for name in others]))


def _remove_path(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
