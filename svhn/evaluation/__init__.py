"""What a network reads in a split, and how well: readings, scores and tables."""
