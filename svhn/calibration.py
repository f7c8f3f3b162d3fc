"""Whether a model's confidence is the probability that it is right, counted in memory that doesn't grow."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

STEPS = 1000  # that confidences from 0 to 1 are told apart by
BINS = 20  # for the calibration error


def zeros() -> np.ndarray:
    return np.zeros(STEPS)


@dataclass(frozen=True)
class Calibration:
    """Sums by confidence, float64 (STEPS,), the least confident first: of examples, of right ones, of confidence."""

    examples: np.ndarray = field(default_factory=zeros)
    right: np.ndarray = field(default_factory=zeros)
    confidence: np.ndarray = field(default_factory=zeros)

    def add(self, confidence: float, right: bool) -> None:
        step = min(STEPS - 1, int(confidence * STEPS))
        self.examples[step] += 1
        self.right[step] += right
        self.confidence[step] += confidence

    def bins(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Examples, right ones and summed confidence in `BINS` of equal width, each float64 (BINS,)."""
        examples, right, confidence = (
            steps.reshape(BINS, -1).sum(axis=1) for steps in (self.examples, self.right, self.confidence)
        )
        return examples, right, confidence

    def error(self) -> float:
        """The expected calibration error, 0 to 1 (Guo et al. 2017, arXiv 1706.04599): mean |accuracy - confidence|."""
        examples, right, confidence = self.bins()
        return float(np.abs(right - confidence).sum() / max(1, examples.sum()))

    def kept(self) -> tuple[np.ndarray, np.ndarray]:
        """Accuracy of the most confident examples, by the share of all that they are: shares, accuracies."""
        examples, right = (np.cumsum(steps[::-1]) for steps in (self.examples, self.right))
        there = np.flatnonzero(self.examples[::-1])
        return examples[there] / max(1, examples[-1]), right[there] / examples[there]

    def coverage(self, accuracy: float) -> float:
        """The largest share of the examples that can be read at this accuracy, the most confident first."""
        shares, accuracies = self.kept()
        return float(max(shares[accuracies >= accuracy], default=0.0))
