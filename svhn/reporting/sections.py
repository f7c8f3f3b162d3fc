"""What a report's page says: a section for each thing that a run can be asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from svhn.config import Config
from svhn.reporting import charts, sheets
from svhn.reporting.html import Card, Chart, Page, Section, Table, Tile

if TYPE_CHECKING:
    from svhn.evaluation.score import Prediction
    from svhn.reporting.analysis import Findings, LabelCounts
    from svhn.spec import Info


SPLITS = {
    "valid": "held back from training; they chose the best checkpoint, so the scores here flatter it a little",
    "test": "neither trained on nor used to choose a checkpoint",
}
NAMES = {"sequence_accuracy": "numbers right", "digit_accuracy": "digits right", "length_accuracy": "lengths right"}
CURVES = (
    "Train's scores are of augmented pictures, with dropout and the weights as they were at each step; valid's are "
    "without dropout, as every evaluation is, and of the averaged weights. So train may be the worse of the two; where "
    "valid grows worse while train grows better, the network overfits."
)
MISTAKES = 5  # the commonest of them, in words
ACCURACY = 0.98  # as sure as a person who reads house numbers (Goodfellow et al. 2014, arXiv 1312.6082)


@dataclass(frozen=True)
class Facts:
    """All that a page is made of.

    Args:
        split: name of the split that was read.
        step: the checkpoint's.
        best_step: of the checkpoint that is best on valid; None where none is marked.
        parameters: of the network.
        scores: on the split, as `metrics.compute_scores`.
        labels: of train and of the split, by name.
        history: as `runs.history`.
        maps: of each convolution for `findings.example`, float32 (height, width, filters).
    """

    name: str
    config: Config
    info: Info
    split: str
    step: int
    best_step: int | None
    parameters: int
    scores: Mapping[str, float]
    findings: Findings
    labels: Mapping[str, LabelCounts]
    history: Sequence[Mapping[str, Any]]
    maps: Mapping[str, np.ndarray]


def page(facts: Facts) -> Page:
    parts = [samples, errors, confusions, confidence, training, label_histograms, feature_maps]
    sections = [found for part in parts if (found := part(facts))]
    return Page(
        f"{facts.name}: report on {facts.split}", summary(facts), tiles(facts), [recipe(facts.config)], sections
    )


def summary(facts: Facts) -> str:
    info, config = facts.info, facts.config
    height, width = info.size
    digits = f"{'' if info.fixed_length else 'up to '}{plural(info.max_length, 'digit')}"
    best = ", the best on valid" if facts.step == facts.best_step else ""
    return (
        f"Model {config.model} with {facts.parameters:,} parameters, on the data set {info.dataset}: "
        f"{width} x {height} pixels, numbers of {digits}. Checkpoint {facts.step}{best}. "
        f"Split {facts.split}: {plural(facts.findings.examples, 'example')}, {SPLITS[facts.split]}."
    )


def tiles(facts: Facts) -> list[Tile]:
    accuracies = [Tile(f"{100 * facts.scores[score]:.2f}%", name) for score, name in shown_scores(facts.info).items()]
    right = Tile(f"{facts.findings.right:,}", f"of {plural(facts.findings.examples, 'number')} read right")
    return [*accuracies, Tile(f"{facts.scores['loss']:.4f}", "loss"), right]


def shown_scores(info: Info) -> dict[str, str]:
    """The scores that say something of such numbers, and what to call them."""
    left_out = {"length_accuracy"} if info.fixed_length else set()
    left_out |= {"digit_accuracy"} if info.fixed_length and info.max_length == 1 else set()
    return {score: name for score, name in NAMES.items() if score not in left_out}


def recipe(config: Config) -> Table:
    fields = [(field.name, getattr(config, field.name), field.default) for field in dataclasses.fields(config)]
    changed = ", ".join(f"{name}={value}" for name, value, default in fields if value != default)
    rows = [(name, str(value), "" if value == default else str(default)) for name, value, default in fields]
    return Table(f"Recipe: {changed or 'all options have their defaults'}", ("option", "value", "default"), rows)


def samples(facts: Facts) -> Section:
    shown = facts.findings.samples
    text = f"The first {len(shown)} of {facts.findings.examples:,}, with what was read and how sure that was."
    return Section("Samples", f"{text} Wrong ones are framed in red.", [sample_card(each) for each in shown])


def sample_card(prediction: Prediction) -> Card:
    reading, label = prediction.reading, prediction.label
    read = f"{reading.text or 'none'} {100 * reading.confidence:.0f}%"
    wrong = reading.text != label
    return Card(to_png(prediction), (read, f"is {label or 'none'}") if wrong else (read,), wrong=wrong)


def errors(facts: Facts) -> Section:
    wrong, worst = facts.findings.examples - facts.findings.right, facts.findings.worst
    if not worst:
        return Section("Worst errors", f"None: all of {plural(facts.findings.examples, 'number')} were read right.")
    chosen = "those where the model was surest of the wrong number over the right one"
    text = f"{len(worst)} of {plural(wrong, 'error')}: {chosen}."
    return Section("Worst errors", text, [error_card(each) for each in worst], large=True)


def error_card(prediction: Prediction) -> Card:
    read = f"read {prediction.reading.text or 'none'} {percent(prediction.reading.confidence)}"
    true = f"is {prediction.label or 'none'} {percent(prediction.label_confidence)}"
    return Card(to_png(prediction), (read, true), prediction.name, wrong=True)


def confusions(facts: Facts) -> Section:
    findings, varying = facts.findings, not facts.info.fixed_length
    drawn = [Chart("confusion-digits", "Digits", charts.confusion(findings.digits))]
    text = "Rows: what is there; columns: what was read; coloured by the share of the row."
    if varying:
        text += " Digits are those of numbers whose length was read right."
        first = 1 - int(findings.lengths[:, 0].any())  # that nothing is read is rare
        lengths = charts.confusion(findings.lengths[first:, first:], first)
        drawn.append(Chart("confusion-lengths", "Lengths", lengths))
    tables = [by_length(findings)] if varying else []
    return Section("Confusions", text + commonest(findings.digits), charts=drawn, tables=tables)


def by_length(findings: Findings) -> Table:
    counts = zip(findings.right_by_length.tolist(), findings.lengths.sum(axis=1).tolist(), strict=True)
    rows = [
        (str(length), f"{total:,}", f"{right:,}", f"{100 * right / total:.2f}%")
        for length, (right, total) in enumerate(counts)
        if total
    ]
    return Table("Numbers right by length", ("length", "numbers", "right", "share"), rows)


def confidence(facts: Facts) -> Section | None:
    calibration = facts.findings.calibration
    if not facts.findings.examples:
        return None
    share = 100 * calibration.coverage(ACCURACY)
    text = (
        f"{share:.1f}% can be read at {100 * ACCURACY:g}% accuracy if the least confident are left to a person. "
        f"Expected calibration error: {calibration.error():.4f}."
    )
    drawn = [
        Chart("reliability", "Confidence and accuracy", charts.reliability(calibration)),
        Chart("kept", "Accuracy of the most confident", charts.kept(calibration, ACCURACY)),
    ]
    return Section("Confidence", text, charts=drawn)


def commonest(digits: np.ndarray) -> str:
    """A sentence on the most frequent mistakes, the more frequent first; "" where there are none."""
    wrong = digits - np.diag(np.diag(digits))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MISTAKES]
    pairs = [
        (true, read) for true, read in zip(*np.unravel_index(order, wrong.shape), strict=True) if wrong[true, read]
    ]
    mistakes = ", ".join(f"{true} as {read} ({wrong[true, read]})" for true, read in pairs)
    return f" Most often read wrong: {mistakes}." if mistakes else ""


def training(facts: Facts) -> Section:
    if not facts.history:
        return Section("Training", "Left out: the run has no history.json, or it is damaged.")
    names = shown_scores(facts.info)
    scored = [entry for entry in facts.history if entry["valid"]]
    rows = [row(entry["step"], entry["seconds"], entry["valid"], names) for entry in scored]
    table = Table("Scores of every checkpoint on valid", ("step", "minutes", *names.values(), "loss"), rows)
    tables = [table] if rows else []
    if len(facts.history) == 1:
        return Section("Training", "Left out: one checkpoint makes no curve.", tables=tables)
    drawn = [Chart("learning-curves", "Train and valid", charts.learning_curves(facts.history, facts.step))]
    if scored:
        drawn.append(Chart("checkpoints", "Checkpoints on valid", charts.sweep(facts.history, facts.step, names)))
    return Section("Training", CURVES, charts=drawn, tables=tables)


def row(step: int, seconds: float, scores: Mapping[str, float], names: Mapping[str, str]) -> list[str]:
    accuracies = [f"{100 * scores[name]:.2f}%" for name in names]
    return [str(step), f"{seconds / 60:.1f}", *accuracies, f"{scores['loss']:.4f}"]


def label_histograms(facts: Facts) -> Section:
    digits = {split: counts.digits for split, counts in facts.labels.items()}
    drawn = [Chart("labels-digits", "Digits by position", charts.digit_histogram(digits))]
    if not facts.info.fixed_length:
        lengths = {split: counts.lengths for split, counts in facts.labels.items()}
        drawn.append(Chart("labels-lengths", "Lengths", charts.length_histogram(lengths)))
    sizes = (f"{plural(int(counts.lengths.sum()), 'label')} of {split}" for split, counts in facts.labels.items())
    return Section("Labels", f"Shares of {', '.join(sizes)}.", charts=drawn)


def feature_maps(facts: Facts) -> Section | None:
    example = facts.findings.example
    if not facts.maps or not example:
        return None
    text = (
        f"What each convolution makes of the picture {example.name}: its first {sheets.MAPS} maps, each from its "
        "least value (black) to its greatest (white)."
    )
    drawn = [
        Chart(f"maps-{index:02}", map_title(layer, maps), sheets.to_png(sheets.map_sheet(maps)), drawn=False)
        for index, (layer, maps) in enumerate(facts.maps.items(), start=1)
    ]
    return Section("Feature maps", text, [sample_card(example)], drawn)


def map_title(layer: str, maps: np.ndarray) -> str:
    height, width, filters = maps.shape
    return f"{layer}: {filters} maps of {width} x {height}"


def to_png(prediction: Prediction) -> bytes:
    return sheets.to_png(sheets.to_rgb(prediction.image))


def percent(probability: float) -> str:
    return "<0.1%" if probability < 0.0005 else f"{100 * probability:.1f}%"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
