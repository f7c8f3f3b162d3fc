"""A run made ready for others: released, or exported for other runtimes."""
