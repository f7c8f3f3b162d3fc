"""What one client may ask of the server."""

from __future__ import annotations

import math
from dataclasses import dataclass

from svhn.errors import UserError


@dataclass(frozen=True)
class Limits:
    """Limits of requests. A picture's pixels are limited where it is opened: see `images.decoding`.

    Args:
        megabytes: of a request's body.
        pictures: of a request.
        seconds: until a request that was taken is answered.
        waiting: requests that are taken and not answered yet; more are told to come back.
    """

    megabytes: float = 25.0
    pictures: int = 32
    seconds: float = 60.0
    waiting: int = 64

    def __post_init__(self) -> None:
        """Raises `UserError` for a limit that is not above 0."""
        for name, value in vars(self).items():
            if not 0 < value < math.inf:
                raise UserError(f"--max_{name}={value}: expected a number above 0")
