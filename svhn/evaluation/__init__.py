"""A network over a split: its readings and its scores."""
