"""A run's network: built as new, or with the weights of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from svhn.config import Config
from svhn.datasets import DATASETS
from svhn.errors import UserError
from svhn.models import MODELS
from svhn.models.losses import Network, Outputs
from svhn.models.precision import use_precision
from svhn.run import Run
from svhn.runs import checkpoints
from svhn.runs.steps import resolve_step
from svhn.runs.stored import open_run, read_run_info


def build_model(run: Run) -> keras.Model:
    """The run's model, its weights as new. Raises `UserError` where it can't be built for pictures of that size."""
    shape = run.input_shape
    try:
        with use_precision(run.config):
            model = MODELS[run.config.model].build(shape, run.records.max_length, run.records.fixed_length)
    except ValueError as error:
        raise UserError(
            f"--model={run.config.model} can't be built for {shape[0]}x{shape[1]} pixels: choose another, "
            f"or `python -m svhn.wrangle` with a larger --size ({str(error).splitlines()[0][:120]})"
        ) from error
    if "box" in model.output:
        _check_box_support(run.config)
    return model


def _check_box_support(config: Config) -> None:
    if config.random_crop:
        raise UserError(f"the model {config.model} says where in a whole picture the number is: --norandom_crop")
    whole = [name for name, spec in DATASETS.items() if spec.locate and not spec.margin]  # not cut out by a box
    if config.dataset not in whole:
        known = ", ".join(whole)
        unknown = f"the model {config.model} learns where the number is, which {config.dataset} doesn't say"
        raise UserError(f"{unknown}: --dataset={known}")


def load_trained_model(run: Run, step: int) -> keras.Model:
    """The run's model with the weights of a checkpoint. Raises `UserError` if it can't be read."""
    model = build_model(run)
    checkpoints.load_weights(run.folder, model, step)
    return model


def load_run(folder: Path, given: Mapping[str, Any] | None = None, checkpoint: str = "") -> tuple[Run, keras.Model]:
    """A run and its model at a checkpoint, without its records.

    Args:
        folder: the run's.
        given: options that replace the run's.
        checkpoint: as of `resolve_step`.

    Raises:
        UserError: there is no such run or checkpoint, it can't be read, or an option can't be given.
    """
    run = open_run(folder, given or {}, read_run_info(folder), "score")
    return run, load_trained_model(run, resolve_step(folder, checkpoint))


def freeze_model(model: keras.Model) -> Network:
    """The model as it is now, for reading alone: TensorFlow folds weights that can't change into fewer operations."""
    kinds = (model.trainable_variables, model.non_trainable_variables)
    weights = [[variable.numpy() for variable in kind] for kind in kinds]

    def read(images: tf.Tensor) -> Outputs:
        constants = [[tf.constant(weight) for weight in kind] for kind in weights]
        return model.stateless_call(*constants, images, training=False)[0]

    return read
