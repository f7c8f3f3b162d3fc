"""Charts of a run and of its data, each returned as the bytes of a PNG file.

Matplotlib is an optional package, so it is imported when a chart is drawn. Figures are made without pyplot, which keeps
global state and may open windows.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from svhn.errors import UserError, suggest_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


FIGURE_WIDTH = 5.0  # inches: on a phone's screen, a point of text is then about a pixel
DPI = 200
BLUE, ORANGE, GREEN, GRAY = "#2563b0", "#d9700a", "#2e8b57", "#888888"
TRAIN_COLOR, OTHER_COLOR = ORANGE, BLUE  # of train and of the split beside it, the same in all charts
History = Sequence[Mapping[str, Any]]  # what `stored.read_history` returns: one entry per checkpoint


def create_figure(height: float, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with axes below one another.

    Args:
        height: of the figure, in inches.
        rows: number of axes.

    Raises:
        UserError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError(f"charts need Matplotlib: {suggest_extra('report')}") from error
    figure = Figure((FIGURE_WIDTH, height), facecolor="white", layout="constrained")
    axes = list(figure.subplots(rows, squeeze=False)[:, 0])
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.tick_params(labelsize=9)
    return figure, axes


def check_installed() -> None:
    """Raises `UserError` if Matplotlib is not installed: a check before work that takes time."""
    create_figure(1.0)


def encode_figure(figure: Figure) -> bytes:
    """The content of a PNG file."""
    encoded = io.BytesIO()
    figure.savefig(encoded, format="png", dpi=DPI)
    return encoded.getvalue()


def draw_digit_histogram(counts: Mapping[str, np.ndarray]) -> bytes:
    """Bars of the digits' frequencies, one chart per position.

    Args:
        counts: counts of digits by split, (max_length, 10); positions that no label has are left out.
    """
    used = [position for position, row in enumerate(np.sum(list(counts.values()), axis=0)) if row.sum()]
    figure, axes = create_figure(0.5 + 1.3 * max(1, len(used)), max(1, len(used)))
    for each, position in zip(axes, used, strict=False):
        draw_bars(each, {split: table[position] for split, table in counts.items()}, range(10))
        each.set_ylabel(f"digit {position + 1}\n% of labels" if len(used) > 1 else "% of labels", fontsize=9)
    axes[-1].set_xlabel("digit", fontsize=9)
    return encode_figure(add_legend(figure))


def draw_length_histogram(counts: Mapping[str, np.ndarray]) -> bytes:
    """Bars of the lengths' frequencies.

    Args:
        counts: counts of lengths by split, (lengths,), that of longer numbers last; it is left out if there are none.
    """
    figure, (axes,) = create_figure(2.4)
    first = 0 if any(row[0] for row in counts.values()) else 1  # length 0 means no number; few data sets have it
    end = max(map(len, counts.values())) - (not any(row[-1] for row in counts.values()))
    draw_bars(axes, {split: row[first:end] for split, row in counts.items()}, range(first, end))
    axes.set_xlabel("length", fontsize=9)
    axes.set_ylabel("% of labels", fontsize=9)
    return encode_figure(add_legend(figure))


def add_legend(figure: Figure) -> Figure:
    """Add a legend above the axes, where it hides no bar; returns the figure."""
    entries = figure.axes[0].get_legend_handles_labels()
    figure.legend(*entries, loc="outside upper right", ncols=2, fontsize=9, frameon=False)
    return figure


def draw_bars(axes: Axes, counts: Mapping[str, np.ndarray], places: Sequence[int]) -> None:
    """Draw the bars of several splits side by side, in percent of each split's total.

    Args:
        axes: where to draw.
        counts: counts by split, (len(places),).
        places: the values on the horizontal axis.
    """
    width = 0.8 / len(counts)
    for index, (split, row) in enumerate(counts.items()):
        shift = (index - (len(counts) - 1) / 2) * width
        color = TRAIN_COLOR if split == "train" else OTHER_COLOR
        axes.bar(np.array(places) + shift, 100 * row / max(1, row.sum()), width, label=split, color=color)
    axes.set_xticks(places)


def draw_learning_curves(history: History, step: int) -> bytes:
    """Loss and share of numbers read right on train and valid, with a line at the reported checkpoint's step."""
    figure, axes = create_figure(5.0, 2)
    for each, score, title in zip(axes, ("loss", "sequence_accuracy"), ("loss", "numbers right, %"), strict=True):
        for split, color in (("train", TRAIN_COLOR), ("valid", OTHER_COLOR)):
            steps, values = extract_series(history, split, score)
            each.plot(steps, values, color=color, label=split, marker="o", markersize=3)
        _mark_checkpoint(each, step)
        each.set_ylabel(title, fontsize=9)
    _finish_curves(axes)
    return encode_figure(figure)


