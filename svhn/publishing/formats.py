"""Export formats: how each one's file is written from a function, and run in its own runtime.

Runtimes and converters are optional packages, so they are imported where they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from svhn.errors import UserError, suggest_extra
from svhn.publishing.pictures import load_picture
from svhn.runtime.shell import silence_native_code
from svhn.spec import Info

OPSET = 18  # version of ONNX's operators, which every onnxruntime since 1.14 (2023) supports

Outputs = dict[str, np.ndarray]
Call = Callable[[np.ndarray], Outputs]


class Exportable(tf.Module):
    """A function of images, as a TensorFlow module, and the same function of encoded picture files."""

    def __init__(self, read: Callable[[tf.Tensor], dict[str, tf.Tensor]], info: Info) -> None:
        """Trace the two functions.

        Args:
            read: takes images, uint8 (batch, height, width, channels) of a record's size; returns tensors by name.
            info: the form of the run's records.
        """
        super().__init__()
        self.info = info
        self.signature = tf.TensorSpec((None, *info.size, info.channels), tf.uint8, "images")
        self.images = tf.function(read, input_signature=[self.signature])
        self.encoded = tf.function(self.decode_and_read, input_signature=[tf.TensorSpec((None,), tf.string, "encoded")])

    def run_images(self, images: np.ndarray) -> Outputs:
        """The outputs for images, uint8 (batch, height, width, channels), in TensorFlow."""
        return {name: value.numpy() for name, value in self.images(tf.constant(images)).items()}

    def decode_and_read(self, encoded: tf.Tensor) -> dict[str, tf.Tensor]:
        """The outputs for encoded pictures, and `text`, the number's digits, string (batch,).

        Args:
            encoded: contents of PNG and JPEG files of any size, string (batch,), as `pictures.load_picture` takes them.
        """
        outputs = self.images(tf.map_fn(self.load_file, encoded, fn_output_signature=tf.uint8))
        slots = tf.where(outputs["number"] >= 0, tf.strings.as_string(outputs["number"]), "")
        return {**outputs, "text": tf.strings.reduce_join(slots, axis=1)}

    def load_file(self, encoded: tf.Tensor) -> tf.Tensor:
        """One encoded picture as an image of a record's size, uint8 (height, width, channels)."""
        return load_picture(encoded, self.info.size, self.info.channels)


def _import_extra(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise UserError(f"exporting needs {module}: {suggest_extra('export')}") from error


def _write_savedmodel(module: Exportable, path: Path) -> None:
    signatures: Any = {"serving_default": module.encoded, "images": module.images}
    tf.saved_model.save(module, str(path), signatures)


def _load_savedmodel(path: Path) -> Call:
    loaded: Any = tf.saved_model.load(str(path))
    return lambda images: {name: value.numpy() for name, value in loaded.images(tf.constant(images)).items()}


def _write_onnx(module: Exportable, path: Path) -> None:
    convert = _import_extra("tf2onnx").convert
    _import_extra("onnxruntime")
    handlers = {"Erfc": (_write_erfc, [])}
    convert.from_function(
        module.images, [module.signature], opset=OPSET, output_path=str(path), custom_op_handlers=handlers
    )


def _write_erfc(graph: Any, node: Any, name: str, _: Any) -> None:
    """Write TensorFlow's Erfc, by which Keras computes the exact GELU, as 1 - Erf: ONNX has no Erfc.

    tf2onnx 1.17 writes an operator of that name, and onnxruntime refuses the file. LiteRT's converter takes Erfc alone.
    """
    node.type = "Erf"
    one = graph.make_const(f"{name}/one", np.array(1, np.float32))
    complement = graph.make_node("Sub", [one.output[0], node.output[0]], name=f"{name}/complement")
    graph.replace_all_inputs(
        node.output[0], complement.output[0], ops=[each for each in graph.get_nodes() if each is not complement]
    )


def _load_onnx(path: Path) -> Call:
    """A function that runs an ONNX file in onnxruntime."""
    session = _import_extra("onnxruntime").InferenceSession(str(path))
    names = [output.name for output in session.get_outputs()]
    return lambda images: dict(zip(names, session.run(None, {"images": images}), strict=True))


def _make_litert_converter(module: Exportable) -> Any:
    _import_extra("ai_edge_litert.interpreter")
    return tf.lite.TFLiteConverter.from_concrete_functions([module.images.get_concrete_function()], module)


def _write_litert(module: Exportable, path: Path) -> None:
    path.write_bytes(_make_litert_converter(module).convert())


def _write_litert_int8(module: Exportable, path: Path) -> None:
    """Write the weights in 8 bits, while what is computed with them stays in float32.

    With images to measure their ranges on, the converter would round activations to 8 bits, too, and with them the
    decoding: confidences then had 38 values, and were off by up to 0.93.
    """
    converter = _make_litert_converter(module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    path.write_bytes(converter.convert())


def _write_litert_float16(module: Exportable, path: Path) -> None:
    """Write the weights in 16 bits: half the size, and nothing lost of a released run, whose weights are in float16."""
    converter = _make_litert_converter(module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    path.write_bytes(converter.convert())


def _load_litert(path: Path) -> Call:
    with silence_native_code():  # LiteRT prints which of its delegates computes
        interpreter = _import_extra("ai_edge_litert.interpreter").Interpreter(str(path))
        interpreter.allocate_tensors()
    read = interpreter.get_signature_runner()
    return lambda images: read(images=images)


class Format(NamedTuple):
    """An export format.

    Args:
        suffix: end of the file's default name.
        write: writes a function to a path.
        load: returns a function that runs the file in its runtime.
        exact: whether the file computes in float32 as TensorFlow does; False if its weights are rounded.
    """

    suffix: str
    write: Callable[[Exportable, Path], None]
    load: Callable[[Path], Call]
    exact: bool = True


FORMATS: dict[str, Format] = {
    "savedmodel": Format("-savedmodel", _write_savedmodel, _load_savedmodel),
    "litert": Format(".tflite", _write_litert, _load_litert),
    "litert_int8": Format("-int8.tflite", _write_litert_int8, _load_litert, exact=False),
    "litert_float16": Format("-float16.tflite", _write_litert_float16, _load_litert, exact=False),
    "onnx": Format(".onnx", _write_onnx, _load_onnx),
}
