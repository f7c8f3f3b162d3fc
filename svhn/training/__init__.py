"""The training loop and its parts; the learning-rate finder; the comparison of models."""
