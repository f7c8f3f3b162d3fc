"""What a model's readings of a split say about it, gathered in one pass; and which labels a split has."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from svhn.labels import NUM_CLASSES
from svhn.records import Split, make_features

if TYPE_CHECKING:
    from svhn.evaluation.score import Prediction


SMALLEST_FLOAT = float(np.finfo(np.float32).tiny)  # a probability below it may have become 0
BLOCK = 1024  # records parsed at once


@dataclass(frozen=True)
class Findings:
    """What was read in the examples of a split.

    Args:
        examples: how many there are.
        right: how many numbers were read right.
        digits: int64 (10, 10), true by read; of the numbers whose length was read right.
        lengths: int64 (max_length + 1, max_length + 1), true by read.
        right_by_length: int64 (max_length + 1,), how many numbers of each true length were read right.
        calibration: how sure the readings were, and how often right.
        samples: the first predictions.
        worst: wrong predictions, the surest of the wrong number over the right one first.
    """

    examples: int
    right: int
    digits: np.ndarray
    lengths: np.ndarray
    right_by_length: np.ndarray
    calibration: Calibration
    samples: list[Prediction]
    worst: list[Prediction]

    @property
    def example(self) -> Prediction | None:
        """The prediction whose feature maps are shown: the first one, None where the split is empty."""
        return self.samples[0] if self.samples else None


class LabelCounts(NamedTuple):
    """How often labels have a digit at a position, int64 (max_length, 10), and a length, int64 (max_length + 1,)."""

    digits: np.ndarray
    lengths: np.ndarray


@dataclass
class WorstErrors:
    """The `size` errors that the model was surest of, the least sure on top of the heap."""

    size: int
    heap: list[tuple[float, int, Prediction]] = field(default_factory=list)

    def add_error(self, index: int, prediction: Prediction) -> None:
        heapq.heappush(
            self.heap, (_compute_log_ratio(prediction), -index, prediction)
        )  # of equals, the earlier one is kept
        if len(self.heap) > self.size:
            heapq.heappop(self.heap)

    def list_worst_first(self) -> list[Prediction]:
        return [prediction for *_, prediction in sorted(self.heap, key=lambda item: item[:2], reverse=True)]


def analyze_predictions(
    predictions: Iterable[Prediction], max_length: int, worst: int = 12, samples: int = 60
) -> Findings:
    """Count and sort what was read, in memory that doesn't grow with the examples.

    Args:
        max_length: digits of the longest number.
        worst: errors to keep.
        samples: predictions to keep, from the first on.
    """
    digits, lengths = (np.zeros((size, size), np.int64) for size in (NUM_CLASSES, max_length + 1))
    right_by_length, calibration = np.zeros(max_length + 1, np.int64), Calibration()
    count = 0
    errors, first = WorstErrors(worst), []
    for count, prediction in enumerate(predictions, start=1):
        _count_prediction(digits, lengths, prediction)
        right = prediction.reading.text == prediction.label
        right_by_length[len(prediction.label)] += right
        calibration.add_reading(prediction.reading.confidence, right)
        if not right:
            errors.add_error(count, prediction)
        if len(first) < samples:
            first.append(prediction)
    total = int(right_by_length.sum())
    return Findings(count, total, digits, lengths, right_by_length, calibration, first, errors.list_worst_first())


def _count_prediction(digits: np.ndarray, lengths: np.ndarray, prediction: Prediction) -> None:
    true, read = prediction.label, prediction.reading.text
    lengths[len(true), len(read)] += 1
    if len(true) == len(read):
        for pair in zip(true, read, strict=True):
            digits[int(pair[0]), int(pair[1])] += 1


def _compute_log_ratio(prediction: Prediction) -> float:
    """How much more probable the model thinks its reading than the label: the logarithm of the ratio."""
    read, true = (max(value, SMALLEST_FLOAT) for value in (prediction.reading.confidence, prediction.label_confidence))
    return math.log(read) - math.log(true)


def list_labels(split: Split) -> Iterator[tuple[str, str]]:
    """The name and the label of each example of a split; pictures are not decoded."""
    every = make_features()
    features = {key: every[key] for key in ("name", "digits")}
    for block in tf.data.TFRecordDataset([str(path) for path in split.paths]).batch(BLOCK):
        parsed = tf.io.parse_example(block, features)
        for name, digits in zip(parsed["name"].numpy(), parsed["digits"].to_list(), strict=True):
            yield name.decode(), "".join(map(str, digits))


def count_labels(labels: Iterable[str], max_length: int) -> LabelCounts:
    counts = LabelCounts(np.zeros((max_length, NUM_CLASSES), np.int64), np.zeros(max_length + 1, np.int64))
    for label in labels:
        counts.lengths[len(label)] += 1
        for position, digit in enumerate(label):
            counts.digits[position, int(digit)] += 1
    return counts


STEPS = 1000  # that confidences from 0 to 1 are told apart by
BINS = 20  # for the calibration error


def _make_zeros() -> np.ndarray:
    return np.zeros(STEPS)


@dataclass(frozen=True)
class Calibration:
    """Sums by confidence, float64 (STEPS,), the least confident first: of examples, of right ones, of confidence."""

    examples: np.ndarray = field(default_factory=_make_zeros)
    right: np.ndarray = field(default_factory=_make_zeros)
    confidence: np.ndarray = field(default_factory=_make_zeros)

    def add_reading(self, confidence: float, right: bool) -> None:
        step = min(STEPS - 1, int(confidence * STEPS))
        self.examples[step] += 1
        self.right[step] += right
        self.confidence[step] += confidence

    def sum_bins(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Examples, right ones and summed confidence in `BINS` of equal width, each float64 (BINS,)."""
        examples, right, confidence = (
            steps.reshape(BINS, -1).sum(axis=1) for steps in (self.examples, self.right, self.confidence)
        )
        return examples, right, confidence

    def compute_expected_error(self) -> float:
        """The expected calibration error, 0 to 1 (Guo et al. 2017, arXiv 1706.04599): mean |accuracy - confidence|."""
        examples, right, confidence = self.sum_bins()
        return float(np.abs(right - confidence).sum() / max(1, examples.sum()))

    def compute_coverage_curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Accuracy of the most confident examples, by the share of all that they are: shares, accuracies."""
        examples, right = (np.cumsum(steps[::-1]) for steps in (self.examples, self.right))
        there = np.flatnonzero(self.examples[::-1])
        return examples[there] / max(1, examples[-1]), right[there] / examples[there]

    def compute_coverage(self, accuracy: float) -> float:
        """The largest share of the examples that can be read at this accuracy, the most confident first."""
        shares, accuracies = self.compute_coverage_curve()
        return float(max(shares[accuracies >= accuracy], default=0.0))
