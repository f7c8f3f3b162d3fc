"""How probable an answer is, and has to be, in a picture of so many windows."""

from __future__ import annotations

import pytest

from svhn.confidence import NEEDED_EXPONENT, ODDS_EXPONENT, ODDS_SHARE, compute_needed, estimate_confidence

WINDOWS = (1, 2, 8, 100)


def compute_odds(probability: float) -> float:
    return probability / (1 - probability)


def test_more_windows_make_an_answer_less_probable() -> None:
    """Its odds are a share of the networks', over a power of the count."""
    found = [compute_odds(estimate_confidence(0.9, count)) for count in WINDOWS]
    assert found == pytest.approx([ODDS_SHARE * 9 / count**ODDS_EXPONENT for count in WINDOWS])


def test_more_windows_ask_for_a_surer_number() -> None:
    """The odds of a number are those of the threshold times a power of the count."""
    assert compute_needed(0.9, 1) == pytest.approx(0.9)
    found = [compute_odds(compute_needed(0.9, count)) for count in WINDOWS]
    assert found == pytest.approx([9 * count**NEEDED_EXPONENT for count in WINDOWS])


@pytest.mark.parametrize("count", WINDOWS)
def test_what_is_certain_stays_certain(count: int) -> None:
    for compute in (estimate_confidence, compute_needed):
        assert (compute(0.0, count), compute(1.0, count)) == (0, 1)
