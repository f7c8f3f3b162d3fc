"""The content of a report's page: one function per section, from the facts about a run to text, charts and tables."""

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
    from svhn.run import Run
from svhn.spec import Info

SPLIT_NOTES = {
    "valid": "held back from training; the best checkpoint was chosen by them, so these scores are a little too good",
    "test": "used neither to train nor to choose a checkpoint",
}
SCORE_NAMES = {
    "sequence_accuracy": "numbers right",
    "digit_accuracy": "digits right",
    "length_accuracy": "lengths right",
}
CURVES_NOTE = (
    "Scores on train are measured during training: on augmented pictures, with dropout, and with the weights of each "
    "step. Scores on valid are measured without dropout and with the averaged weights. So train may score lower than "
    "valid. Where valid grows worse while train grows better, the network overfits."
)
MAX_MISTAKES = 5  # kinds of mistakes that are listed, the most frequent first
TARGET_ACCURACY = 0.98  # the accuracy of people who read house numbers (Goodfellow et al. 2014, arXiv 1312.6082)


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


def build_page(facts: Facts) -> Page:
    """The report's page. A section without content is left out, such as the maps of a network without convolutions."""
    parts = [
        _build_samples_section,
        _build_errors_section,
        _build_confusions_section,
        _build_confidence_section,
        _build_training_section,
        _build_labels_section,
        _build_maps_section,
    ]
    sections = [found for part in parts if (found := part(facts))]
    return Page(
        f"{facts.run.folder.name}: report on {facts.split}",
        _summarize_run(facts),
        _build_tiles(facts),
        [_build_recipe_table(facts.run.config)],
        sections,
    )


def _summarize_run(facts: Facts) -> str:
    info, config = facts.run.records, facts.run.config
    height, width = info.size
    digits = f"{'' if info.fixed_length else 'up to '}{_format_count(info.max_length, 'digit')}"
    best = ", the best on valid" if facts.step == facts.best_step else ""
    return (
        f"Model {config.model} with {facts.parameters:,} parameters, on the data set {info.dataset}: "
        f"{width} x {height} pixels, numbers of {digits}. Checkpoint {facts.step}{best}. "
        f"Split {facts.split}: {_format_count(facts.findings.examples, 'example')}, {SPLIT_NOTES[facts.split]}."
    )


def _build_tiles(facts: Facts) -> list[Tile]:
    shown = _select_scores(facts.run.records)
    accuracies = [Tile(f"{100 * facts.scores[score]:.2f}%", name) for score, name in shown.items()]
    right = Tile(f"{facts.findings.right:,}", f"of {_format_count(facts.findings.examples, 'number')} read right")
    return [*accuracies, Tile(f"{facts.scores['loss']:.4f}", "loss"), right]


def _select_scores(info: Info) -> dict[str, str]:
    """Names of the scores by key, without scores that mean nothing for these numbers.

    Of numbers with one length, the length is always right; of single digits, numbers and digits are the same.
    """
    left_out = {"length_accuracy"} if info.fixed_length else set()
    left_out |= {"digit_accuracy"} if info.fixed_length and info.max_length == 1 else set()
    return {score: name for score, name in SCORE_NAMES.items() if score not in left_out}


def _build_recipe_table(config: Config) -> Table:
    fields = [(field.name, getattr(config, field.name), field.default) for field in dataclasses.fields(config)]
    changed = ", ".join(f"{name}={value}" for name, value, default in fields if value != default)
    rows = [(name, str(value), "" if value == default else str(default)) for name, value, default in fields]
    return Table(f"Recipe: {changed or 'all options have their defaults'}", ("option", "value", "default"), rows)


def _build_samples_section(facts: Facts) -> Section:
    shown = facts.findings.samples
    text = f"The first {len(shown)} of {facts.findings.examples:,} examples, with the reading and its confidence."
    return Section("Samples", f"{text} Errors are framed in red.", [_build_sample_card(each) for each in shown])


def _build_sample_card(prediction: Prediction) -> Card:
    reading, label = prediction.reading, prediction.label
    read = f"{reading.text or 'none'} {100 * reading.confidence:.0f}%"
    wrong = reading.text != label
    return Card(_encode_picture(prediction), (read, f"is {label or 'none'}") if wrong else (read,), wrong=wrong)


def _build_errors_section(facts: Facts) -> Section:
    wrong, worst = facts.findings.examples - facts.findings.right, facts.findings.worst
    if not worst:
        return Section(
            "Worst errors", f"None: all of {_format_count(facts.findings.examples, 'number')} were read right."
        )
    text = f"{len(worst)} of {_format_count(wrong, 'error')}, with the largest ratio of the predicted probabilities "
    text += "of the wrong number and of the right one."
    return Section("Worst errors", text, [_build_error_card(each) for each in worst], large=True)


def _build_error_card(prediction: Prediction) -> Card:
    read = f"read {prediction.reading.text or 'none'} {_format_percent(prediction.reading.confidence)}"
    true = f"is {prediction.label or 'none'} {_format_percent(prediction.label_confidence)}"
    return Card(_encode_picture(prediction), (read, true), prediction.name, wrong=True)


