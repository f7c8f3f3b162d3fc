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
from svhn.pipeline import integrity
from svhn.pipeline.batches import make_evaluation_batches
from svhn.pipeline.boxes import compute_iou_and_giou
from svhn.publishing.formats import Call, Outputs
from svhn.run import Run
from svhn.runs.stored import open_run
from svhn.spec import Info

LOGITS = ("digits", "length")  # outputs of the networks' heads
CHECK_COUNT = 256  # images that an exported file is checked with
BATCH_SIZE = 64  # images per call in the check
# Runtimes round float32 differently: by up to 2e-4 on 2,999 house numbers, and by more on pictures unlike them.
MAX_DIFFERENCE = 1e-3
# Limits for files with rounded weights. Six networks, from 20 steps of training to the released ones, differed by a
# noise of 0.01, by 0.04 in a confidence, by no number that TensorFlow was sure of, and by an overlap of 0.991. Of the
# numbers that it was not sure of, where several are nearly as probable, up to a tenth was another.
SURE = 0.5  # least confidence of a number that TensorFlow is sure of
MIN_SURE_SAME = 0.98
MAX_CONFIDENCE_DIFFERENCE = 0.1
MAX_NOISE = 0.05
MIN_OVERLAP = 0.95


class Agreement(NamedTuple):
    """How far a file agrees with TensorFlow on the same images.

    Args:
        same: share of the images whose number is the same, 0 to 1.
        sure: the same share of the images that TensorFlow is sure of; 1 if there are none.
        difference: the largest difference in all outputs but the number.
        confidence: the largest difference in the probability of a number, of its digits, and that there is a number.
        noise: root mean square of the differences in a head's logits, as a share of their standard deviation.
        overlap: mean intersection over union of the boxes, 0 to 1; 1 for networks without boxes.
    """

    same: float
    sure: float
    difference: float
    confidence: float
    noise: float
    overlap: float

    def is_close(self, exact: bool) -> bool:
        """Whether the file can stand in for TensorFlow. NaN is neither below nor above a limit, and never close.

        Args:
            exact: whether the file computes in float32 as TensorFlow does.
        """
        if exact:
            return self.same == 1 and self.difference <= MAX_DIFFERENCE
        alike = self.sure >= MIN_SURE_SAME and self.confidence <= MAX_CONFIDENCE_DIFFERENCE
        return alike and self.noise <= MAX_NOISE and self.overlap >= MIN_OVERLAP and math.isfinite(self.difference)


def compare_outputs(found: Outputs, expected: Outputs) -> Agreement:
    """How far outputs agree with TensorFlow's, which have the names that `answers.make_answerer` gives them."""
    differences = {name: np.abs(found[name] - expected[name]) for name in expected.keys() - {"number"}}
    same = (found["number"] == expected["number"]).all(axis=1)
    sure = expected["confidence"] >= SURE
    read = expected["number"] >= 0  # a slot past the number's end has a digit, too, but nobody is shown it
    shown = [differences["confidence"], differences["digit_confidences"][read], differences.get("probability", [])]
    return Agreement(
        same=float(same.mean()),
        sure=float(same[sure].mean()) if sure.any() else 1.0,
        difference=float(np.max([values.max() for values in differences.values()])),
        confidence=float(np.max(np.concatenate(shown))),
        noise=max(_compute_noise(found[name], expected[name]) for name in LOGITS if name in expected),
        overlap=_compute_overlap(found["box"], expected["box"]) if "box" in expected else 1.0,
    )


def _compute_noise(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.sqrt(np.mean((found - expected) ** 2)) / max(np.std(expected), 1e-9))


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
