"""What `benchmarks.speed` compares: our network and PyTorch's, where that is installed."""

from __future__ import annotations

import math

import pytest

from benchmarks import speed


def test_both_ways_train_and_read_the_same_network() -> None:
    pytest.importorskip("torch")
    batch = speed.make_batch(2)
    ours, parameters, _ = speed.make_keras_calls(batch, 2)
    theirs = speed.make_torch_calls(batch, parameters)  # says itself whether the parameters are as many
    for ways in (ours, theirs):
        assert math.isfinite(float(ways["training"]()))
    assert ours["inference"]().shape == theirs["inference"]().shape == theirs["in float32"]().shape == (2, 5, 10)