def _build_confusions_section(facts: Facts) -> Section:
    findings, varying = facts.findings, not facts.run.records.fixed_length
    drawn = [Chart("confusion-digits", "Digits", charts.draw_confusion_matrix(findings.digits))]
    text = "Rows: what is there. Columns: what was read. Colors: share of the row."
    if varying:
        text += " Digits are counted in numbers whose length was read right."
        first = 1 - int(findings.lengths[:, 0].any())  # length 0 is rarely read, and then has no column
        lengths = charts.draw_confusion_matrix(findings.lengths[first:, first:], first)
        drawn.append(Chart("confusion-lengths", "Lengths", lengths))
    tables = [_build_length_table(findings)] if varying else []
    return Section("Confusions", text + _describe_mistakes(findings.digits), charts=drawn, tables=tables)


def _build_length_table(findings: Findings) -> Table:
    counts = zip(findings.right_by_length.tolist(), findings.lengths.sum(axis=1).tolist(), strict=True)
    rows = [
        (str(length), f"{total:,}", f"{right:,}", f"{100 * right / total:.2f}%")
        for length, (right, total) in enumerate(counts)
        if total
    ]
    return Table("Numbers right by length", ("length", "numbers", "right", "share"), rows)


def _build_confidence_section(facts: Facts) -> Section | None:
    calibration = facts.findings.calibration
    if not facts.findings.examples:
        return None
    share = 100 * calibration.compute_coverage(TARGET_ACCURACY)
    text = (
        f"{share:.1f}% of the numbers can be read at {100 * TARGET_ACCURACY:g}% accuracy if a person reads the others, "
        "which have the lowest confidence. "
        f"Expected calibration error: {calibration.compute_expected_error():.4f}."
    )
    drawn = [
        Chart("reliability", "Confidence and accuracy", charts.draw_reliability_diagram(calibration)),
        Chart("kept", "Accuracy of the most confident", charts.draw_coverage_curve(calibration, TARGET_ACCURACY)),
    ]
    return Section("Confidence", text, charts=drawn)


def _describe_mistakes(digits: np.ndarray) -> str:
    """A sentence that lists the most frequent mistakes; "" if there are none.

    Args:
        digits: counts of true digits (rows) read as digits (columns), int64 (10, 10).
    """
    wrong = digits - np.diag(np.diag(digits))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MAX_MISTAKES]
    pairs = [
        (true, read) for true, read in zip(*np.unravel_index(order, wrong.shape), strict=True) if wrong[true, read]
    ]
    mistakes = ", ".join(f"{true} as {read} ({wrong[true, read]})" for true, read in pairs)
    return f" Most often read wrong: {mistakes}." if mistakes else ""


def _build_training_section(facts: Facts) -> Section:
    if not facts.history:
        return Section("Training", "No curves: the run has no history.json, or the file is damaged.")
    names = _select_scores(facts.run.records)
    scored = [entry for entry in facts.history if entry["valid"]]
    rows = [_format_score_row(entry["step"], entry["seconds"], entry["valid"], names) for entry in scored]
    table = Table("Scores of every checkpoint on valid", ("step", "minutes", *names.values(), "loss"), rows)
    tables = [table] if rows else []
    if len(facts.history) == 1:
        return Section("Training", "No curves: the run has a single checkpoint.", tables=tables)
    drawn = [Chart("learning-curves", "Train and valid", charts.draw_learning_curves(facts.history, facts.step))]
    if scored:
        drawn.append(
            Chart(
                "checkpoints", "Checkpoints on valid", charts.draw_checkpoint_scores(facts.history, facts.step, names)
            )
        )
    return Section("Training", CURVES_NOTE, charts=drawn, tables=tables)


def _format_score_row(step: int, seconds: float, scores: Mapping[str, float], names: Mapping[str, str]) -> list[str]:
    accuracies = [f"{100 * scores[name]:.2f}%" for name in names]
    return [str(step), f"{seconds / 60:.1f}", *accuracies, f"{scores['loss']:.4f}"]


def _build_labels_section(facts: Facts) -> Section:
    digits = {split: counts.digits for split, counts in facts.labels.items()}
    drawn = [Chart("labels-digits", "Digits by position", charts.draw_digit_histogram(digits))]
    if not facts.run.records.fixed_length:
        lengths = {split: counts.lengths for split, counts in facts.labels.items()}
        drawn.append(Chart("labels-lengths", "Lengths", charts.draw_length_histogram(lengths)))
    sizes = (
        f"{_format_count(int(counts.lengths.sum()), 'label')} of {split}" for split, counts in facts.labels.items()
    )
    return Section("Labels", f"Shares of {', '.join(sizes)}.", charts=drawn)


def _build_maps_section(facts: Facts) -> Section | None:
    example = facts.findings.example
    if not facts.maps or not example:
        return None
    text = (
        f"Outputs of each convolution for the picture {example.name}: its first {sheets.MAX_MAPS} maps, each scaled "
        "from its lowest value (black) to its highest (white)."
    )
    drawn = [
        Chart(
            f"maps-{index:02}",
            _format_map_title(layer, maps),
            sheets.encode_png(sheets.draw_map_sheet(maps)),
            drawn=False,
        )
        for index, (layer, maps) in enumerate(facts.maps.items(), start=1)
    ]
    return Section("Feature maps", text, [_build_sample_card(example)], drawn)


def _format_map_title(layer: str, maps: np.ndarray) -> str:
    height, width, filters = maps.shape
    return f"{layer}: {filters} maps of {width} x {height}"


def _encode_picture(prediction: Prediction) -> bytes:
    return sheets.encode_png(sheets.to_rgb_image(prediction.image))


def _format_percent(probability: float) -> str:
    return "<0.1%" if probability < 0.0005 else f"{100 * probability:.1f}%"


def _format_count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
