"""The network of a run: built with new weights, loaded from a checkpoint, and frozen for fast reading."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from svhn.config import Config
from svhn.datasets import DATASETS
from svhn.errors import UserError, shorten
from svhn.models import MODELS
from svhn.models.losses import Network, Outputs
from svhn.models.precision import use_precision
from svhn.run import Run
from svhn.runs import checkpoints
from svhn.runs.steps import resolve_step
from svhn.runs.stored import open_run, read_run_info


def build_model(run: Run) -> keras.Model:
    """The run's model with new weights.

    Raises:
        UserError: the model can't be built for pictures of this size, or it predicts boxes and the run can't train it.
    """
    shape = run.input_shape
    try:
        with use_precision(run.config):
            model = MODELS[run.config.model].build(shape, run.records.max_length, run.records.length_classes)
    except ValueError as error:
        raise UserError(
            f"--model={run.config.model} can't be built for {shape[0]}x{shape[1]} pixels: choose another, "
            f"or `svhn wrangle` with a larger --size ({shorten(error)})"
        ) from error
    if "box" in model.output:
        _check_box_support(run.config)
    return model


def _check_box_support(config: Config) -> None:
    """Raises `UserError` unless the model's input is the whole picture, and its data set has the number's box in it."""
    task = f"--model={config.model} predicts where in the whole picture the number is"
    if config.random_crop:
        raise UserError(f"{task}: train it with --norandom_crop")
    whole = [name for name, spec in DATASETS.items() if spec.locate and not spec.margin]  # a margin is around a crop
    if config.dataset not in whole:
        known = " or --dataset=".join(whole)
        raise UserError(f"{task}, and {config.dataset} has no boxes in whole pictures: train it with --dataset={known}")


def load_trained_model(run: Run, step: int) -> keras.Model:
    """The run's model with the weights of its checkpoint at `step`. Raises `UserError` if they can't be read."""
    model = build_model(run)
    checkpoints.load_weights(run.folder, model, step)
    return model


def load_run(folder: Path, given: Mapping[str, Any] | None = None, checkpoint: str = "") -> tuple[Run, keras.Model]:
    """A run, opened without its records, and its model with the weights of a checkpoint.

    Args:
        folder: the run's folder.
        given: options that replace the stored ones.
        checkpoint: the checkpoint, named as `resolve_step` takes it; "" for the best or else the latest.

    Raises:
        UserError: there is no such run or checkpoint, its files can't be read, or an option can't be replaced.
    """
    run = open_run(folder, given or {}, read_run_info(folder), "score")
    return run, load_trained_model(run, resolve_step(folder, checkpoint))


def freeze_model(model: keras.Model) -> Network:
    """A function that reads images, (batch, height, width, channels), with the model's weights of this moment.

    The weights become constants, which TensorFlow folds into fewer operations than variables need. Training the model
    further does not change the function.
    """
    kinds = (model.trainable_variables, model.non_trainable_variables)
    weights = [[variable.numpy() for variable in kind] for kind in kinds]

    def read(images: tf.Tensor) -> Outputs:
        constants = [[tf.constant(weight) for weight in kind] for kind in weights]
        return model.stateless_call(*constants, images, training=False)[0]

    return read
