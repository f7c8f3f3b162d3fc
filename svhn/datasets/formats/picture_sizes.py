"""The sizes of labeled pictures, for labels that are shares of a picture."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from svhn.errors import PassingError
from svhn.images import measure_picture
from svhn.runtime.files import describe_file

KEPT = 1 << 18  # pictures whose sizes are kept in memory


def find_size(path: Path) -> tuple[tuple[int, int], str]:
    """Width and height of a picture as it is seen, and "", or any size and why the picture can't be measured.

    Raises `PassingError` if the reason may pass.
    """
    try:
        return _measure_state(str(path), describe_file(str(path))), ""
    except PassingError:
        raise
    except (OSError, ValueError) as error:
        return (1, 1), str(error)


@lru_cache(maxsize=KEPT)
def _measure_state(path: str, _state: str) -> tuple[int, int]:
    """The picture as it was at a time, so that it is opened once although its labels are read several times."""
    return measure_picture(path)
