"""Digit strings as labels: encoded as numbers for a network, and decoded from a network's outputs.

Worker processes that only crop pictures import this module, so TensorFlow is imported where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from svhn.spec import Box

if TYPE_CHECKING:
    import numpy as np


NUM_CLASSES = 10  # classes of a slot: the digits. A slot past the number's length has no class: the loss masks it
EMPTY = -1  # value of a slot past the number's length; its one-hot vector is all zeros
SVHN_ZERO = 10  # SVHN's files write the digit 0 as 10 (Netzer et al. 2011)


class Refusal(NamedTuple):
    """What was nearly read, in a picture that is answered with no number.

    Args:
        text: the digits of the most probable number; "" if no digit was read.
        confidence: probability from 0 to 1 that there is a number at all. It is below `needed`, or else no digit was
            read.
        needed: the least probability, from 0 to 1, with which a picture of this size is given a number.
    """

    text: str
    confidence: float
    needed: float


class Reading(NamedTuple):
    """A number that was read.

    Args:
        text: the number's digits; "" if no number was found.
        confidence: probability from 0 to 1 that all digits of `text` are right; 0 if no number was found.
        digit_confidences: probability of each digit, from left to right.
        box: the number's place in the picture: left, top, right and bottom in pixels; None if it was not located.
        refused: what was nearly read, if no number was found; else None.
        size: width and height of the upright picture, in pixels; None if only a crop was read.
        error: the picture's path, and why the picture could not be read; "" if it was.
        passing: whether the reason of `error` may pass, as that of a network does: another try may succeed.
    """

    text: str
    confidence: float
    digit_confidences: tuple[float, ...]
    box: Box | None = None
    refused: Refusal | None = None
    size: tuple[int, int] | None = None
    error: str = ""
    passing: bool = False

    def __repr__(self) -> str:
        """`Reading('210', 0.987, box=(34.1, 20.5, 80.2, 48.0))`: what is empty is left out, and numbers are rounded."""
        if self.error:
            return f"Reading(error={self.error!r})"
        if self.refused:
            text, confidence, needed = self.refused
            return f"Reading('', refused=Refusal({text!r}, {confidence:.3f}, {needed:.3f}))"
        box = f", box=({', '.join(f'{side:.1f}' for side in self.box)})" if self.box else ""
        return f"Reading({self.text!r}, {self.confidence:.3f}{box})"


def parse_svhn_label(label: float) -> str:
    """The digit that a label in SVHN's files stands for.

    Raises:
        ValueError: the label is not a whole number from 1 to 10.
    """
    if label not in range(1, SVHN_ZERO + 1):
        raise ValueError(f"label {label:g}: expected a whole number from 1 to {SVHN_ZERO}, which stands for 0")
    return str(int(label) % SVHN_ZERO)


def encode_text(text: str, max_length: int) -> list[int]:
    """`"210"` with five slots is `[2, 1, 0, EMPTY, EMPTY]`."""
    return [int(digit) for digit in text] + [EMPTY] * (max_length - len(text))


def decode_slots(slots: np.ndarray) -> str:
    """`[2, 1, 0, EMPTY, EMPTY]` is `"210"`."""
    return "".join(str(int(slot)) for slot in slots if slot != EMPTY)


def make_reading(slots: np.ndarray, confidence: float, digit_confidences: np.ndarray) -> Reading:
    """The reading of one picture from its slots, int (max_length,), and their probabilities, (max_length,)."""
    text = decode_slots(slots)
    return Reading(text, float(confidence), tuple(float(value) for value in digit_confidences[: len(text)]))
