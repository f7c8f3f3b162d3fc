"""Layers and heads for the models."""
