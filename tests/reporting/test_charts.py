"""Charts: what is drawn, by the artists of a figure or by the PNG; for data of every kind, one class or one split."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from svhn.errors import UserError
from svhn.reporting import charts, confidence_charts
from svhn.reporting.calibration import Calibration

ROOT = Path(__file__).parents[2]
SCORES = {"digit_accuracy": 0.5, "sequence_accuracy": 0.25, "length_accuracy": 0.75, "slot_accuracy": 0.5, "loss": 3.0}
HISTORY: list[dict[str, Any]] = [
    {"step": 10, "seconds": 1.0, "train": SCORES, "valid": None},
    {"step": 20, "seconds": 2.0, "train": None, "valid": SCORES},
    {"step": 30, "seconds": 3.0, "train": SCORES, "valid": {**SCORES, "loss": 2.0, "sequence_accuracy": 1.0}},
]
DIGITS = np.tile(np.arange(10), (2, 1))


def size_of(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return image.size


def sure() -> Calibration:
    calibration = Calibration()
    for confidence in (0.2, 0.7, 0.7, 0.9):
        calibration.add_reading(confidence, confidence > 0.5)
    return calibration


def test_a_series_leaves_out_what_was_not_scored() -> None:
    assert charts.extract_series(HISTORY, "valid", "loss") == ([20, 30], [3.0, 2.0])
    assert charts.extract_series(HISTORY, "train", "sequence_accuracy") == ([10, 30], [25.0, 25.0])


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.draw_learning_curves(HISTORY, 30),
        lambda: charts.draw_learning_curves([], 30),
        lambda: charts.draw_checkpoint_scores(HISTORY, 20, {"sequence_accuracy": "numbers right"}),
        lambda: charts.draw_digit_histogram({"train": DIGITS, "test": DIGITS}),
        lambda: charts.draw_digit_histogram({"test": np.zeros((1, 10))}),
        lambda: charts.draw_length_histogram({"train": np.array([0, 5, 2]), "valid": np.array([0, 0, 0])}),
        lambda: charts.draw_confusion_matrix(np.zeros((10, 10), int)),
        lambda: charts.draw_confusion_matrix(np.eye(5, dtype=int) * 12345, first=1),
        lambda: confidence_charts.draw_reliability_diagram(sure()),
        lambda: confidence_charts.draw_coverage_curve(sure().compute_coverage_curve(), 0.98),
    ],
)
def test_charts_are_as_wide_as_a_column(draw: Callable[[], bytes]) -> None:
    width, height = size_of(draw())
    assert width == charts.FIGURE_WIDTH * charts.DPI
    assert 200 < height <= 1000


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures behind the charts that a test draws."""
    drawn: list[Any] = []
    encode = charts.encode_figure

    def encode_and_keep(figure: Any) -> bytes:
        drawn.append(figure)
        return encode(figure)

    monkeypatch.setattr(charts, "encode_figure", encode_and_keep)
    return drawn


def curves(axes: Any) -> dict[str, list[tuple[float, float]]]:
    """The points of each line, by its label."""
    return {line.get_label(): [tuple(point) for point in line.get_xydata().tolist()] for line in axes.lines}


def test_learning_curves_hold_both_splits_and_the_checkpoint(figures: list[Any]) -> None:
    charts.draw_learning_curves(HISTORY, 30)
    loss, right = (curves(axes) for axes in figures[0].axes)
    assert (loss["train"], loss["valid"]) == ([(10, 3), (30, 3)], [(20, 3), (30, 2)])
    assert (right["train"], right["valid"]) == ([(10, 25), (30, 25)], [(20, 25), (30, 100)])
    assert [x for x, _ in loss["checkpoint 30"]] == [x for x, _ in right["checkpoint 30"]] == [30, 30]


def test_scores_of_checkpoints_are_those_on_valid(figures: list[Any]) -> None:
    charts.draw_checkpoint_scores(HISTORY, 20, {"sequence_accuracy": "numbers", "digit_accuracy": "digits"})
    found = curves(figures[0].axes[0])
    assert found.keys() == {"numbers", "digits", "checkpoint 20"}
    assert (found["numbers"], found["digits"]) == ([(20, 25), (30, 100)], [(20, 50), (30, 50)])


