"""The published weights that the model `ppocr` begins with, from the file in the package rapidocr."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from support.networks import new_model, new_state

from svhn.errors import UserError
from svhn.models import MODELS, ppocr_weights
from svhn.training.initial_weights import initialize_weights
from svhn.training.step import is_pretrained

pytest.importorskip("rapidocr")


def list_published(model: Any) -> list[np.ndarray]:
    return [weight.numpy() for weight in model.weights if is_pretrained(weight)]


def test_a_new_run_begins_with_the_published_weights(tmp_path: Any) -> None:
    """`load_weights` itself compares the features with those that onnxruntime computes of the file."""
    state = new_state("ppocr", average=0.9)
    before = [weight.numpy() for weight in state.model.weights]
    run: Any = type("Run", (), {"config": type("Config", (), {"init_from": "", "model": "ppocr"})})
    lines: list[str] = []
    initialize_weights(state, run, tmp_path, lines.append)
    assert lines == ["Began with the weights of PP-OCRv6_rec_small.onnx: 108 of 119, the others are new"]
    changed = [not np.array_equal(new, old) for new, old in zip(state.model.get_weights(), before, strict=True)]
    assert sum(changed) == 108 == len(list_published(state.model))
    for average, weight in zip(state.average.get_weights(), state.model.get_weights(), strict=True):
        np.testing.assert_array_equal(average, weight)


def test_gray_pictures_are_seen_as_colored_ones_without_a_color() -> None:
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 24, 40, 1)).astype(np.float32)
    gray, colored = (MODELS["ppocr"].build((24, 40, channels), 5, 7) for channels in (1, 3))
    for model in (gray, colored):
        ppocr_weights.load_weights(model)
    features = [
        keras.Model(model.input, model.get_layer("block12").output)(np.repeat(pictures, channels, axis=-1))
        for model, channels in ((gray, 1), (colored, 3))
    ]
    np.testing.assert_allclose(*features, atol=1e-4)


def test_other_features_than_the_file_gives_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppocr_weights, "SAME", 0.0)
    with pytest.raises(UserError, match=r"PP-OCRv6_rec_small.onnx: its features are .* from the model's, expected at"):
        ppocr_weights.load_weights(new_model("ppocr"))


def test_a_file_with_other_layers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppocr_weights, "FILE", "models/PP-OCRv6_det_small.onnx")
    with pytest.raises(UserError, match=r"det_small.onnx: \d+ of its \d+ convolutions have the shapes of .* 54 of 54$"):
        ppocr_weights.load_weights(new_model("ppocr"))


def test_a_file_with_a_layer_of_another_shape_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    read = ppocr_weights._read_weights

    def read_others(graph: Any) -> list[list[np.ndarray]]:
        (first, *others) = read(graph)
        return [[first[0].swapaxes(0, 1), first[1]], *others]

    monkeypatch.setattr(ppocr_weights, "_read_weights", read_others)
    with pytest.raises(UserError, match=r"rec_small.onnx: 53 of its 54 convolutions have the shapes of .* 54 of 54$"):
        ppocr_weights.load_weights(new_model("ppocr"))


def test_a_file_without_the_map_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    onnx = pytest.importorskip("onnx")
    load = onnx.load

    def load_another(path: Any) -> Any:
        published = load(path)
        (pooled,) = (node for node in published.graph.node if node.op_type == "AveragePool")
        pooled.op_type = "MaxPool"
        return published

    monkeypatch.setattr(onnx, "load", load_another)
    with pytest.raises(UserError, match="its features are inf from the model's"):
        ppocr_weights.load_weights(new_model("ppocr"))


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime", "rapidocr"])
def test_missing_packages_are_said(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = ppocr_weights.find_spec
    monkeypatch.setattr(ppocr_weights, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(UserError, match=r"^--model=ppocr begins with .*: run pip install -e '.\[ppocr\]'"):
        ppocr_weights.load_weights(new_model("ppocr"))


def test_only_models_with_published_weights_begin_with_them() -> None:
    assert [name for name, spec in MODELS.items() if spec.pretrain] == ["ppocr"]
