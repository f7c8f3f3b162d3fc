"""What is counted and kept of predictions, against hand-made ones; and what is read of a split's labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from svhn import records
from svhn.labels import TRUNCATED_TEXT, Number, Prediction
from svhn.records import Split
from svhn.reporting import analysis


def predicted(label: str, read: str, sure: float = 0.9, label_sure: float = 0.05, name: str = "") -> Prediction:
    truncated = read == TRUNCATED_TEXT
    text = "" if truncated else read
    reading = Number(text, sure, (sure,) * len(text), truncated=truncated)
    return Prediction(np.zeros((2, 3, 1), np.uint8), name or f"{label}.png", label, reading, label_sure)


def entries(matrix: np.ndarray) -> dict[tuple[int, ...], int]:
    """What is not zero in it."""
    return {place: int(count) for place, count in np.ndenumerate(matrix) if count}


def test_digits_are_counted_of_numbers_whose_length_was_read_right() -> None:
    read = [("12", "12"), ("12", "17"), ("217", "271"), ("12", "1"), ("3", "33"), ("3", "")]
    found = analysis.analyze_predictions([predicted(*pair) for pair in read], max_length=3)
    assert entries(found.digits) == {(1, 1): 2, (2, 2): 2, (2, 7): 1, (1, 7): 1, (7, 1): 1}
    assert entries(found.lengths) == {(2, 2): 2, (3, 3): 1, (2, 1): 1, (1, 2): 1, (1, 0): 1}
    assert (found.examples, found.right) == (6, 1)
    assert found.right_by_length.tolist() == [0, 0, 1, 0, 0]
    assert found.calibration.compute_expected_error() == pytest.approx(0.9 - 1 / 6)


def test_a_number_that_is_too_long_is_a_length_of_its_own() -> None:
    read = [(TRUNCATED_TEXT, TRUNCATED_TEXT), ("12", TRUNCATED_TEXT), (TRUNCATED_TEXT, "123")]
    predictions = [predicted(*pair) for pair in read]
    found = analysis.analyze_predictions(predictions, max_length=3)
    assert entries(found.lengths) == {(4, 4): 1, (2, 4): 1, (4, 3): 1}
    assert (found.right, found.right_by_length.tolist(), entries(found.digits)) == (1, [0, 0, 0, 0, 1], {})


def test_the_worst_error_is_the_one_most_sure_of_the_wrong_number_over_the_right_one() -> None:
    readings = [
        predicted("1", "1", 1.0, 1.0),
        predicted("2", "7", 0.90, 0.09),  # 10 times
        predicted("3", "8", 0.40, 0.001),  # 400 times, though less sure
        predicted("4", "9", 0.50, 0.49),
        predicted("5", "6", 0.99, 0.0099),  # 100 times
    ]
    assert [each.label for each in analysis.analyze_predictions(readings, 1, worst=3).worst] == ["3", "5", "2"]
    assert [each.label for each in analysis.analyze_predictions(readings, 1).worst] == ["3", "5", "2", "4"]


def test_equals_stay_in_their_order_and_a_probability_of_nothing_is_no_failure() -> None:
    readings = [predicted("1", "7", 0.9, 0.0, name) for name in "abcd"]
    assert [each.name for each in analysis.analyze_predictions(readings, 1, worst=3).worst] == ["a", "b", "c"]


def test_only_so_many_are_kept_of_a_stream() -> None:
    alive: list[int] = []

    def stream() -> Iterator[Prediction]:
        for index in range(500):
            alive.append(index)
            yield predicted("1", "7", 0.9, 0.1 + index / 1000, str(index))

    found = analysis.analyze_predictions(stream(), 1, worst=4, samples=3)
    assert [each.name for each in found.worst] == ["0", "1", "2", "3"]
    assert [each.name for each in found.samples] == ["0", "1", "2"]
    assert (found.examples, found.right, len(alive)) == (500, 0, 500)


def test_without_errors_there_is_no_worst() -> None:
    found = analysis.analyze_predictions([predicted("12", "12"), predicted("90", "90")], 2)
    assert (found.worst, found.right) == ([], 2)


def test_the_example_is_the_first() -> None:
    readings = [predicted(label, "1", name=name) for label, name in (("1", "a"), ("2", "b"))]
    found = analysis.analyze_predictions(readings, 1).example
    assert found
    assert found.name == "a"


def test_nothing_read() -> None:
    found = analysis.analyze_predictions([], 2)
    assert (found.examples, found.samples, found.worst, found.example) == (0, [], [], None)


def test_labels_are_counted_by_position_and_length() -> None:
    counts = analysis.count_labels(["10", "1", "190", "90"], max_length=4)
    assert entries(counts.digits) == {(0, 1): 3, (0, 9): 1, (1, 0): 2, (1, 9): 1, (2, 0): 1}
    assert counts.lengths.tolist() == [0, 1, 2, 1, 0, 0]
    longer = analysis.count_labels(["10", "12345", "123456"], max_length=4)
    assert (longer.lengths.tolist(), longer.digits.sum(axis=1).tolist()) == ([0, 0, 1, 0, 0, 2], [3, 3, 2, 2])


def test_labels_of_a_split_are_read_without_its_pictures(tmp_path: Path) -> None:
    labels = ["210", "7", "00042"] * 500
    paths = [tmp_path / "a", tmp_path / "b"]
    parts = labels[:1300], labels[1300:]
    for path, part in zip(paths, parts, strict=True):
        records.write_shard(path, [records.serialize_example(b"no picture", label, f"é/{label}") for label in part])
    found = list(analysis.list_labels(Split(paths, [1300, 200], [0, 0])))
    assert found == [(f"é/{label}", label) for label in labels]
