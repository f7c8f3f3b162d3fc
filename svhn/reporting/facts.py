"""The facts that a report shows, and the head of its page: a summary, tiles of scores and the recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from svhn.config import Config, list_options
from svhn.reporting.html import Table, Tile
from svhn.spec import Info

if TYPE_CHECKING:
    from svhn.reporting.analysis import Findings, LabelCounts
    from svhn.run import Run

SPLIT_NOTES = {
    "valid": "held back from training; the best checkpoint was chosen by them, so these scores are a little too good",
    "test": "used neither to train nor to choose a checkpoint",
}
SCORE_NAMES = {
    "sequence_accuracy": "numbers right",
    "digit_accuracy": "digits right",
    "length_accuracy": "lengths right",
}


@dataclass(frozen=True)
class Facts:
    """Everything that a page shows.

    Args:
        run: the run.
        split: name of the split that was read.
        step: step of the checkpoint.
        best_step: step of the checkpoint that is best on valid; None if no checkpoint was scored on valid.
        parameters: number of the network's parameters.
        scores: scores on the split, as `metrics.compute_scores` returns them.
        findings: what was read right and wrong.
        labels: counts of the labels of the split and, if its records are at hand, of train, by name.
        history: one entry per checkpoint, as `stored.read_history` returns them.
        maps: feature maps of `findings.example` by layer, float32 (height, width, filters).
    """

    run: Run
    split: str
    step: int
    best_step: int | None
    parameters: int
    scores: Mapping[str, float]
    findings: Findings
    labels: Mapping[str, LabelCounts]
    history: Sequence[Mapping[str, Any]]
    maps: Mapping[str, np.ndarray]


def summarize_run(facts: Facts) -> str:
    info, config = facts.run.records, facts.run.config
    height, width = info.size
    digits = f"{'' if info.fixed_length else 'up to '}{format_count(info.max_length, 'digit')}"
    best = ", the best on valid" if facts.step == facts.best_step else ""
    return (
        f"Model {config.model} with {facts.parameters:,} parameters, on the data set {info.dataset}: "
        f"{width} x {height} pixels, numbers of {digits}. Checkpoint {facts.step}{best}. "
        f"Split {facts.split}: {format_count(facts.findings.examples, 'example')}, {SPLIT_NOTES[facts.split]}."
    )


def build_tiles(facts: Facts) -> list[Tile]:
    shown = select_scores(facts.run.records)
    accuracies = [Tile(f"{100 * facts.scores[score]:.2f}%", name) for score, name in shown.items()]
    right = Tile(f"{facts.findings.right:,}", f"of {format_count(facts.findings.examples, 'number')} read right")
    return [*accuracies, Tile(f"{facts.scores['loss']:.4f}", "loss"), right]


def select_scores(info: Info) -> dict[str, str]:
    """Names of the scores by key, without scores that mean nothing for these numbers.

    Of numbers with one length, the length is always right; of single digits, numbers and digits are the same.
    """
    left_out = {"length_accuracy"} if info.fixed_length else set()
    left_out |= {"digit_accuracy"} if info.fixed_length and info.max_length == 1 else set()
    return {score: name for score, name in SCORE_NAMES.items() if score not in left_out}


def build_recipe_table(config: Config) -> Table:
    rows = list_options(config)
    changed = ", ".join(f"{name}={value}" for name, value, default in rows if default)
    return Table(f"Recipe: {changed or 'all options have their defaults'}", ("option", "value", "default"), rows)


def format_count(count: int, noun: str, plural: str = "") -> str:
    """`1 number` or `2 numbers`; `plural` is the noun's, if that does not just end in s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
