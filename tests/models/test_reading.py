"""Every model in `MODELS` is read alike by TensorFlow, and by LiteRT from an exported file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.networks import make_info, new_model

from svhn.evaluation.decoding import decode_outputs
from svhn.models import MODELS
from svhn.publishing.agreement import compare_outputs
from svhn.publishing.export import make_exportable, unroll_recurrence
from svhn.publishing.formats import FORMATS
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["litert", "litert_int8"])
@every_model
def test_litert_reads_it_alike(name: str, kind: str, tmp_path: Path) -> None:
    model, images, path = new_model(name), draw_images(16), tmp_path / "run.tflite"
    module = make_exportable(freeze_model(unroll_recurrence(model)), make_run(name))
    FORMATS[kind].write(module, path)
    found, expected = engine.LOADERS["litert"](path)(images), module.run_images(images)
    agreement = compare_outputs(found, expected)
    if FORMATS[kind].exact:
        assert agreement.is_close(exact=True)
    else:  # networks that were not trained are sure of nothing
        assert agreement.confidence < 0.1
        assert agreement.overlap > 0.95
