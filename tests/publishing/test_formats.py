"""Every model can be written in every format, with views and for any number of images at once."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.networks import make_info, new_model, new_state

from svhn.config import RELEASED
from svhn.models import MODELS
from svhn.publishing import agreement, export
from svhn.publishing.formats import FORMATS, Exportable
from svhn.reading import engine
from svhn.run import Run
from svhn.runs import load, stored
from svhn.spec import Info

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the converters
ROWS = Info("mnist_stacked", (64, 208), 0.0, 1, 4, "png", {}, {}, {}, {}, seed=0, fixed_length=True)
QUICK = "shallow"  # to convert; the others take seconds each


def make_module(name: str, info: Info, **options: Any) -> Exportable:
    """A network with random weights, as it is exported."""
    model = export.unroll_recurrence(new_state(name, info).model if info is ROWS else new_model(name))
    rng = np.random.default_rng(0)
    model.set_weights([weight * rng.uniform(0.9, 1.1) for weight in model.get_weights()])
    config = stored.make_config({"model": name, "random_crop": False, **options, **export.PORTABLE_OPTIONS})
    return export.make_exportable(load.freeze_model(model), Run(Path(), config, info))


def draw_noise(info: Info) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(3, *info.size, info.channels)).astype(np.uint8)


EXPORTED = [*((name, make_info()) for name in MODELS), ("gru_rows", ROWS)]
REFUSED = ("ppocr", "litert_int8")  # its weights lose too much (docs/ablation.md, A published backbone)


@pytest.mark.parametrize(
    ("name", "info", "kind"),
    [
        pytest.param(name, info, kind, marks=[] if name == QUICK else [pytest.mark.slow])
        for (name, info), kind in itertools.product(EXPORTED, FORMATS)
        if (name, kind) != REFUSED
    ],
)
def test_every_model_can_be_exported(name: str, info: Info, kind: str, tmp_path: Path) -> None:
    module, images, limit = make_module(name, info), draw_noise(info), 1e-4 if FORMATS[kind].exact else 0.05
    assert export.write_export(module, kind, tmp_path / "file", images).confidence < limit
    if kind in engine.FORMATS:  # `read` takes it
        found = engine.LOADERS[engine.FORMATS[kind]](tmp_path / "file")(images)
        assert agreement.compare_outputs(found, module.run_images(images)).confidence < limit


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_takes_any_number_of_images(kind: str, tmp_path: Path) -> None:
    info = make_info()
    export.write_export(make_module(QUICK, info), kind, tmp_path / "file", draw_noise(info))
    call, images = FORMATS[kind].load(tmp_path / "file"), draw_noise(info)
    together = call(images)
    for place, image in enumerate(images):
        for output, values in call(image[None]).items():
            np.testing.assert_allclose(values[0], together[output][place], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("dataset", ["svhn", "mnist_stacked"])
def test_views_are_part_of_the_file(kind: str, dataset: str, tmp_path: Path) -> None:
    """Views of handwritten digits also bend them."""
    info = make_info()
    module = make_module(QUICK, info, views=3, dataset=dataset)
    found = export.write_export(module, kind, tmp_path / "file", draw_noise(info))
    assert found.confidence < (1e-4 if FORMATS[kind].exact else 0.05)
    one_view = make_module(QUICK, info, views=1).run_images(draw_noise(info))
    differing = agreement.compare_outputs(FORMATS[kind].load(tmp_path / "file")(draw_noise(info)), one_view)
    assert differing.difference > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_the_released_finder_agrees_in_every_runtime(kind: str, tmp_path: Path) -> None:
    target = tmp_path / f"finder{FORMATS[kind].suffix}"
    found = export.export_run(RELEASED / "finder", {}, "best", str(tmp_path), kind, target).agreement
    assert found.confidence < (1e-3 if FORMATS[kind].exact else 0.1)
    assert found.overlap > (0.999 if FORMATS[kind].exact else 0.97)
    outputs = FORMATS[kind].load(target)(np.zeros((2, 64, 128, 3), np.uint8))
    assert (outputs["box"].shape, outputs["probability"].shape) == ((2, 4), (2,))
