"""The report on labeled photos: what a reader of whole pictures answers, as an HTML page, picture files and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from svhn.errors import Say, UserError
from svhn.labels import NO_NUMBER, Number, Prediction, Reading
from svhn.reporting import analysis, photo_sections
from svhn.reporting.analysis import Findings
from svhn.reporting.files import write_report_files
from svhn.reporting.labeled import Answer, Answers, LabeledFolder, LabeledPhoto, make_answers, pair_numbers
from svhn.reporting.photo_sections import Facts
from svhn.reporting.thumbnails import Thumbnails
from svhn.runtime.files import write_rows

NUMBER_COLUMNS = (
    *("name", "split", "label", "number", "confidence", "outcome", "overlap"),
    *("refused", "refused_confidence", "needed", "error"),
)
COVERAGE_COLUMNS = ("confidence", "numbers", "share", "right")
MAX_UNANSWERED = 12  # numbers without an answer that the page shows

# From paths, and a function that is called with each path, its picture and its reading, to the readings.
Stream = Callable[[Sequence[str], Callable[[str, Image.Image, Reading], None]], Iterator[Reading]]


class Reader(NamedTuple):
    """What reads the photos.

    Args:
        description: a few words for the page.
        stream: reads pictures, in order; a picture that can't be read has a `Reading` with its error.
        max_length: digits of the longest number that it reads.
    """

    description: str
    stream: Stream
    max_length: int


def write_photo_report(labeled: LabeledFolder, reader: Reader, folder: Path, name: str, say: Say) -> tuple[Path, Facts]:
    """Read a folder's photos, and write a page about the answers, its pictures and its tables.

    Args:
        labeled: the photos.
        reader: reads them.
        folder: folder of the files to write.
        name: the reader's name, in which the page's ends.
        say: prints a line when a part begins.

    Returns:
        The page's path, and what it shows.

    Raises:
        UserError: none of the photos could be read, or Matplotlib is not installed.
    """
    say(f"Reading {len(labeled.photos):,} pictures of {labeled.folder}...")
    answers = Answers()
    findings = analysis.analyze_predictions(_predict_photos(labeled.photos, reader, answers), reader.max_length)
    if not answers.given:
        raise UserError("\n".join(["none of the pictures could be read:", *answers.unread.values()]))
    longest = max([reader.max_length, *(len(number.text) for number in labeled.numbers)])
    labels = {
        split: analysis.count_labels((each.text for each in labeled.numbers if each.split == split), longest)
        for split in sorted({number.split for number in labeled.numbers}, reverse=True)
    }
    facts = Facts(labeled, reader.description, findings, labels, answers)
    say("Drawing the figures...")
    prefix = "-".join(filter(None, ["photos", labeled.folder.resolve().name, labeled.split]))
    page = write_report_files(photo_sections.build_page(facts), findings, folder, prefix, name)
    write_rows(folder / f"{prefix}-numbers.csv", NUMBER_COLUMNS, _list_number_rows(facts))
    write_rows(folder / f"{prefix}-coverage.csv", COVERAGE_COLUMNS, _list_coverage_rows(findings))
    return page, facts


def _predict_photos(photos: Sequence[LabeledPhoto], reader: Reader, answers: Answers) -> Iterator[Prediction]:
    """The answer to each label of the photos that can be read. What else is to be known is added to `answers`."""
    thumbnails = Thumbnails()
    readings = reader.stream([photo.path for photo in photos], thumbnails.keep)
    for photo, reading in zip(photos, readings, strict=True):
        views = thumbnails.take(photo.path)
        if reading.error:
            answers.unread[photo.path] = reading.error
            continue
        pairs = pair_numbers(photo.numbers, reading.numbers, reader.max_length)
        answers.extra += len(reading.numbers) - sum(pair is not None for pair in pairs)
        for pair, answer in zip(pairs, make_answers(photo, reading, pairs, reader.max_length), strict=True):
            answers.given.append(answer)
            prediction = _make_prediction(answer, views[-1 if pair is None else pair])
            if answer.number == NO_NUMBER and len(answers.unanswered) < MAX_UNANSWERED:
                answers.unanswered.append((prediction, answer))
            yield prediction


def _make_prediction(answer: Answer, view: np.ndarray) -> Prediction:
    label = answer.number.shown if answer.right else answer.label.text
    return Prediction(view, answer.label.name, label, answer.number, label_confidence=None)


def _list_number_rows(facts: Facts) -> Iterator[list[object]]:
    """A row for each label: the answers first, then the labels of unread pictures, then the unusable ones."""
    for answer in facts.answers.given:
        label = answer.label
        read = [*_format_number(answer.number), answer.outcome, _format_share(answer.overlap)]
        yield [label.name, label.split, label.text, *read, *_format_refusal(answer), ""]
    for photo in facts.labeled.photos:
        if photo.path in facts.answers.unread:
            for label in photo.numbers:
                yield [label.name, label.split, label.text, *[""] * 7, facts.answers.unread[photo.path]]
    for entry in facts.labeled.unusable:
        yield [entry.name, "", entry.label, *[""] * 7, entry.problem]


def _format_number(number: Number) -> list[str]:
    return ["", ""] if number == NO_NUMBER else [number.shown, _format_share(number.confidence)]


def _format_refusal(answer: Answer) -> list[str]:
    refused = answer.refused
    return [refused.text, _format_share(refused.confidence), _format_share(refused.needed)] if refused else [""] * 3


def _format_share(share: float | None) -> str:
    return "" if share is None else f"{share:.6f}"


def _list_coverage_rows(findings: Findings) -> Iterator[list[object]]:
    curve = findings.calibration.compute_coverage_curve(findings.examples)
    for share, accuracy, threshold in zip(*(values.tolist() for values in curve), strict=True):
        yield [f"{threshold:g}", round(share * findings.examples), f"{share:.6f}", f"{accuracy:.6f}"]
