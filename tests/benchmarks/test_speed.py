"""What `benchmarks.speed` compares: our network and PyTorch's, where that is installed."""

from __future__ import annotations

import importlib.util
import math

import pytest

from benchmarks import speed
from svhn.models import MODELS


@pytest.mark.slow
def test_both_ways_train_and_read_the_same_network() -> None:
    """Ours alone where there is no PyTorch, which the tests don't install."""
    batch = speed.make_batch(2)
    ours, parameters, operations = speed.make_keras_calls(batch, 2)
    assert parameters == MODELS["reader"].parameters
    assert operations > parameters  # each weight of a convolution is used at many places
    has_torch = importlib.util.find_spec("torch") is not None
    for ways in (ours, *([speed.make_torch_calls(batch, parameters)] if has_torch else [])):
        assert math.isfinite(float(ways["training"]()))
        assert ways["inference"]().shape == (2, 5, 10)