def test_learning_rates_show_the_losses_their_mean_and_the_suggestion(figures: list[Any]) -> None:
    rates, losses = np.array([1e-3, 1e-2, 1e-1]), np.array([3.0, 1.0, 2.0])
    charts.draw_learning_rates(rates, losses, losses + 0.5, 2e-3)
    (axes,) = figures[0].axes
    found = curves(axes)
    assert found["a step's loss"] == list(zip(rates, losses, strict=True))
    assert found["running mean"] == list(zip(rates, losses + 0.5, strict=True))
    assert found["suggested: 0.002"][0][0] == 2e-3
    assert axes.get_xscale() == "log"


def test_a_confusion_matrix_is_colored_by_shares_and_names_counts(figures: list[Any]) -> None:
    charts.draw_confusion_matrix(np.array([[3, 1], [0, 0]]), first=1)
    (axes,) = figures[0].axes
    np.testing.assert_array_equal(axes.images[0].get_array(), [[0.75, 0.25], [0, 0]])
    assert {text.get_position(): text.get_text() for text in axes.texts} == {(0, 0): "3", (1, 0): "1"}
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [tick.get_text() for tick in ticks] == ["1", "2"]


def test_reliability_is_the_share_right_at_each_confidence(figures: list[Any]) -> None:
    confidence_charts.draw_reliability_diagram(sure())
    (axes,) = figures[0].axes
    assert curves(axes)["read"] == [pytest.approx(point) for point in ((20, 0), (70, 100), (90, 100))]
    np.testing.assert_allclose(axes.collections[0].get_sizes(), [80, 155, 80])  # 5 + 300 times 1, 2, 1 of 4


def test_coverage_ends_at_all_readings(figures: list[Any]) -> None:
    confidence_charts.draw_coverage_curve(sure().compute_coverage_curve(), 0.98)
    points = curves(figures[0].axes[0])
    assert points.pop("98 %")[0][1] == pytest.approx(98)
    ((*_, last),) = points.values()
    assert last == pytest.approx((100, 75))
    assert [text.get_text() for text in figures[0].axes[0].texts] == ["0.9", "0.5", "0"]


def test_histograms_hold_each_position_and_split(figures: list[Any]) -> None:
    charts.draw_digit_histogram({"train": DIGITS, "test": np.eye(2, 10, dtype=int)})
    heights = [[[bar.get_height() for bar in bars] for bars in axes.containers] for axes in figures[0].axes]
    train = (100 * np.arange(10) / 45).tolist()
    assert heights == [[train, [100.0 * (digit == place) for digit in range(10)]] for place in (0, 1)]


def test_the_histogram_grows_by_the_positions_that_are_used() -> None:
    one, two = (charts.draw_digit_histogram({"test": counts}) for counts in (DIGITS * [[1], [0]], DIGITS))
    assert size_of(one)[1] < size_of(two)[1]


def test_bars_are_shares_of_each_split() -> None:
    _, (axes,) = charts.create_figure(2.0)
    charts.draw_bars(axes, {"train": np.array([30, 10]), "test": np.array([1, 3])}, range(2))
    heights = [[bar.get_height() for bar in group] for group in axes.containers]  # pyright: ignore[reportGeneralTypeIssues]
    assert heights == [[75.0, 25.0], [25.0, 75.0]]


def test_drawing_leaves_no_global_state() -> None:
    program = """
import sys, numpy as np
from svhn.reporting import charts
assert not {"matplotlib", "tensorflow"} & sys.modules.keys()
charts.draw_confusion_matrix(np.eye(10, dtype=int))
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UserError, match=r"Matplotlib: .*pip install -e '\.\[report\]'"):
        charts.check_installed()


@pytest.mark.parametrize(("none", "places"), [(0, range(1, 4)), (5, range(4))])
def test_lengths_begin_at_none_where_pictures_have_none(
    none: int, places: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[list[int], range]] = []
    monkeypatch.setattr(charts, "draw_bars", lambda _axes, counts, at: drawn.append((counts["train"].tolist(), at)))
    monkeypatch.setattr(charts, "add_legend", lambda figure: figure)
    charts.draw_length_histogram({"train": np.array([none, 3, 2, 1])})
    assert drawn == [([none, 3, 2, 1][places.start :], places)]
