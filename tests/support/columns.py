"""A network on parts of a picture that shows a column of digits."""

from __future__ import annotations

import math
from collections.abc import Sequence

from svhn.images import compute_overlap
from svhn.labels import Number
from svhn.reading.columns import PART_MARGIN
from svhn.spec import Box

DIGITS: dict[str, Box] = {"7": (10.0, 0.0, 40.0, 45.0), "1": (10.0, 57.0, 40.0, 102.0), "9": (10.0, 114.0, 40.0, 159.0)}
COLUMN: Box = (10.0, 0.0, 40.0, 159.0)
LEAST_FIT = 0.8  # overlap of a part with a digit that the part shows


class ColumnReader:
    """Reads parts as the digits that fill them, and any other part as two digits. Keeps the parts.

    Args:
        confidence: of each digit; None for how well it fills its part.
    """

    def __init__(self, confidence: float | None = None) -> None:
        self.confidence, self.seen = confidence, list[Sequence[Box]]()

    def __call__(self, rows: Sequence[Sequence[Box]]) -> list[Number]:
        self.seen += rows
        return [self.read(parts) for parts in rows]

    def read(self, parts: Sequence[Box]) -> Number:
        inner = [cut_margins(part) for part in parts]
        texts = [max(DIGITS, key=lambda digit: compute_overlap(box, DIGITS[digit])) for box in inner]
        fits = [compute_overlap(box, DIGITS[text]) for box, text in zip(inner, texts, strict=True)]
        shown = "".join(text if fit > LEAST_FIT else "44" for text, fit in zip(texts, fits, strict=True))
        sure = [fit if self.confidence is None else self.confidence for fit in fits]
        return Number(shown, math.prod(sure), tuple(sure))


def cut_margins(part: Box) -> Box:
    """The box of a digit, of which a part shows more above and below."""
    left, top, right, bottom = part
    margin = PART_MARGIN * (bottom - top) / (1 + 2 * PART_MARGIN)
    return left, top + margin, right, bottom - margin
