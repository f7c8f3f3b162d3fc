"""Layers and heads that several models share."""
