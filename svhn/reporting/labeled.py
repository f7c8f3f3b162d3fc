"""Labeled photos: a folder's pictures with all numbers that its labels name in them, and which answer is whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import NamedTuple

from svhn.datasets.folder import FOLDER, get_number_box
from svhn.errors import UserError
from svhn.images import compute_overlap
from svhn.labels import NO_NUMBER, Number, Prediction, Reading, Refusal
from svhn.spec import Box, Entry
from svhn.wrangle.unnamed import find_unnamed

RIGHT, WRONG, REFUSED, MISSED = "right", "wrong", "refused", "missed"  # what can become of a number
OUTCOMES = (RIGHT, WRONG, REFUSED, MISSED)
MIN_OVERLAP = 0.5  # intersection over union from which a found box is right, as in PASCAL VOC (Everingham et al. 2010)


class LabeledNumber(NamedTuple):
    """A number that a label names.

    Args:
        name: the label's name in messages and tables.
        text: the number's digits.
        box: its box in pixels of the upright picture; None if the label has none.
        split: `train` or `test`.
    """

    name: str
    text: str
    box: Box | None
    split: str


class LabeledPhoto(NamedTuple):
    """A picture's path, and the numbers in it that have a label."""

    path: str
    numbers: tuple[LabeledNumber, ...]


class LabeledFolder(NamedTuple):
    """A folder's pictures, and what is left out of them.

    Args:
        folder: the folder.
        split: the split that was asked for; "" for all.
        photos: the pictures, by path.
        unusable: the labels that can't be used; the reason is each one's `problem`.
        unnamed: paths of the pictures that no label names.
    """

    folder: Path
    split: str
    photos: list[LabeledPhoto]
    unusable: list[Entry]
    unnamed: list[str]

    @property
    def numbers(self) -> list[LabeledNumber]:
        return [number for photo in self.photos for number in photo.numbers]


class Answer(NamedTuple):
    """What became of a labeled number.

    Args:
        label: the number as it is labeled.
        number: the number that was read in its place; `NO_NUMBER` if none was.
        refused: what was nearly read, if the whole picture was answered with no number.
        overlap: intersection over union of the two boxes, 0 to 1; None if one of them is unknown.
        right: whether the number is the labeled one, or is too long where the answer is that it is.
    """

    label: LabeledNumber
    number: Number
    refused: Refusal | None
    overlap: float | None
    right: bool

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`. A missed number stands in a picture in which only others were read."""
        if self.number == NO_NUMBER:
            return REFUSED if self.refused else MISSED
        return RIGHT if self.right else WRONG


@dataclass
class Answers:
    """What was answered in a folder so far.

    Args:
        given: the answer to each label of a picture that could be read.
        extra: numbers that were read beside all that are labeled.
        unread: why a picture could not be read, by its path.
        unanswered: the first labels without an answer, each with its picture.
    """

    given: list[Answer] = field(default_factory=list)
    extra: int = 0
    unread: dict[str, str] = field(default_factory=dict)
    unanswered: list[tuple[Prediction, Answer]] = field(default_factory=list)


def list_photos(folder: Path, split: str) -> LabeledFolder:
    """The pictures that a folder's labels name, in the order of their paths.

    Args:
        folder: a folder as the data set `folder` describes it.
        split: the split to list; "" for all.

    Raises:
        UserError: the labels can't be read, the split is unknown or empty, or no label can be used.
    """
    if split and split not in FOLDER.sources:
        raise UserError(f"--split={split}: labels of photos have the splits {' and '.join(FOLDER.sources)}")
    sources = [split] if split else list(FOLDER.sources)
    entries = [(source, entry) for source in sources for entry in FOLDER.entries(folder, source, 0)]
    if not entries:
        remedy = f" of the split {split}: leave out --split, or give labels this split" if split else ""
        raise UserError(f"{folder} has no label{remedy}")
    unusable = [entry for _, entry in entries if entry.problem]
    if len(unusable) == len(entries):
        found = f"{unusable[0].name}: {unusable[0].problem}"
        raise UserError(f"{folder} has no label that can be used: {found}; wrangle --check lists what is wrong")
    photos: dict[str, list[LabeledNumber]] = {}
    for source, entry in entries:
        if not entry.problem:
            number = LabeledNumber(entry.name, entry.label, get_number_box(entry), source)
            photos.setdefault(_get_path(entry), []).append(number)
    unnamed = find_unnamed(FOLDER, folder, sources, {_get_path(entry) for _, entry in entries})
    pictures = [LabeledPhoto(path, tuple(photos[path])) for path in sorted(photos)]
    return LabeledFolder(folder, split, pictures, unusable, unnamed)


def _get_path(entry: Entry) -> str:
    assert FOLDER.path
    return FOLDER.path(entry)


def pair_numbers(labels: Sequence[LabeledNumber], numbers: Sequence[Number], max_length: int) -> list[int | None]:
    """For each label of a picture, the index of the number that answers it; None if none is left for it.

    Right answers come first, then pairs whose boxes overlap most, then the surest numbers.

    Args:
        labels: the picture's labels.
        numbers: what was read in it.
        max_length: digits of the longest number that the reader reads.
    """

    def rate(pair: tuple[int, int]) -> tuple[bool, float, float]:
        label, number = labels[pair[0]], numbers[pair[1]]
        return _is_right(label, number, max_length), _compare_boxes(label, number) or 0.0, number.confidence

    found: list[int | None] = [None] * len(labels)
    for label, number in sorted(product(range(len(labels)), range(len(numbers))), key=rate, reverse=True):
        if found[label] is None and number not in found:
            found[label] = number
    return found


def make_answers(photo: LabeledPhoto, reading: Reading, pairs: Sequence[int | None], max_length: int) -> list[Answer]:
    """The answer to each label of a picture.

    Args:
        photo: the picture with its labels.
        reading: what was read in it.
        pairs: as `pair_numbers` returns them.
        max_length: digits of the longest number that the reader reads.
    """
    answers = []
    for label, place in zip(photo.numbers, pairs, strict=True):
        number = NO_NUMBER if place is None else reading.numbers[place]
        right = _is_right(label, number, max_length)
        answers.append(Answer(label, number, reading.refused, _compare_boxes(label, number), right))
    return answers


def _is_right(label: LabeledNumber, number: Number, max_length: int) -> bool:
    return len(label.text) > max_length if number.truncated else number.text == label.text


def _compare_boxes(label: LabeledNumber, number: Number) -> float | None:
    return compute_overlap(label.box, number.box) if label.box and number.box else None
