"""What confidences are worth: how often readings of each confidence are right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

STEPS = 1000  # equal parts of the confidences from 0 to 1, fine enough for the coverage curve
BINS = 20  # equal parts for the calibration error; `STEPS` is a multiple
DRAWS = 1000  # of what a calibrated reader reads right


def _make_zeros() -> np.ndarray:
    return np.zeros(STEPS)


@dataclass(frozen=True)
class Calibration:
    """Sums over readings by their confidence, each float64 (STEPS,), from confidence 0 up to 1.

    Args:
        examples: number of readings.
        right: number of right readings.
        confidence: sum of the confidences.
    """

    examples: np.ndarray = field(default_factory=_make_zeros)
    right: np.ndarray = field(default_factory=_make_zeros)
    confidence: np.ndarray = field(default_factory=_make_zeros)

    def add_reading(self, confidence: float, right: bool) -> None:
        """Add a reading with a confidence from 0 to 1."""
        step = min(STEPS - 1, int(confidence * STEPS))
        self.examples[step] += 1
        self.right[step] += right
        self.confidence[step] += confidence

    def sum_bins(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Number of readings, of right readings, and sum of confidences in each bin, each float64 (BINS,)."""
        examples, right, confidence = (
            steps.reshape(BINS, -1).sum(axis=1) for steps in (self.examples, self.right, self.confidence)
        )
        return examples, right, confidence

    def compute_expected_error(self) -> float:
        """The expected calibration error, 0 to 1: the mean of |accuracy - confidence| over the readings' bins.

        Guo et al. 2017, arXiv 1706.04599.
        """
        examples, right, confidence = self.sum_bins()
        return float(np.abs(right - confidence).sum() / max(1, examples.sum()))

    def compute_chance_error(self) -> float:
        """The expected calibration error of a perfectly calibrated reader with the same confidences, by chance alone.

        It is the mean of `DRAWS` draws, in each of which a reading is right with the probability of its confidence.
        """
        rng, mean = np.random.default_rng(0), np.minimum(1, self.confidence / np.maximum(1, self.examples))
        draws = rng.binomial(self.examples.astype(np.int64), mean, (DRAWS, STEPS))
        errors = [Calibration(self.examples, right, self.confidence).compute_expected_error() for right in draws]
        return float(np.mean(errors))

    def compute_coverage_curve(self, total: int = 0) -> CoverageCurve:
        """The accuracy if only the most confident readings are kept.

        Args:
            total: number of examples, if some of them had no reading; 0 for the number of readings.
        """
        examples, right = (np.cumsum(steps[::-1]) for steps in (self.examples, self.right))
        filled = np.flatnonzero(self.examples[::-1])
        kept, thresholds = examples[filled], (STEPS - 1 - filled) / STEPS
        return CoverageCurve(kept / max(1, total, examples[-1]), right[filled] / kept, thresholds)


class CoverageCurve(NamedTuple):
    """What is kept of the readings at each threshold of their confidence, from the highest threshold to the lowest.

    Args:
        shares: share of the examples whose readings are kept, 0 to 1, float64 (thresholds,).
        accuracies: share of the kept readings that are right, 0 to 1, float64 (thresholds,).
        thresholds: least confidence of the kept readings, 0 to 1, float64 (thresholds,).
    """

    shares: np.ndarray
    accuracies: np.ndarray
    thresholds: np.ndarray

    def find_place(self, threshold: float) -> int | None:
        """The index of the lowest of `thresholds` from `threshold` on; None if no reading is as confident."""
        kept = np.flatnonzero(self.thresholds >= threshold)
        return int(kept[-1]) if len(kept) else None

    def find_coverage(self, accuracy: float) -> float:
        """The largest share that has at least this accuracy, both 0 to 1."""
        return float(max(self.shares[self.accuracies >= accuracy], default=0.0))
