"""The weights of PP-OCRv6's small recognizer, read from the ONNX file in the package rapidocr."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np

from svhn.errors import UserError, suggest_extra
from svhn.models import PRETRAINED
from svhn.models.ppocr import add_backbone
from svhn.spec import Size

PACKAGE, FILE = "rapidocr", "models/PP-OCRv6_rec_small.onnx"
SIZE: Size = (48, 80)  # of the pictures on which both are compared
SAME = 1e-3  # largest difference of the features


def load_weights(model: keras.Model) -> str:
    """Copy the published weights into the layers of a `ppocr` model that have some. Returns a line for the user.

    Raises:
        UserError: a package is missing, or the file has other layers than the model or computes other features.
    """
    path = _find_file()
    import onnx

    published = onnx.load(path)
    weights = list(_read_weights(published.graph))
    with keras.device("cpu:0"):  # a GPU computes convolutions less exactly than they are compared
        image: Any = keras.Input((*SIZE, 3), dtype="float32")
        backbone = keras.Model(image, add_backbone(image))
        for each in (backbone, model):
            _fill_layers(each, weights, path)
        apart = _compare_features(backbone, published)
    if not apart <= SAME:
        raise UserError(f"{path}: its features are {apart:.2g} from the model's, expected at most {SAME}")
    return f"Began with the weights of {path.name}: {2 * len(weights)} of {len(model.weights)}, the others are new"


def _compare_features(backbone: keras.Model, published: Any) -> float:
    """The largest difference between the backbone's map and that of the file in which its weights were found.

    The file averages this map. A file that averages none computes other features: the difference is infinite.
    """
    import onnx
    import onnxruntime

    averaged = [node.input[0] for node in published.graph.node if node.op_type == "AveragePool"]
    if len(averaged) != 1:
        return math.inf
    published.graph.output.append(onnx.helper.make_empty_tensor_value_info(averaged[0]))
    session = onnxruntime.InferenceSession(published.SerializeToString())
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, *SIZE, 3)).astype(np.float32)
    (expected,) = session.run(averaged, {session.get_inputs()[0].name: pictures.transpose(0, 3, 1, 2)})
    features = np.asarray(backbone(pictures))
    return float(np.abs(features - np.asarray(expected).transpose(0, 2, 3, 1)).max())


def _find_file() -> Path:
    if find_spec("onnx") is None or find_spec("onnxruntime") is None:
        raise UserError(f"--model=ppocr begins with weights that ONNX reads: {suggest_extra('ppocr')}")
    spec = find_spec(PACKAGE)
    for path in (Path(folder) / FILE for folder in (spec and spec.submodule_search_locations) or ()):
        if path.is_file():
            return path
    raise UserError(
        f"--model=ppocr begins with the weights in {FILE} of the package {PACKAGE}, which was not found: "
        f"{suggest_extra('ppocr')}"
    )


def _read_weights(graph: Any) -> Iterator[list[np.ndarray]]:
    """The kernel, as ONNX has it, and the bias of each convolution that is followed by one, in turn."""
    from onnx import numpy_helper

    values: dict[str, np.ndarray] = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    constants = [node for node in graph.node if node.op_type == "Constant"]
    values |= {node.output[0]: numpy_helper.to_array(node.attribute[0].t) for node in constants}
    names = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    inputs = {node.output[0]: [_follow(names, name) for name in node.input] for node in graph.node}
    biases = {
        inputs[node.output[0]][0]: values[inputs[node.output[0]][1]]
        for node in graph.node
        if node.op_type == "Add" and inputs[node.output[0]][1] in values
    }
    for node in graph.node:
        output = node.output[0]
        if node.op_type == "Conv" and output in biases and inputs[output][1] in values:
            yield [values[inputs[output][1]], biases[output].ravel()]


def _follow(names: Mapping[str, str], name: str) -> str:
    """The name of which another one is only a copy."""
    while name in names:
        name = names[name]
    return name


def _fill_layers(model: keras.Model, weights: list[list[np.ndarray]], path: Path) -> None:
    layers = [layer for layer in model.layers if layer.name.startswith(PRETRAINED)]
    adapted = [_adapt_weights(*each) for each in zip(layers, weights, strict=False)]
    fit = [
        [one.shape for one in layer.weights] == [one.shape for one in pair]
        for layer, pair in zip(layers, adapted, strict=False)
    ]
    if len(layers) != len(weights) or not all(fit):
        raise UserError(
            f"{path}: {sum(fit)} of its {len(weights)} convolutions have the shapes of this model's, expected "
            f"{len(layers)} of {len(layers)}"
        )
    for layer, pair in zip(layers, adapted, strict=True):
        layer.set_weights(pair)


def _adapt_weights(layer: keras.layers.Layer, weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """A convolution's weights as Keras orders them; their sum over the colors, which are alike in gray pictures."""
    kernel, bias = weights
    kernel = kernel.transpose((2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (2, 3, 1, 0))
    gray = (kernel.shape[2], layer.weights[0].shape[2]) == (3, 1)
    return [kernel.sum(axis=2, keepdims=True) if gray else kernel, bias]
