"""Publishing: a run as released weights, or as a file for another runtime."""
