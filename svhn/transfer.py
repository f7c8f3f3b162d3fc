"""A new run that begins with another one's weights, also where it has other slots or fewer channels."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np

from svhn import checkpoints, evaluate, runs
from svhn.config import Config, Paths, UserError
from svhn.state import State


class Heads(NamedTuple):
    """What a model says: a digit of each slot and, unless all numbers have as many, the length."""

    slots: int
    length: bool


def initialise(state: State, config: Config, max_length: int, paths: Paths) -> str:
    """Give a new state the weights of the run that `config.init_from` names; returns a line that says how many.

    Raises:
        UserError: there is no such run, or its model is another one.
    """
    model = state.model
    run = Paths(name=config.init_from, checkpoints_dir=paths.checkpoints_dir).run
    earlier, info = Config(**runs.read_config(run)["config"]), runs.info_of(run)
    source = evaluate.trained_model(earlier, info, run, checkpoints.chosen_step(run, "all"))
    if earlier.model != config.model:
        raise UserError(f"--init_from={config.init_from}: a run of another model ({earlier.model}); train with that")
    heads = Heads(info.max_length, not info.fixed_length), Heads(max_length, "length" in model.output)
    both = all(length for _, length in heads)
    pairs = list(zip(weights_of(source, both), weights_of(model, both), strict=True))
    found = [(new, adapted(old.numpy(), new.numpy(), *heads)) for old, new in pairs]
    kept = [new.assign(weight) for new, weight in found if weight is not None]
    state.average.set_weights(model.get_weights())
    return f"Began with the weights of {config.init_from}: {len(kept)} of {len(model.weights)}, the others are new"


def weights_of(model: keras.Model, with_length: bool) -> list[keras.Variable]:
    """The model's weights in order; those of the layer that says the length only if they are wanted."""
    if with_length or "length" not in model.output:
        return model.weights
    said = model.get_layer("length").input
    paths = {weight.path for layer in model.layers if layer.output is said for weight in layer.weights}
    return [weight for weight in model.weights if weight.path not in paths]


def adapted(old: np.ndarray, new: np.ndarray, old_heads: Heads, new_heads: Heads) -> np.ndarray | None:
    """A trained weight in the shape of a new one; None where it can't be.

    A layer that says something of each head keeps what it says of those there were, and says of further slots what it
    said of the last. One that says something of each length leaves new ones as they are. The first convolution of a
    grey picture sums what colours would give.
    """
    if old.shape == new.shape:
        return old
    if old.ndim == 4 and new.shape[2] == 1:
        return old.sum(axis=2, keepdims=True)
    values, rest = divmod(old.shape[-1], sum(old_heads))
    if old.shape[:-1] != new.shape[:-1] or rest or new.shape[-1] != values * sum(new_heads):
        return None
    if values == 1:
        both = min(old.shape[-1], new.shape[-1])
        return np.concatenate([old[..., :both], new[..., both:]], axis=-1)
    by_head = old.reshape(*old.shape[:-1], -1, values)
    found = new.reshape(*new.shape[:-1], -1, values).copy()
    found[..., : new_heads.slots, :] = by_head[..., np.minimum(range(new_heads.slots), old_heads.slots - 1), :]
    if old_heads.length and new_heads.length:
        found[..., -1, :] = by_head[..., -1, :]
    return found.reshape(new.shape)
