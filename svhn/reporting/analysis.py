"""Counts over a split: what a model read right and wrong, how confident it was, and which labels the split has."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from svhn.labels import NO_NUMBER, NUM_CLASSES, TRUNCATED_TEXT, Prediction
from svhn.records import Split, make_features
from svhn.reporting.calibration import Calibration

SMALLEST_FLOAT = float(np.finfo(np.float32).tiny)  # stands in for probabilities that float32 rounds to 0
BLOCK = 1024  # records parsed in one call, which is faster than one at a time


@dataclass(frozen=True)
class Findings:
    """Counts and examples of what was read in a split.

    Args:
        examples: number of examples.
        right: number of numbers that were read right.
        digits: counts of true digits (rows) read as digits (columns), int64 (10, 10), over the numbers whose length was
            read right: only their digits can be paired.
        lengths: counts of true lengths (rows) read as lengths (columns), int64 (max_length + 2, max_length + 2). The
            last one is of numbers that are longer.
        right_by_length: numbers read right, by true length, int64 (max_length + 2,).
        calibration: how often readings of each confidence were right. Examples without an answer are not in it.
        samples: the first predictions of the split.
        worst: wrong readings, ordered by how much more probable the wrong number seemed than the right one, or by
            their confidence if the probability of the right one is unknown.
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
    def answered(self) -> int:
        """Number of examples in which a number was read, right or wrong."""
        return int(self.calibration.examples.sum())

    @property
    def example(self) -> Prediction | None:
        """The prediction whose feature maps are shown: the first one, None where the split is empty."""
        return self.samples[0] if self.samples else None


class LabelCounts(NamedTuple):
    """Counts of a split's labels.

    Args:
        digits: how often each digit occurs at each position, int64 (max_length, 10).
        lengths: how often each length occurs, int64 (max_length + 2,). The last one is of numbers that are longer.
    """

    digits: np.ndarray
    lengths: np.ndarray


@dataclass
class WorstErrors:
    """The `size` worst errors so far: the ratio of the wrong number's probability to the label's is the largest.

    A label's unknown probability counts as 1.

    The heap's first item has the smallest ratio and is dropped next.
    """

    size: int
    heap: list[tuple[float, int, Prediction]] = field(default_factory=list)

    def add_error(self, index: int, prediction: Prediction) -> None:
        # The negative index keeps the earlier of two equal errors, and settles ties before predictions are compared.
        heapq.heappush(self.heap, (_compute_log_ratio(prediction), -index, prediction))
        if len(self.heap) > self.size:
            heapq.heappop(self.heap)

    def list_worst_first(self) -> list[Prediction]:
        return [prediction for *_, prediction in sorted(self.heap, key=lambda item: item[:2], reverse=True)]


def analyze_predictions(
    predictions: Iterable[Prediction], max_length: int, worst: int = 12, samples: int = 60
) -> Findings:
    """Count and sort predictions, in memory that does not grow with their number.

    Args:
        predictions: the predictions of a split, in order.
        max_length: digits of the longest number.
        worst: number of worst errors to keep.
        samples: number of first predictions to keep.
    """
    digits, lengths = (np.zeros((size, size), np.int64) for size in (NUM_CLASSES, max_length + 2))
    right_by_length, calibration = np.zeros(max_length + 2, np.int64), Calibration()
    count = 0
    errors, first = WorstErrors(worst), []
    for count, prediction in enumerate(predictions, start=1):
        _count_prediction(digits, lengths, prediction, max_length)
        right = prediction.reading.shown == prediction.label
        right_by_length[_count_digits(prediction.label, max_length)] += right
        if prediction.reading != NO_NUMBER:
            calibration.add_reading(prediction.reading.confidence, right)
            if not right:
                errors.add_error(count, prediction)
        if len(first) < samples:
            first.append(prediction)
    total = int(right_by_length.sum())
    return Findings(count, total, digits, lengths, right_by_length, calibration, first, errors.list_worst_first())


def _count_digits(text: str, max_length: int) -> int:
    return max_length + 1 if text == TRUNCATED_TEXT else min(len(text), max_length + 1)


def _count_prediction(digits: np.ndarray, lengths: np.ndarray, prediction: Prediction, max_length: int) -> None:
    true, read = prediction.label, prediction.reading.shown
    counts = _count_digits(true, max_length), _count_digits(read, max_length)
    lengths[counts] += 1
    if counts[0] == counts[1] <= max_length:
        for pair in zip(true, read, strict=True):
            digits[int(pair[0]), int(pair[1])] += 1


def _compute_log_ratio(prediction: Prediction) -> float:
    """Logarithm of the ratio of two predicted probabilities: the reading's to the label's."""
    known = 1.0 if prediction.label_confidence is None else prediction.label_confidence
    read, true = (max(value, SMALLEST_FLOAT) for value in (prediction.reading.confidence, known))
    return math.log(read) - math.log(true)


def list_labels(split: Split) -> Iterator[tuple[str, str]]:
    """The name and the label of each example of a split, in order. Pictures are not decoded."""
    import tensorflow as tf  # a report on photos is written without it

    every = make_features()
    features = {key: every[key] for key in ("name", "digits")}
    for block in tf.data.TFRecordDataset([str(path) for path in split.paths]).batch(BLOCK):
        parsed = tf.io.parse_example(block, features)
        for name, digits in zip(parsed["name"].numpy(), parsed["digits"].to_list(), strict=True):
            yield name.decode(), "".join(map(str, digits))


def count_labels(labels: Iterable[str], max_length: int) -> LabelCounts:
    """Count the digits at each position and the lengths of labels such as "210"."""
    counts = LabelCounts(np.zeros((max_length, NUM_CLASSES), np.int64), np.zeros(max_length + 2, np.int64))
    for label in labels:
        counts.lengths[_count_digits(label, max_length)] += 1
        for position, digit in enumerate(label[:max_length]):
            counts.digits[position, int(digit)] += 1
    return counts
