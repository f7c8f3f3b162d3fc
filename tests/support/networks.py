"""New networks, on small pictures, and eight numbers for them."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from svhn.labels import NUM_CLASSES, encode_text
from svhn.models import MODELS, residual
from svhn.pipeline import batches
from svhn.run import Run
from svhn.runs import stored
from svhn.spec import Info, ModelSpec
from svhn.training.step import State, build_state

NUMBERS = ["210", "7", "35", "12345", "19", "48", "0", "908"]


def make_info(size: tuple[int, int] = (24, 40), channels: int = 3, max_length: int = 5) -> Info:
    return Info("svhn", size, 0.3, channels, max_length, "jpeg", {}, {}, {}, {}, seed=0)


def new_state(name: str, info: Info | None = None, **options: Any) -> State:
    """A state for training in float32, on whole pictures, unless told otherwise."""
    keras.backend.clear_session()
    given = {"model": name, "mixed_precision": False, "random_crop": False, "average": 0.0, **options}
    return build_state(Run(Path(), stored.make_config(given), info or make_info()), steps=100, replicas=1)


def new_model(name: str) -> keras.Model:
    """A network for numbers of up to five digits in 24x40 pixels, as it is when built.

    It is built once in a process, as that takes seconds: whoever comes next gets the same one, its weights as at first.
    """
    model, weights = _build_once(name)
    model.set_weights(weights)
    return model


@functools.cache
def _build_once(name: str) -> tuple[keras.Model, list[np.ndarray]]:
    keras.utils.set_random_seed(0)
    model = MODELS[name].build((24, 40, 3), 5, 6)
    return model, model.get_weights()


def make_small(name: str, widths: tuple[int, ...] = (32, 64)) -> ModelSpec:
    """A residual network of the same builder with a stage of one block per width, of stride 4, 8 and so on."""
    spec, full = MODELS[name], {"reader": residual.build_reader, "finder": residual.build_finder}[name]
    stages = tuple((width, 1, 2) for width in widths)
    small = functools.partial(residual.build, name, 24, stages, *full.args[3:], **full.keywords)
    maps = tuple(f"stage{number}" for number in range(2, len(widths) + 1)) if spec.maps else ()
    return dataclasses.replace(spec, build=cast(Any, small), maps=maps)


def random_images(model: keras.Model, batch: int = 8) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(0, 255, (batch, *model.input_shape[1:])), tf.float32)


def one_batch(model: keras.Model) -> batches.Batch:
    slots = tf.constant([encode_text(number, 5) for number in NUMBERS], tf.int32)
    boxes = tf.constant([[0.1 * place, 0.2, 0.1 * place + 0.25, 0.7] for place in range(len(NUMBERS))])
    digits = {"digits": slots, "map": tf.random.stateless_uniform((8, 3, 5), (0, 0), -1, NUM_CLASSES + 1, tf.int32)}
    return {"image": random_images(model), **digits, "weight": tf.ones(len(NUMBERS)), "box": boxes}
