"""Answers scored against the numbers that a picture shows: any count of numbers, any count of answers.

An answer finds a number if its text is the number's and their upright boxes overlap by half. Each figure is a ratio of
two sums over pictures, and its standard error is that of a ratio estimator (Cochran 1977, Sampling Techniques, 6.4).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from svhn.images import compute_overlap
from svhn.spec import Box

LEAST_OVERLAP = 0.5  # intersection over union from which a box counts as found, as in PASCAL VOC
TOUCH = 1e-9  # intersection over union of boxes that touch
SURE = 0.9  # confidence from which a wrong answer is one of a reader that was sure
MOST_DIGITS = 5  # of a number that may not be answered as too long


class Number(NamedTuple):
    """A number in a picture: its digits, and its upright box in pixels."""

    text: str
    box: Box


class Answer(NamedTuple):
    """What a reader gave.

    Args:
        text: the digits; "" for a number that was refused as too long.
        box: the upright box in pixels; None if the reader gave none.
        confidence: 0 to 1.
        truncated: whether the reader answered that the number has more digits than it can read.
    """

    text: str
    box: Box | None
    confidence: float
    truncated: bool = False


Truth = Sequence[Number]  # the numbers of a picture
Ratio = tuple[float, float]  # a figure, 0 to 1, and its standard error


class Counts(NamedTuple):
    """What is summed over pictures: counts, or 0 and 1."""

    numbers: int
    answers: int
    found: int
    touched: int
    right: int
    wrong_and_sure: int
    given: int


class Scores(NamedTuple):
    """The figures of one reader on one kind of picture.

    Args:
        pictures: number of pictures.
        recall, precision, f1: over all numbers and answers of the pictures. None where there is no number.
        loose_f1: as f1, if an answer need not overlap the number by half, but touch it: boxes of text lines are wide.
        right: share of pictures of one number in which the surest answer is its text, or in which a number of more than
            `MOST_DIGITS` digits was refused as too long; of pictures of several, in which they are found, and nothing
            else. None where there is no number.
        wrong_and_sure: share of pictures with a wrong answer at a confidence of `SURE` or more.
        given: share of pictures that were given any number, or one that is too long.
    """

    pictures: int
    recall: Ratio | None
    precision: Ratio | None
    f1: Ratio | None
    loose_f1: Ratio | None
    right: Ratio | None
    wrong_and_sure: Ratio
    given: Ratio


def measure_overlap(box: Box, answered: Box | None) -> float:
    """Intersection over union of a number's box and an answer's, 0 to 1; 0 for an answer without a box."""
    return compute_overlap(box, answered) if answered else 0.0


def count_picture(truths: Sequence[Truth], answers: Sequence[Answer]) -> Counts:
    """The counts of one picture, by the truth that suits the answers best.

    Args:
        truths: what the picture may be said to show, for example one number in two rows, or two numbers. One or more.
        answers: what a reader gave, in any order.
    """
    counts = [_count_truth(truth, answers) for truth in truths]
    return max(counts, key=lambda each: (each.right, each.found / max(1, each.numbers), -each.wrong_and_sure))


def _count_truth(truth: Truth, answers: Sequence[Answer]) -> Counts:
    found = _count_found(truth, answers, LEAST_OVERLAP)
    touched = _count_found(truth, answers, TOUCH)
    wrong = any(answer.confidence >= SURE and not _is_true(answer, truth) for answer in answers)
    right = _is_right(truth, answers, found)
    given = any(each.text or each.truncated for each in answers)
    return Counts(len(truth), len(answers), found, touched, int(right), int(wrong), int(given))


def _count_found(truth: Truth, answers: Sequence[Answer], overlap: float) -> int:
    """Numbers that are found. Each answer finds one number at most, and a number that was found is found once."""
    left = list(truth)
    for answer in sorted(answers, key=lambda each: -each.confidence):
        same = [number for number in left if number.text == answer.text]
        best = max(same, key=lambda number: measure_overlap(number.box, answer.box), default=None)
        if best and measure_overlap(best.box, answer.box) >= overlap:
            left.remove(best)
    return len(truth) - len(left)


def _is_right(truth: Truth, answers: Sequence[Answer], found: int) -> bool:
    if len(truth) != 1:
        return len(truth) == len(answers) == found > 0
    surest = max(answers, key=lambda each: each.confidence, default=None)
    return surest is not None and _has_text(surest, truth[0])


def _is_true(answer: Answer, truth: Truth) -> bool:
    """Whether the answer is a number that it touches. An answer without a box may be any of the numbers."""
    return any(
        _has_text(answer, number) and (answer.box is None or compute_overlap(number.box, answer.box) > 0)
        for number in truth
    )


def _has_text(answer: Answer, number: Number) -> bool:
    return len(number.text) > MOST_DIGITS if answer.truncated else answer.text == number.text


def score_pictures(truths: Mapping[str, Sequence[Truth]], answers: Mapping[str, Sequence[Answer]]) -> Scores:
    """The figures of one kind of picture, from both by the picture's name. No answer means that no number was given."""
    counts = [count_picture(each, answers.get(name, ())) for name, each in truths.items()]
    labeled = any(each.numbers for each in counts)

    def compare(parts: Iterable[int], wholes: Iterable[int]) -> Ratio | None:
        return estimate_ratio(list(parts), list(wholes)) if labeled else None

    ones = [1] * len(counts)
    numbers, given = [each.numbers for each in counts], [each.answers for each in counts]
    found, touched = [each.found for each in counts], [each.touched for each in counts]
    both = [sum(pair) for pair in zip(numbers, given, strict=True)]
    return Scores(
        pictures=len(counts),
        recall=compare(found, numbers),
        precision=compare(found, given),
        f1=compare((2 * each for each in found), both),
        loose_f1=compare((2 * each for each in touched), both),
        right=compare((each.right for each in counts), ones),
        wrong_and_sure=estimate_ratio([each.wrong_and_sure for each in counts], ones),
        given=estimate_ratio([each.given for each in counts], ones),
    )


def estimate_ratio(parts: Sequence[int], wholes: Sequence[int]) -> Ratio:
    """The sum of the parts over that of the wholes, one of each per picture, and its standard error; 0 of nothing."""
    total = sum(wholes)
    if not total:
        return 0.0, 0.0
    ratio = sum(parts) / total
    return ratio, math.sqrt(sum((part - ratio * whole) ** 2 for part, whole in zip(parts, wholes, strict=True))) / total


HEADER = (
    *("kind", "reader", "pictures", "recall", "precision", "F1", "F1, any overlap"),
    *("right", "wrong and sure", "given a number", "CPU s per picture"),
)


def format_row(kind: str, reader: str, scores: Scores, seconds: float) -> str:
    """A row of the Markdown table whose columns are `HEADER`; shares in percent, with their standard errors."""
    cells = [kind, reader, f"{scores.pictures:,}", *map(_format_ratio, scores[1:]), f"{seconds:.2f}"]
    return f"| {' | '.join(cells)} |"


def _format_ratio(ratio: Ratio | None) -> str:
    return f"{100 * ratio[0]:.1f} ± {100 * ratio[1]:.1f}" if ratio else "–"
