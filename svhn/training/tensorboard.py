"""Event files for TensorBoard, in the folders `train` and `valid`, and the table of options that was last written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import keras
import tensorflow as tf

from svhn.config import Config, list_options
from svhn.runtime.files import atomic_write

OPTIONS_FILE = "options.md"  # in the log folder: what the newest text of the event files is
MARKUP = re.compile(r"[\\`*|]")  # signs that a run's name may hold, and that Markdown would take for its own
SCALAR_NAMES = ("loss", "sequence_accuracy", "digit_accuracy", "length_accuracy")


def _make_file_writer(folder: Path) -> tf.summary.SummaryWriter:
    folder.mkdir(parents=True, exist_ok=True)  # its errors, unlike TensorFlow's, name the folder and the reason
    return tf.summary.create_file_writer(str(folder))


def _make_noop_writer(_: Path) -> tf.summary.SummaryWriter:
    return tf.summary.create_noop_writer()


def _format_options(config: Config) -> str:
    """A table in Markdown with the options' values, and the defaults of those that have others."""
    rows = [("option", "value", "default"), ("---", "---", "---"), *list_options(config)]
    lines = (" | ".join(MARKUP.sub(r"\\\g<0>", cell) for cell in row) for row in rows)
    return "".join(f"| {line} |\n" for line in lines)


class Summaries:
    """The two writers of event files in a run's log folder.

    Args:
        folder: the log folder.
        enabled: if False, nothing is written: for workers other than the chief.
    """

    def __init__(self, folder: Path, enabled: bool = True) -> None:
        self.folder, self.enabled = folder, enabled
        make = _make_file_writer if enabled else _make_noop_writer
        self.writers = {name: make(folder / name) for name in ("train", "valid")}

    def write_options(self, step: int, config: Config) -> None:
        """A run's options as a text. A training that goes on with the same options writes nothing."""
        path, table = self.folder / OPTIONS_FILE, _format_options(config)
        if not self.enabled or (path.is_file() and path.read_bytes() == table.encode()):
            return
        with self.writers["train"].as_default(step):
            tf.summary.text("options", table)
        self.writers["train"].flush()
        with atomic_write(path) as file:
            file.write(table.encode())

    def write_scores(
        self, split: str, step: int, scores: Mapping[str, float], learning_rate: float | None = None
    ) -> None:
        """The loss and the accuracies on `train` or `valid`, and the learning rate if given."""
        with self.writers[split].as_default(step):
            for name in SCALAR_NAMES:
                tf.summary.scalar(name, scores[name])
            if learning_rate is not None:
                tf.summary.scalar("learning_rate", learning_rate)

    def write_images(self, step: int, images: tf.Tensor) -> None:
        """The first eight pictures of a training batch, float32 (batch, height, width, channels) in 0…255."""
        with self.writers["train"].as_default(step):
            tf.summary.image("images", images / 255.0, max_outputs=8)

    def write_weights(self, step: int, model: keras.Model) -> None:
        """A histogram of each trained weight."""
        with self.writers["train"].as_default(step):
            for variable in model.trainable_variables:
                tf.summary.histogram(
                    f"weights/{variable.path}", variable.value
                )  # the prefix makes them one group, which comes after the curves

    def write_graph(self, model: keras.Model) -> None:
        """The graph of the model's inference."""
        forward = tf.function(lambda images: model(images, training=False))
        signature = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32, name="image")
        with self.writers["train"].as_default(0):
            tf.summary.graph(forward.get_concrete_function(signature).graph)

    def flush(self) -> None:
        """Write to the files what the writers have buffered."""
        for writer in self.writers.values():
            writer.flush()
