"""Reads numbers of several digits from pictures."""

__version__ = "0.1.0"
