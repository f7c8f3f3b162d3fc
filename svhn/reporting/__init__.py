"""Reports: one HTML page about a run, with its charts and pictures."""
