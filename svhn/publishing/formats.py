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
        self.read, self.shape = read, (*info.size, info.channels)
        self.images = tf.function(read, input_signature=[self.make_signature(None)])
        self.encoded = tf.function(self.decode_and_read, input_signature=[tf.TensorSpec((None,), tf.string, "encoded")])

    def make_signature(self, batch: int | None) -> tf.TensorSpec:
        """The input `images` for a batch of this size; None for any size."""
        return tf.TensorSpec((batch, *self.shape), tf.uint8, "images")

    def run_images(self, images: np.ndarray) -> Outputs:
        """The outputs for images, uint8 (batch, height, width, channels), in TensorFlow."""
        return {name: value.numpy() for name, value in self.images(tf.constant(images)).items()}

    def decode_and_read(self, encoded: tf.Tensor) -> dict[str, tf.Tensor]:
        """The outputs for encoded pictures, and `text`, the number's digits, string (batch,).

        The pixels are taken as stored: unlike `images.open_picture`, this function ignores the Exif rotation of a
        camera, and transparent areas do not become white.

        Args:
            encoded: contents of PNG, JPEG, BMP or GIF files (the first frame) of any size, string (batch,).
        """
        outputs = self.images(tf.map_fn(self.decode_file, encoded, fn_output_signature=tf.uint8))
        slots = tf.where(outputs["number"] >= 0, tf.strings.as_string(outputs["number"]), "")
        return {**outputs, "text": tf.strings.reduce_join(slots, axis=1)}

    def decode_file(self, encoded: tf.Tensor) -> tf.Tensor:
        """One encoded picture as an image of a record's size, uint8 (height, width, channels)."""
        image = tf.io.decode_image(encoded, channels=self.shape[-1], expand_animations=False)
        image = tf.image.resize(image, self.shape[:2], tf.image.ResizeMethod.LANCZOS3, antialias=True)
        return tf.ensure_shape(tf.saturate_cast(tf.round(image), tf.uint8), self.shape)


def _import_extra(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise UserError(f"exporting needs {module}: {suggest_extra('export')}") from error


def _write_savedmodel(module: Exportable, path: Path, _calibration: np.ndarray) -> None:
    signatures: Any = {"serving_default": module.encoded, "images": module.images}
    tf.saved_model.save(module, str(path), signatures)


def _load_savedmodel(path: Path) -> Call:
    loaded: Any = tf.saved_model.load(str(path))
    return lambda images: {name: value.numpy() for name, value in loaded.images(tf.constant(images)).items()}


def _write_onnx(module: Exportable, path: Path, _calibration: np.ndarray) -> None:
    convert = _import_extra("tf2onnx").convert
    _import_extra("onnxruntime")
    convert.from_function(module.images, [module.make_signature(None)], opset=OPSET, output_path=str(path))


def load_onnx(path: Path) -> Call:
    """A function that runs an ONNX file in onnxruntime."""
    session = _import_extra("onnxruntime").InferenceSession(str(path))
    names = [output.name for output in session.get_outputs()]
    return lambda images: dict(zip(names, session.run(None, {"images": images}), strict=True))


def _make_litert_converter(module: Exportable) -> Any:
    """A converter for one image at a time: LiteRT runs on phones, whose accelerators need fixed shapes."""
    _import_extra("ai_edge_litert.interpreter")
    one_image = tf.function(module.read, input_signature=[module.make_signature(1)])
    return tf.lite.TFLiteConverter.from_concrete_functions([one_image.get_concrete_function()], module)


def _write_litert(module: Exportable, path: Path, _calibration: np.ndarray) -> None:
    path.write_bytes(_make_litert_converter(module).convert())


def _write_litert_int8(module: Exportable, path: Path, calibration: np.ndarray) -> None:
    """Write weights and activations in 8 bits; the activations' ranges are measured on the calibration images."""
    converter = _make_litert_converter(module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in calibration)
    path.write_bytes(converter.convert())


def _load_litert(path: Path) -> Call:
    interpreter = _import_extra("ai_edge_litert.interpreter").Interpreter(str(path))
    read = interpreter.get_signature_runner()

    def call(images: np.ndarray) -> Outputs:
        rows = [read(images=image[None]) for image in images]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    return call


class Format(NamedTuple):
    """An export format.

    Args:
        suffix: end of the file's default name.
        write: writes a function to a path; takes images for calibration, uint8 (images, height, width, channels).
        load: returns a function that runs the file in its runtime.
        exact: whether all numbers must be the same as in TensorFlow; False for int8, which rounds.
    """

    suffix: str
    write: Callable[[Exportable, Path, np.ndarray], None]
    load: Callable[[Path], Call]
    exact: bool = True


FORMATS: dict[str, Format] = {
    "savedmodel": Format("-savedmodel", _write_savedmodel, _load_savedmodel),
    "litert": Format(".tflite", _write_litert, _load_litert),
    "litert_int8": Format("-int8.tflite", _write_litert_int8, _load_litert, exact=False),
    "onnx": Format(".onnx", _write_onnx, load_onnx),
}
