"""When an exported file agrees with TensorFlow, and with which images it is checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.networks import make_info

from svhn.publishing import agreement
from svhn.publishing.formats import Outputs

COUNT = 100


def make_outputs() -> Outputs:
    """Of a finder that reads a 7 in two slots of each of `COUNT` images; it is not sure of the last one."""
    return {
        "digits": np.tile(np.linspace(-1, 1, 10, dtype=np.float32), (COUNT, 3, 1)),
        "number": np.tile([7, 7, -1], (COUNT, 1)).astype(np.int32),
        "confidence": np.array([0.8] * (COUNT - 1) + [0.2], np.float32),
        "digit_confidences": np.full((COUNT, 3), 0.9, np.float32),
        "probability": np.full(COUNT, 0.99, np.float32),
        "box": np.tile([0.2, 0.2, 0.6, 0.6], (COUNT, 1)).astype(np.float32),
    }


def compare(**changes: tuple[tuple[int, ...] | slice, float]) -> agreement.Agreement:
    """How outputs with another value at a place of an output agree with those of `make_outputs`."""
    found = make_outputs()
    for name, (place, value) in changes.items():
        found[name][place] = value
    return agreement.compare_outputs(found, make_outputs())


def test_the_same_outputs_agree() -> None:
    assert compare() == (1, 1, 0, 0, 0, 1)
    assert compare().is_close(exact=True)
    assert compare().is_close(exact=False)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"number": ((3, 0), 1)}, {"same": 0.99, "sure": 98 / 99}),
        ({"number": ((-1, 0), 1)}, {"same": 0.99}),
        ({"digits": ((3, 0, 0), -0.5)}, {"difference": 0.5, "noise": 0.5 / np.sqrt(COUNT * 30) / 0.638}),
        ({"confidence": ((3,), 0.75)}, {"difference": 0.05, "confidence": 0.05}),
        ({"digit_confidences": ((3, 1), 0.85)}, {"difference": 0.05, "confidence": 0.05}),
        ({"digit_confidences": ((3, 2), 0.85)}, {"difference": 0.05}),  # of a slot past the number's end
        ({"probability": ((3,), 0.94)}, {"difference": 0.05, "confidence": 0.05}),
        ({"box": ((3, 2), 0.4)}, {"difference": 0.2, "overlap": 0.995}),
    ],
)
def test_what_differs_is_measured(changes: dict[str, Any], expected: dict[str, float]) -> None:
    found = compare(**changes)
    assert found == pytest.approx(compare()._replace(**expected), abs=1e-4)
    assert not found.is_close(exact=True)
    assert found.is_close(exact=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": (slice(0, 2), 1)},
        {"digits": (slice(0, 1), 0.5)},
        {"confidence": (slice(0, 1), 0.6)},
        {"digit_confidences": (slice(0, 1), 0.7)},
        {"probability": (slice(0, 1), 0.8)},
        {"box": (slice(0, 10), 0)},
        {"confidence": (slice(0, 1), np.nan)},
        {"box": (slice(0, 1), np.nan)},
    ],
    ids=str,
)
def test_rounded_weights_have_limits(changes: dict[str, Any]) -> None:
    assert not compare(**changes).is_close(exact=False)


def test_nothing_agrees_with_nan() -> None:
    """NaN is neither below nor above any limit."""
    assert not compare(digits=((3, 0, 0), np.nan)).is_close(exact=True)


def test_numbers_of_any_length_are_drawn() -> None:
    assert agreement.draw_plain_images(make_info(max_length=20), 4).shape == (4, 24, 40, 3)