def draw_checkpoint_scores(history: History, step: int, names: Mapping[str, str]) -> bytes:
    """Scores on valid of all checkpoints, with a line at the reported checkpoint's step.

    Args:
        history: one entry per checkpoint.
        step: the reported checkpoint's.
        names: keys of the scores to draw, and their names in the legend; at most three.
    """
    figure, (axes,) = create_figure(3.0)
    for (score, name), color in zip(names.items(), (BLUE, ORANGE, GREEN), strict=False):
        steps, values = extract_series(history, "valid", score)
        axes.plot(steps, values, color=color, label=name, marker="o", markersize=3)
    _mark_checkpoint(axes, step)
    axes.set_ylabel("% of valid", fontsize=9)
    _finish_curves([axes])
    return encode_figure(figure)


def draw_learning_rates(rates: np.ndarray, losses: np.ndarray, smoothed: np.ndarray, suggestion: float) -> bytes:
    """The loss at each learning rate, its running mean, and a line at the suggested rate.

    Args:
        rates, losses, smoothed: learning rates, their losses and the running mean of the losses, float64 (steps,).
        suggestion: the suggested learning rate.
    """
    figure, (axes,) = create_figure(3.0)
    axes.semilogx(rates, losses, color=GRAY, linewidth=0.7, label="a step's loss")
    axes.semilogx(rates, smoothed, color=BLUE, label="running mean")
    axes.axvline(suggestion, color=ORANGE, linestyle=":", label=f"suggested: {suggestion:.2g}")
    low, high = smoothed.min(), smoothed[0]  # the losses of a diverging end would squeeze the rest into a line
    axes.set_ylim(low - 0.2 * (high - low), high + 0.5 * (high - low))
    axes.set_xlabel("learning rate", fontsize=9)
    axes.set_ylabel("loss", fontsize=9)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=9, frameon=False)
    return encode_figure(figure)


def extract_series(history: History, split: str, score: str) -> tuple[list[int], list[float]]:
    """The steps at which the split was scored, and its scores: accuracies in percent, the loss as it is."""
    scored = [entry for entry in history if entry.get(split)]
    scale = 1.0 if score == "loss" else 100.0
    return [entry["step"] for entry in scored], [scale * entry[split][score] for entry in scored]


def _mark_checkpoint(axes: Axes, step: int) -> None:
    axes.axvline(step, color=GRAY, linestyle=":", label=f"checkpoint {step}")


def _finish_curves(axes: Sequence[Axes]) -> None:
    from matplotlib.ticker import MaxNLocator

    for each in axes:
        each.grid(alpha=0.25)
        each.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes[-1].set_xlabel("step", fontsize=9)
    axes[0].legend(fontsize=9, frameon=False)


def draw_confusion_matrix(counts: np.ndarray, first: int = 0) -> bytes:
    """A confusion matrix: counts, colored by their share of the row.

    Args:
        counts: rows are what is there, columns what was read, (n, n).
        first: the digit or length of the first row and column.
    """
    size = len(counts)
    figure, (axes,) = create_figure(FIGURE_WIDTH if size > 7 else 0.6 + 0.6 * size)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=9)
    axes.set(xlabel="read", ylabel="true")
    axes.set_xticks(range(size), [str(first + place) for place in range(size)])
    axes.set_yticks(range(size), [str(first + place) for place in range(size)])
    return encode_figure(figure)
