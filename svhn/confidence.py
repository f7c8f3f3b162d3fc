"""How probable an answer is, and how probable it has to be. Both depend on how many windows of a picture were searched.

Each window can be mistaken for a number. So what is read in many windows is less probable than the networks, which were
calibrated on one picture each, make it; and one mistake in a large photo weighs more than one number that is missed.
"""

from __future__ import annotations

# The odds of an answer, as a share of those of the networks' product in one window, and the power of the number of
# windows by which they fall: fitted on whole and made pictures of valid, see docs/ablation.md.
ODDS_SHARE, ODDS_EXPONENT = 0.5, 0.3
NEEDED_EXPONENT = 0.5  # the power by which the odds that are needed rise, chosen there with the finder's threshold


def estimate_confidence(probability: float, windows: int) -> float:
    """The probability, 0 to 1, that an answer is right.

    Args:
        probability: the finder's, that there is a number, times the reader's, that it is this one.
        windows: number of windows of the picture.
    """
    odds = ODDS_SHARE * probability
    return odds / (odds + (1 - probability) * windows**ODDS_EXPONENT)


def compute_needed(threshold: float, windows: int) -> float:
    """The least confidence, 0 to 1, with which a number is answered.

    Args:
        threshold: that in a picture of one window.
        windows: number of windows of the picture.
    """
    odds = threshold * windows**NEEDED_EXPONENT
    return odds / (odds + (1 - threshold))
