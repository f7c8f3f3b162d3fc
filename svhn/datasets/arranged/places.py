"""Where the digits of a number stand. A place is the left and top end of a digit's box, in pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from svhn.spec import Point

Sizes = Sequence[tuple[float, float]]  # width and height of each digit's box, in pixels


def line_up(rng: np.random.Generator, sizes: Sizes, gaps: tuple[float, float], rise: float = 0.0) -> list[Point]:
    """Digits in a row, with gaps of about one width.

    Args:
        rng: draws the gaps.
        sizes: width and height of each digit.
        gaps: least and largest gap, as shares of the height of the highest digit.
        rise: how far each digit stands above the one before, as a share of the same height.
    """
    high = max(height for _, height in sizes)
    gap, x, points = high * rng.uniform(*gaps), 0.0, []
    for index, (width, height) in enumerate(sizes):
        points.append((x, high * (rng.normal(0, 0.02) - index * rise) - height))
        x += width + gap * rng.uniform(0.8, 1.2)
    return points


def climb(rng: np.random.Generator, sizes: Sizes) -> list[Point]:
    """Digits each of which stands higher, or each lower, than the one before."""
    return line_up(rng, sizes, (0.0, 0.4), float(rng.choice((-1, 1)) * rng.uniform(0.2, 0.9)))


def pile_up(rng: np.random.Generator, sizes: Sizes) -> list[Point]:
    """Digits above one another, about one middle or, more rarely, from one left end."""
    high = max(height for _, height in sizes)
    gap, align, y, points = high * rng.uniform(0, 0.6), float(rng.choice((0.0, 0.5, 0.5, 0.5))), 0.0, []
    for width, height in sizes:
        points.append((high * rng.normal(0, 0.03) - align * width, y))
        y += height + gap * rng.uniform(0.8, 1.2)
    return points


def split_rows(rng: np.random.Generator, sizes: Sizes) -> list[Point]:
    """Digits in two rows, of equally many or one more, from one left end, about one middle, or to one right end."""
    first = (len(sizes) + int(rng.integers(2))) // 2
    gap = rng.uniform(0, 0.25)
    upper, lower = (line_up(rng, row, (gap, gap)) for row in (sizes[:first], sizes[first:]))
    ends = upper[-1][0] + sizes[first - 1][0], lower[-1][0] + sizes[-1][0]
    across = float(rng.choice((0.0, 0.5, 0.5, 1.0))) * (ends[0] - ends[1])
    down = rng.uniform(1.05, 1.5) * max(height for _, height in sizes)
    return upper + [(x + across, y + down) for x, y in lower]
