"""TensorFlow reads every model in `MODELS`; `tests/publishing/test_formats.py` has exported files read all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.networks import make_info, new_model

from svhn.evaluation.decoding import decode_outputs
from svhn.models import MODELS
from svhn.reading import engine
from svhn.run import Run
from svhn.runs.load import freeze_model
from svhn.runs.stored import make_config

every_model = pytest.mark.parametrize("name", MODELS)


def make_run(name: str) -> Run:
    return Run(
        Path(),
        make_config({"model": name, "random_crop": False, "grayscale": False, "mixed_precision": False, "views": 1}),
        make_info(),
    )


def draw_images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 24, 40, 3), np.uint8)


@every_model
def test_tensorflow_reads_it_in_any_number(name: str) -> None:
    model, images = new_model(name), draw_images(5)
    network = engine.wrap_tensorflow(name, make_run(name), freeze_model(model), "box" in model.output)
    assert network.locates == (name == "finder")
    expected = decode_outputs(model(images.astype(np.float32), training=False))
    for count in (5, 1):
        found = network.compute(images[:count])
        np.testing.assert_allclose(found["confidence"], expected.confidence[:count], atol=1e-5)
        np.testing.assert_array_equal(found["number"], expected.digits[:count])
