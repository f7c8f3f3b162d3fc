"""A run as a file for another runtime: pixels in, number and confidence out; kept only if it reads alike there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from svhn import labels, pipeline, predict, records, runs, views
from svhn.config import Config, UserError
from svhn.evaluate import frozen
from svhn.formats import FORMATS, Exportable, Outputs
from svhn.losses import Network
from svhn.records import Info

PORTABLE = {"mixed_precision": False, "views": 1}  # what every runtime can follow
CHECKED = 256  # images
CALIBRATED = 1000  # images of train whose ranges int8 takes; with 100 to 300, it read 0.2 to 0.4 points less of valid
LOGITS_WITHIN = 1e-3  # other roundings of float32; 1e-4 on pictures like those of train
SAME_IN_INT8 = 0.9  # least share of numbers that are read as before


class Checked(NamedTuple):
    """How an exported file reads what TensorFlow has read.

    Args:
        images: how many and which.
        same: share of numbers that are read alike.
        difference: the logits' largest.
    """

    images: str
    same: float
    difference: float


def export(run: Path, given: Mapping[str, Any], checkpoint: str, records_dir: str, kind: str, target: Path) -> Checked:
    """Write a run's checkpoint as a file, or a folder, of that kind.

    Raises:
        UserError: the extra is missing, or records of train for int8, or it doesn't read as TensorFlow does.
    """
    model, config, info = predict.trained(run, {**given, **PORTABLE}, checkpoint)
    module = exportable(frozen(model), config, info)
    if (Path(records_dir) / config.dataset).is_dir():
        split = "valid" if records.read_info(records_dir, config.dataset).has("valid") else "test"
        source, images = f"images of {split}", sample(run, config.dataset, records_dir, split, CHECKED)
    else:
        source, images = "drawn images", drawn(info, CHECKED)
    calibration = images if FORMATS[kind].exact else sample(run, config.dataset, records_dir, "train", CALIBRATED)
    return Checked(f"{len(images)} {source}", *write(module, kind, target, images, calibration))


def exportable(network: Network, config: Config, info: Info) -> Exportable:
    """Of images, the logits at the run's temperature, and `number` (batch, max_length), its slots -1 past the end.

    `confidence` (batch,) is the number's, `digit_confidences` (batch, max_length) each digit's. A finder also says
    `box` (batch, 4), in shares of the image's width and height, and `probability` (batch,) that there is a number.
    """
    outputs = views.outputs(network, config, info)

    def read(images: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = outputs(images)
        number, confidence, digit_confidences = labels.decode(logits)
        found = {"probability": labels.presence(logits)} if "box" in logits else {}
        answer = {"number": number, "confidence": confidence, "digit_confidences": digit_confidences}
        return {**logits, **found, **answer}

    return Exportable(read, info)


def sample(run: Path, dataset: str, records_dir: str, split: str, count: int) -> np.ndarray:
    """The first images of a split, uint8 (…, height, width, channels).

    Raises:
        UserError: there are no such records, or they are of another form than the run's.
    """
    info = records.read_info(records_dir, dataset)
    config = runs.reopen(run, {}, info, "predict")
    batches = pipeline.evaluation_batches(config, info, records.open_split(records_dir, info, split))
    images = (batch["image"][batch["weight"] > 0] for batch in batches.take(-(-count // config.batch_size)))
    return np.concatenate(list(images))[:count]


def drawn(info: Info, count: int) -> np.ndarray:
    """The same of plain numbers, as noisy as photos, for who has no records."""
    rng, (height, width) = np.random.default_rng(0), info.size
    font = ImageFont.load_default(height / 2)

    def draw() -> np.ndarray:
        ground, ink = rng.integers(256, size=2).tolist()
        image = Image.new("L", (width, height), ground)
        ImageDraw.Draw(image).text((width / 2, height / 2), str(rng.integers(10**info.max_length)), ink, font, "mm")
        return np.asarray(image)[..., None] + rng.normal(0, 20, (height, width, info.channels))

    return np.stack([draw() for _ in range(count)]).clip(0, 255).astype(np.uint8)


def write(
    module: Exportable, kind: str, target: Path, images: np.ndarray, calibration: np.ndarray
) -> tuple[float, float]:
    """Write a file and read the images with it: the share read as TensorFlow does, and the logits' largest difference.

    Raises:
        UserError: as `export`; then the earlier file stays.
    """
    form, unfinished = FORMATS[kind], target.with_name("unfinished-" + target.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        form.write(module, unfinished, calibration)
        same, difference = compared(form.load(unfinished)(images), module, images)
        if same < (1 if form.exact else SAME_IN_INT8) or (form.exact and difference > LOGITS_WITHIN):
            raise UserError(
                f"{kind} reads {same:.1%} of {len(images)} images as TensorFlow does, its logits differ by up to "
                f"{difference:.2g}: not exported, choose another --format"
            )
        if target.is_dir():
            shutil.rmtree(target)
        unfinished.replace(target)
    finally:
        remove(unfinished)
    return same, difference


def compared(found: Outputs, module: Exportable, images: np.ndarray) -> tuple[float, float]:
    expected = {name: value.numpy() for name, value in module.images(tf.constant(images)).items()}
    same = (found["number"] == expected["number"]).all(axis=1).mean()
    heads = [head for head in ("digits", "length", "box") if head in expected]
    return float(same), max(float(np.abs(found[head] - expected[head]).max()) for head in heads)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
