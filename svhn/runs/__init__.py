"""The folder of a run, its checkpoints, and its network, built and loaded."""
