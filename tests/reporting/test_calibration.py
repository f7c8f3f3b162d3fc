"""What confidences are worth, against figures worked out by hand and a sorted list."""

from __future__ import annotations

import numpy as np
import pytest

from svhn.reporting.calibration import BINS, STEPS, Calibration


def counted(confidences: np.ndarray, right: np.ndarray) -> Calibration:
    calibration = Calibration()
    for confidence, correct in zip(confidences.tolist(), right.tolist(), strict=True):
        calibration.add_reading(confidence, correct)
    return calibration


def test_the_error_is_the_mean_distance_of_accuracy_and_confidence() -> None:
    confidences = np.array([0.91, 0.93, 0.92, 0.94, 0.61, 0.63])
    right = np.array([True, True, True, False, True, False])
    high, low = abs(3 - (0.91 + 0.93 + 0.92 + 0.94)), abs(1 - (0.61 + 0.63))
    assert counted(confidences, right).compute_expected_error() == pytest.approx((high + low) / 6)


def test_who_is_right_as_often_as_confident_has_no_error() -> None:
    rng = np.random.default_rng(0)
    confidences = rng.uniform(size=40_000)
    honest = counted(confidences, rng.uniform(size=40_000) < confidences)
    assert honest.compute_expected_error() < 0.01
    boaster = counted(confidences, rng.uniform(size=40_000) < confidences**2)
    assert boaster.compute_expected_error() == pytest.approx(1 / 2 - 1 / 3, abs=0.01)


def test_chance_alone_gives_a_calibrated_reader_an_error() -> None:
    """That of one bin is the mean distance of a binomial share from its probability; many readings have hardly any."""
    few = counted(np.full(25, 0.8), np.full(25, True))
    expected = np.sqrt(0.8 * 0.2 / 25) * np.sqrt(2 / np.pi)
    assert few.compute_chance_error() == pytest.approx(expected, rel=0.1)
    confidences = np.random.default_rng(0).uniform(size=40_000)
    assert counted(confidences, confidences > 2).compute_chance_error() < 0.01
    assert Calibration().compute_chance_error() == 0


def test_one_wrong_below_two_right_leaves_two_thirds() -> None:
    calibration = counted(np.array([0.9, 0.5, 0.8]), np.array([True, False, True]))
    assert calibration.compute_coverage_curve().find_coverage(0.98) == pytest.approx(2 / 3)
    assert calibration.compute_coverage_curve().find_coverage(2 / 3) == 1
    shares, accuracies, thresholds = calibration.compute_coverage_curve()
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])
    assert accuracies == pytest.approx([1, 1, 2 / 3])
    assert thresholds == pytest.approx([0.9, 0.8, 0.5])


def test_what_was_not_answered_is_not_kept() -> None:
    curve = counted(np.array([0.9, 0.5, 0.8]), np.array([True, False, True])).compute_coverage_curve(total=4)
    assert curve.shares == pytest.approx([1 / 4, 2 / 4, 3 / 4])
    assert curve.accuracies == pytest.approx([1, 1, 2 / 3])


def test_a_wrong_one_on_top_can_be_made_up_for() -> None:
    confidences = np.concatenate([[0.999], np.linspace(0.5, 0.9, 99)])
    right = np.arange(100) > 0
    assert counted(confidences, right).compute_coverage_curve().find_coverage(0.98) == 1
    assert counted(confidences[:40], right[:40]).compute_coverage_curve().find_coverage(0.98) == 0


def test_coverage_is_that_of_a_sorted_list() -> None:
    rng = np.random.default_rng(1)
    steps = rng.permutation(STEPS)[:700]  # no two in one step
    confidences = (steps + 0.5) / STEPS
    right = rng.uniform(size=700) < 0.8 + 0.2 * confidences
    ordered = right[np.argsort(-confidences)]
    accuracies = np.cumsum(ordered) / np.arange(1, 701)
    for accuracy in (0.9, 0.95, 0.98):
        expected = (np.flatnonzero(accuracies >= accuracy).max(initial=-1) + 1) / 700
        assert counted(confidences, right).compute_coverage_curve().find_coverage(accuracy) == pytest.approx(expected)


def test_certainty_and_its_opposite_have_their_place() -> None:
    calibration = counted(np.array([0.0, 1.0]), np.array([False, True]))
    assert calibration.compute_expected_error() == 0
    assert calibration.examples[[0, -1]].tolist() == [1, 1]
    assert [part.shape for part in calibration.sum_bins()] == [(BINS,)] * 3


def test_nothing_was_read() -> None:
    assert Calibration().compute_expected_error() == 0
    assert Calibration().compute_coverage_curve().find_coverage(0.98) == 0
