"""The content of a report on labeled photos: what became of each number, where boxes lie, what could not be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from svhn.labels import Prediction
from svhn.reporting.analysis import Findings, LabelCounts
from svhn.reporting.facts import format_count
from svhn.reporting.html import Card, Page, Section, Table, Tile
from svhn.reporting.labeled import MIN_OVERLAP, OUTCOMES, REFUSED, RIGHT, WRONG, Answer, Answers, LabeledFolder
from svhn.reporting.sections import (
    build_confidence_section,
    build_confusions_section,
    build_errors_section,
    build_labels_section,
    build_sample_card,
    build_samples_section,
)

UNNAMED_SHOWN = 20  # pictures without a label that the page lists


@dataclass(frozen=True)
class Facts:
    """Everything that a page on photos shows.

    Args:
        labeled: the photos and their labels.
        reader: a few words about what read them.
        findings: what was read right and wrong; an example is a label.
        labels: counts of the labels by split.
        answers: the answers to the labels.
    """

    labeled: LabeledFolder
    reader: str
    findings: Findings
    labels: Mapping[str, LabelCounts]
    answers: Answers


def build_page(facts: Facts) -> Page:
    """The report's page. A section without content is left out, such as that of boxes where no label has any."""
    sections = [
        _build_outcomes_section(facts),
        _build_mistakes_section(facts.findings),
        _build_unanswered_section(facts),
        build_confidence_section(facts.findings),
        build_confusions_section(facts.findings, varying=True),
        _build_boxes_section(facts.answers.given),
        build_samples_section(facts.findings),
        build_labels_section(facts.labels, varying=True),
        _build_unused_section(facts),
    ]
    title = f"{facts.labeled.folder.resolve().name}: report on photos"
    return Page(title, _summarize(facts), _build_tiles(facts), [], [section for section in sections if section])


def _summarize(facts: Facts) -> str:
    read = len(facts.labeled.photos) - len(facts.answers.unread)
    counts = {split: int(each.lengths.sum()) for split, each in facts.labels.items()}
    splits = ", ".join(f"{count:,} of {split}" for split, count in counts.items())
    return (
        f"{format_count(len(facts.answers.given), 'labeled number')} in {format_count(read, 'picture')} of "
        f"{facts.labeled.folder} (labels: {splits}). Each whole picture was searched for numbers and read, as svhn "
        f"read does it, by {facts.reader}. A reader that was trained on these pictures reads them better than others."
    )


def _build_tiles(facts: Facts) -> list[Tile]:
    total, answered, right = facts.findings.examples, facts.findings.answered, facts.findings.right
    tiles = [
        Tile(_format_percent(right, total), "numbers right"),
        Tile(_format_percent(answered, total), "numbers answered"),
        Tile(_format_percent(right, answered), "answers right"),
    ]
    overlaps = _list_overlaps(facts.answers.given)
    if overlaps:
        tiles.append(Tile(_format_percent(_count_right_boxes(overlaps), len(overlaps)), "found boxes right"))
    return [*tiles, Tile(f"{right:,}", f"of {format_count(total, 'number')} read right")]


def _build_outcomes_section(facts: Facts) -> Section:
    counts = Counter(answer.outcome for answer in facts.answers.given)
    refused = [answer for answer in facts.answers.given if answer.outcome == REFUSED]
    nearly = sum(answer.refused is not None and answer.refused.text == answer.label.text for answer in refused)
    text = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in OUTCOMES)
    text = f"{text[0].upper()}{text[1:]}. A number is refused if no number of its picture was sure enough"
    text += f": {nearly:,} of these would have been right at a lower --threshold" if nearly else ""
    text += ". It is missed if only other numbers of its picture were read. "
    text += f"Numbers that were read beside all labeled ones: {facts.answers.extra:,}."
    rows = [(each, f"{counts[each]:,}", _format_percent(counts[each], len(facts.answers.given))) for each in OUTCOMES]
    return Section("Answers", text, tables=[Table("Numbers by outcome", ("outcome", "numbers", "share"), rows)])


def _build_mistakes_section(findings: Findings) -> Section | None:
    if not findings.answered:
        return None
    return build_errors_section(findings, "Surest mistakes", "the surest first; what was found is framed")


def _build_unanswered_section(facts: Facts) -> Section | None:
    total = facts.findings.examples - facts.findings.answered
    if not total:
        return None
    text = f"The first {len(facts.answers.unanswered)} of {format_count(total, 'number')} without an answer, with what "
    text += "was nearly read, how sure that was, and how sure it would have to be."
    cards = [_build_unanswered_card(*each) for each in facts.answers.unanswered]
    return Section("Not answered", text, cards, large=True)


def _build_unanswered_card(prediction: Prediction, answer: Answer) -> Card:
    refused = answer.refused
    nearly = (
        f"{refused.text or 'none'} at {refused.confidence:.3f}, needs {refused.needed:.3f}" if refused else "missed"
    )
    shown = build_sample_card(prediction)
    return Card(shown.png, (nearly, f"is {prediction.label}"), prediction.name, wrong=True)


def _build_boxes_section(answers: Sequence[Answer]) -> Section | None:
    overlaps = _list_overlaps(answers)
    if not overlaps:
        return None
    text = (
        f"{_count_right_boxes(overlaps):,} of {format_count(len(overlaps), 'found box', 'found boxes')} whose labels "
    )
    text += f"have a box are right: the intersection over union of both is at least {MIN_OVERLAP:g}. A wrong number "
    text += "in a right box is the reader's mistake; in another box, the finder's."
    rows = []
    for outcome in (RIGHT, WRONG):
        own = _list_overlaps([answer for answer in answers if answer.outcome == outcome])
        good = _count_right_boxes(own)
        rows.append((outcome, f"{good:,}", f"{len(own) - good:,}"))
    return Section("Boxes", text, tables=[Table("Boxes by outcome", ("number", "right box", "another box"), rows)])


def _list_overlaps(answers: Sequence[Answer]) -> list[float]:
    return [answer.overlap for answer in answers if answer.overlap is not None]


def _count_right_boxes(overlaps: Sequence[float]) -> int:
    return sum(overlap >= MIN_OVERLAP for overlap in overlaps)


def _build_unused_section(facts: Facts) -> Section | None:
    """What could not be read or used, each with its reason, and the pictures without a label."""
    labels = [(entry.name, entry.problem) for entry in facts.labeled.unusable]
    pictures = list(facts.answers.unread.items())
    unnamed = facts.labeled.unnamed
    if not (labels or pictures or unnamed):
        return None
    text = (
        f"{format_count(len(pictures), 'picture')} that could not be read, {format_count(len(labels), 'label')} that "
    )
    text += f"could not be used, {format_count(len(unnamed), 'picture')} without a label."
    shown = [(path, "no label names the picture") for path in unnamed[:UNNAMED_SHOWN]]
    if len(unnamed) > UNNAMED_SHOWN:
        shown.append((f"and {len(unnamed) - UNNAMED_SHOWN:,} more", "wrangle --check lists all"))
    return Section("Not used", text, tables=[Table("List", ("what", "why"), [*pictures, *labels, *shown])])


def _format_percent(count: int, total: int) -> str:
    return f"{100 * count / max(1, total):.1f}%"
