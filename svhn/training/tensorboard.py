"""What TensorBoard shows of a run, under `train` and `valid`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import tensorflow as tf

SCALAR_NAMES = ("loss", "sequence_accuracy", "digit_accuracy", "length_accuracy")


def _make_file_writer(folder: Path) -> tf.summary.SummaryWriter:
    folder.mkdir(parents=True, exist_ok=True)  # its errors, unlike TensorFlow's, say what is wrong
    return tf.summary.create_file_writer(str(folder))


def _make_noop_writer(_: Path) -> tf.summary.SummaryWriter:
    return tf.summary.create_noop_writer()


class Summaries:
    """Two event writers beneath one folder; or none, for a worker that is not the chief."""

    def __init__(self, folder: Path, enabled: bool = True) -> None:
        make = _make_file_writer if enabled else _make_noop_writer
        self.writers = {name: make(folder / name) for name in ("train", "valid")}

    def write_scores(
        self, split: str, step: int, scores: Mapping[str, float], learning_rate: float | None = None
    ) -> None:
        with self.writers[split].as_default(step):
            for name in SCALAR_NAMES:
                tf.summary.scalar(name, scores[name])
            if learning_rate is not None:
                tf.summary.scalar("learning_rate", learning_rate)

    def write_images(self, step: int, images: tf.Tensor) -> None:
        """The first of a batch as the network gets them, float32 (batch, height, width, channels) in 0…255."""
        with self.writers["train"].as_default(step):
            tf.summary.image("images", images / 255.0, max_outputs=8)

    def write_weights(self, step: int, model: keras.Model) -> None:
        with self.writers["train"].as_default(step):
            for variable in model.trainable_variables:
                tf.summary.histogram(f"weights/{variable.path}", variable.value)  # one group, below the curves

    def write_graph(self, model: keras.Model) -> None:
        forward = tf.function(lambda images: model(images, training=False))
        signature = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32, name="image")
        with self.writers["train"].as_default(0):
            tf.summary.graph(forward.get_concrete_function(signature).graph)

    def flush(self) -> None:
        for writer in self.writers.values():
            writer.flush()
