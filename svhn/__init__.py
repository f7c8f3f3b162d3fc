"""Reads numbers of several digits from pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from svhn.labels import Number, Reading

if TYPE_CHECKING:
    from svhn.reading.reader import Reader

__all__ = ["Number", "Reader", "Reading", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`svhn.Reader`, which brings TensorFlow only where it is asked for."""
    if name != "Reader":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from svhn.reading.reader import Reader

    return Reader
