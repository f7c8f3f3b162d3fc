"""The content of a report's page: one function per section, from the facts about a run to text, charts and tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from svhn.labels import NO_NUMBER, Prediction
from svhn.reporting import charts, confidence_charts, sheets
from svhn.reporting.analysis import Findings, LabelCounts
from svhn.reporting.calibration import CoverageCurve
from svhn.reporting.facts import Facts, build_recipe_table, build_tiles, format_count, select_scores, summarize_run
from svhn.reporting.html import Card, Chart, Page, Section, Table

CURVES_NOTE = (
    "Scores on train are measured during training: on augmented pictures, with dropout, and with the weights of each "
    "step. Scores on valid are measured without dropout and with the averaged weights. So train may score lower than "
    "valid. Where valid grows worse while train grows better, the network overfits."
)
ORDER_NOTE = "with the largest ratio of the predicted probabilities of the wrong number and of the right one"
MAX_MISTAKES = 5  # kinds of mistakes that are listed, the most frequent first
THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)  # of the confidence, in the table of what is kept
TARGET_ACCURACY = 0.98  # the accuracy of people who read house numbers (Goodfellow et al. 2014, arXiv 1312.6082)


def build_page(facts: Facts) -> Page:
    """The report's page. A section without content is left out, such as the maps of a network without convolutions."""
    varying = not facts.run.records.fixed_length
    sections = [
        build_samples_section(facts.findings),
        build_errors_section(facts.findings),
        build_confusions_section(facts.findings, varying),
        build_confidence_section(facts.findings),
        _build_training_section(facts),
        build_labels_section(facts.labels, varying),
        _build_maps_section(facts),
    ]
    return Page(
        f"{facts.run.folder.name}: report on {facts.split}",
        summarize_run(facts),
        build_tiles(facts),
        [build_recipe_table(facts.run.config)],
        [section for section in sections if section],
    )


def build_samples_section(findings: Findings) -> Section:
    shown = findings.samples
    text = f"The first {len(shown)} of {findings.examples:,} examples, with the reading and its confidence."
    return Section("Samples", f"{text} Errors are framed in red.", [build_sample_card(each) for each in shown])


def build_sample_card(prediction: Prediction) -> Card:
    reading, label = prediction.reading, prediction.label
    read = "no number" if reading == NO_NUMBER else f"{reading.shown or 'none'} {100 * reading.confidence:.0f}%"
    wrong = reading.shown != label
    return Card(_encode_picture(prediction), (read, f"is {label or 'none'}") if wrong else (read,), wrong=wrong)


def build_errors_section(findings: Findings, title: str = "Worst errors", order: str = ORDER_NOTE) -> Section:
    """The worst errors; `order` is the end of the sentence that gives the order in which they stand."""
    wrong, worst = findings.answered - int(findings.calibration.right.sum()), findings.worst
    if not worst:
        return Section(title, f"None: all of {format_count(findings.answered, 'number')} were read right.")
    text = f"{len(worst)} of {format_count(wrong, 'error')}, {order}."
    return Section(title, text, [_build_error_card(each) for each in worst], large=True)


def _build_error_card(prediction: Prediction) -> Card:
    known = prediction.label_confidence
    read = f"read {prediction.reading.shown or 'none'} {_format_percent(prediction.reading.confidence)}"
    true = f"is {prediction.label or 'none'}{'' if known is None else f' {_format_percent(known)}'}"
    return Card(_encode_picture(prediction), (read, true), prediction.name, wrong=True)


def build_confusions_section(findings: Findings, varying: bool) -> Section:
    """The confusions of digits and, if the numbers' lengths vary, of lengths."""
    drawn = [Chart("confusion-digits", "Digits", charts.draw_confusion_matrix(findings.digits))]
    text = "Rows: what is there. Columns: what was read. Colors: share of the row."
    if varying:
        text += " Digits are counted in numbers whose length was read right."
        first = 1 - int(findings.lengths[:, 0].any())  # length 0 is rarely read, and then has no column
        text += "" if first else " Length 0 is the answer no number."
        longer = findings.lengths[-1].any() or findings.lengths[:, -1].any()
        end = len(findings.lengths) - (not longer)
        text += f" Length {end - 1} stands for all longer numbers." if longer else ""
        lengths = charts.draw_confusion_matrix(findings.lengths[first:end, first:end], first)
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


def build_confidence_section(findings: Findings) -> Section | None:
    """What confidences are worth; None if nothing was read."""
    calibration = findings.calibration
    if not findings.answered:
        return None
    curve = calibration.compute_coverage_curve(findings.examples)
    text = (
        f"{100 * curve.find_coverage(TARGET_ACCURACY):.1f}% of the numbers can be read at {100 * TARGET_ACCURACY:g}% "
        "accuracy if a person reads the others, which have the lowest confidence. "
        f"Expected calibration error: {calibration.compute_expected_error():.4f}. A reader whose confidences are exact "
        f"would show {calibration.compute_chance_error():.4f} by chance."
    )
    reliability = confidence_charts.draw_reliability_diagram(calibration)
    kept = confidence_charts.draw_coverage_curve(curve, TARGET_ACCURACY)
    drawn = [
        Chart("reliability", "Confidence and accuracy", reliability),
        Chart("kept", "Accuracy of the most confident", kept),
    ]
    return Section("Confidence", text, charts=drawn, tables=[_build_threshold_table(curve, findings.examples)])


def _build_threshold_table(curve: CoverageCurve, total: int) -> Table:
    rows = []
    for threshold in THRESHOLDS:
        place = curve.find_place(threshold)
        if place is not None:
            share, accuracy = curve.shares[place], curve.accuracies[place]
            counts = f"{round(share * total):,}", f"{100 * share:.1f}%", f"{100 * accuracy:.2f}%"
            rows.append((f"{threshold:g}", *counts))
    return Table("Kept from each confidence on", ("confidence", "numbers", "share", "right"), rows)


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
    names = select_scores(facts.run.records)
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


def build_labels_section(labels: Mapping[str, LabelCounts], varying: bool) -> Section:
    """Histograms of labels by split: of their digits and, if their lengths vary, of their lengths."""
    digits = {split: counts.digits for split, counts in labels.items()}
    drawn = [Chart("labels-digits", "Digits by position", charts.draw_digit_histogram(digits))]
    if varying:
        lengths = {split: counts.lengths for split, counts in labels.items()}
        drawn.append(Chart("labels-lengths", "Lengths", charts.draw_length_histogram(lengths)))
    sizes = (f"{format_count(int(counts.lengths.sum()), 'label')} of {split}" for split, counts in labels.items())
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
    folded = f"Maps of {format_count(len(drawn), 'layer')}"
    return Section("Feature maps", text, [build_sample_card(example)], drawn, folded=folded)


def _format_map_title(layer: str, maps: np.ndarray) -> str:
    height, width, filters = maps.shape
    return f"{layer}: {filters} maps of {width} x {height}"


def _encode_picture(prediction: Prediction) -> bytes:
    return sheets.encode_png(sheets.to_rgb_image(prediction.image))


def _format_percent(probability: float) -> str:
    return "<0.1%" if probability < 0.0005 else f"{100 * probability:.1f}%"
