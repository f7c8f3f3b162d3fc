"""Charts of what confidences are worth, each returned as the bytes of a PNG file."""

from __future__ import annotations

from svhn.reporting import charts
from svhn.reporting.calibration import Calibration, CoverageCurve
from svhn.reporting.charts import BLUE, GRAY, ORANGE

MARKED_THRESHOLDS = (0.99, 0.95, 0.9, 0.8, 0.5, 0.0)  # of the confidence, on the curve of coverage
MARK_WIDTH = 0.06  # share of the horizontal axis that a mark's figure takes


def draw_reliability_diagram(calibration: Calibration) -> bytes:
    """The accuracy of readings by their confidence: a dot per bin, larger for more readings.

    On the diagonal, readings are right as often as their confidence promises.
    """
    figure, (axes,) = charts.create_figure(3.4)
    examples, right, confidence = calibration.sum_bins()
    filled = examples > 0
    axes.plot([0, 100], [0, 100], color=GRAY, linestyle=":", label="as sure as right")
    places, heights = 100 * confidence[filled] / examples[filled], 100 * right[filled] / examples[filled]
    axes.plot(places, heights, color=BLUE, linewidth=0.7, label="read")
    axes.scatter(places, heights, 5 + 300 * examples[filled] / examples.sum(), color=BLUE)
    axes.set(xlabel="confidence, %", ylabel="numbers right, %", xlim=(0, 101), ylim=(0, 101))
    axes.grid(alpha=0.25)
    axes.legend(fontsize=9, frameon=False)
    return charts.encode_figure(figure)


def draw_coverage_curve(curve: CoverageCurve, accuracy: float) -> bytes:
    """The accuracy of the most confident readings by the share that is kept, with a line at `accuracy`, 0 to 1.

    Some thresholds of the confidence are marked on the curve.
    """
    figure, (axes,) = charts.create_figure(3.4)
    shares, accuracies = 100 * curve.shares, 100 * curve.accuracies
    axes.plot(shares, accuracies, color=BLUE, marker=".", markersize=3)
    axes.axhline(100 * accuracy, color=ORANGE, linestyle=":", label=f"{100 * accuracy:g} %")
    for threshold, place in _choose_marks(curve):
        point = float(shares[place]), float(accuracies[place])
        axes.scatter(*point, 25, color=BLUE)
        axes.annotate(f"{threshold:g}", point, (0, 6), textcoords="offset points", size=8)
    axes.set(xlabel="share kept, from the confidence beside each dot on, %", ylabel="numbers right, %", xlim=(0, 101))
    axes.grid(alpha=0.25)
    axes.legend(fontsize=9, frameon=False)
    return charts.encode_figure(figure)


def _choose_marks(curve: CoverageCurve) -> list[tuple[float, int]]:
    """The thresholds to mark and their places on the curve, so far apart that their figures don't overlap."""
    marks: list[tuple[float, int]] = []
    for threshold in MARKED_THRESHOLDS:
        place = curve.find_place(threshold)
        if place is not None and (not marks or curve.shares[place] > curve.shares[marks[-1][1]] + MARK_WIDTH):
            marks.append((threshold, place))
    return marks
