"""How far an exported file agrees with TensorFlow: on which images, in which outputs, and how far it has to."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from svhn import records
from svhn.errors import UserError
from svhn.labels import EMPTY
from svhn.pipeline import integrity
from svhn.pipeline.batches import make_evaluation_batches
from svhn.pipeline.boxes import compute_iou_and_giou
from svhn.publishing.formats import Call, Outputs
from svhn.run import Run
from svhn.runs.stored import open_run
from svhn.spec import Info

CHECK_COUNT = 256  # images that an exported file is checked with
BATCH_SIZE = 64  # images per call in the check
# Runtimes round float32 differently: by up to 2e-4 on 2,999 house numbers, and by more on pictures unlike them.
MAX_DIFFERENCE = 1e-3
MIN_SAME = 0.98  # least share of numbers that a file with rounded weights has to read as TensorFlow does
MAX_CONFIDENCE_DIFFERENCE = 0.1  # between such a file's probabilities and TensorFlow's
MIN_OVERLAP = 0.95  # least mean overlap of such a file's boxes and TensorFlow's


class Agreement(NamedTuple):
    """How far two networks agree on the same images.

    Args:
        same: share of the images whose number is the same, 0 to 1.
        difference: the largest difference in all outputs but the number.
        confidence: the largest difference in the probability of a number, of its digits, and that there is a number.
        overlap: mean intersection over union of the boxes, 0 to 1; 1 for networks without boxes.
    """

    same: float
    difference: float
    confidence: float
    overlap: float

    def is_close(self, exact: bool) -> bool:
        """Whether the networks agree so far that one can stand in for the other.

        NaN in an output is neither below nor above a limit, and counts as no agreement.

        Args:
            exact: whether both compute in float32.
        """
        if exact:
            return self.same == 1 and self.difference <= MAX_DIFFERENCE
        close = self.confidence <= MAX_CONFIDENCE_DIFFERENCE and self.overlap >= MIN_OVERLAP
        return close and self.same >= MIN_SAME and math.isfinite(self.difference)


def compare_outputs(found: Outputs, expected: Outputs) -> Agreement:
    """How far outputs agree with the expected ones, which have the names that `answers.make_answerer` gives them."""
    differences = {name: np.abs(found[name] - expected[name]) for name in expected.keys() - {"number"}}
    read = expected["number"] != EMPTY  # a slot past the number's end has a digit, too, but nobody is shown it
    shown = [differences["confidence"], differences["digit_confidences"][read], differences.get("probability", [])]
    return Agreement(
        same=float((found["number"] == expected["number"]).all(axis=1).mean()),
        difference=float(np.max([values.max() for values in differences.values()])),
        confidence=float(np.max(np.concatenate(shown))),
        overlap=_compute_overlap(found["box"], expected["box"]) if "box" in expected else 1.0,
    )


def _compute_overlap(found: np.ndarray, expected: np.ndarray) -> float:
    iou, _ = compute_iou_and_giou(tf.constant(found), tf.constant(expected))
    return float(tf.reduce_mean(iou))


def run_in_batches(call: Call, images: np.ndarray) -> Outputs:
    """The outputs for any number of images, uint8 (images, height, width, channels), in batches."""
    parts = [call(images[start : start + BATCH_SIZE]) for start in range(0, len(images), BATCH_SIZE)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def choose_check_images(run: Run, records_dir: str) -> tuple[str, np.ndarray]:
    """Images for the check, and a name for them: images of valid, or else of test, or else drawn images.

    Someone who was given a run often has no records.
    """
    for split in ("valid", "test"):
        with suppress(UserError):
            return f"images of {split}", load_split_images(run, records_dir, split, CHECK_COUNT)
    return "drawn images", draw_plain_images(run.records, CHECK_COUNT)


def load_split_images(run: Run, records_dir: str, name: str, count: int) -> np.ndarray:
    """The first `count` images of a split, or all if there are fewer: uint8 (images, height, width, channels).

    Raises:
        UserError: the records are missing, damaged, or of another form than the run's.
    """
    info = records.read_info(records_dir, run.config.dataset)
    run, split = open_run(run.folder, {}, info, "score"), records.open_split(records_dir, info, name)
    batches = make_evaluation_batches(run, split).take(-(-count // run.config.batch_size))
    with integrity.explain_corruption(split):
        images = [batch["image"][batch["weight"] > 0] for batch in batches]
    return np.concatenate(images)[:count]


def draw_plain_images(info: Info, count: int) -> np.ndarray:
    """Drawn numbers with noise as in photos, for a check without records: uint8 (count, height, width, channels)."""
    rng, (height, width) = np.random.default_rng(0), info.size
    font = ImageFont.load_default(height / 2)

    def draw() -> np.ndarray:
        ground, ink = rng.integers(256, size=2).tolist()
        image = Image.new("L", (width, height), ground)
        text = "".join(map(str, rng.integers(10, size=rng.integers(1, info.max_length + 1))))
        ImageDraw.Draw(image).text((width / 2, height / 2), text, ink, font, "mm")
        return np.asarray(image)[..., None] + rng.normal(0, 20, (height, width, info.channels))

    return np.stack([draw() for _ in range(count)]).clip(0, 255).astype(np.uint8)
