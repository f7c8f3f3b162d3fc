"""A run as a page of figures, and what is drawn for it."""
