"""A new run that begins with another one's weights, also where it has other slots or fewer channels."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np

from svhn.config import Paths
from svhn.errors import UserError
from svhn.models.layers.heads import LENGTHS_LAYER, LOOKS_LAYER, SLOTS_LAYER
from svhn.run import Run
from svhn.runs import load
from svhn.training.step import State


class Heads(NamedTuple):
    """What a model says: a digit of each slot and, unless all numbers have as many, the length."""

    slots: int
    length: bool


def initialize_weights(state: State, run: Run, paths: Paths) -> str:
    """Give a new state the weights of the run that `config.init_from` names; returns a line that says how many.

    Raises:
        UserError: there is no such run, or its model is another one.
    """
    model = state.model
    folder = Paths(name=run.config.init_from, checkpoints_dir=paths.checkpoints_dir).run_folder
    source_run, source = load.load_run(folder)
    if source_run.config.model != run.config.model:
        raise UserError(
            f"--init_from={run.config.init_from}: that run's model is {source_run.config.model}, and this run's is "
            f"{run.config.model}: train with --model={source_run.config.model}, or name another run"
        )
    records = source_run.records
    heads = (
        Heads(records.max_length, not records.fixed_length),
        Heads(run.records.max_length, "length" in model.output),
    )
    both = all(length for _, length in heads)
    pairs = list(zip(list_weights(source, both), list_weights(model, both), strict=True))
    found = [(new, adapt_weight(_get_layer_name(new), old.numpy(), new.numpy(), *heads)) for old, new in pairs]
    kept = [new.assign(weight) for new, weight in found if weight is not None]
    state.average.set_weights(model.get_weights())
    return f"Began with the weights of {run.config.init_from}: {len(kept)} of {len(model.weights)}, the others are new"


def _get_layer_name(weight: keras.Variable) -> str:
    return weight.path.split("/")[-2]


def list_weights(model: keras.Model, with_length: bool) -> list[keras.Variable]:
    """The model's weights in order; those of the layer that says the length only if they are wanted."""
    return [weight for weight in model.weights if with_length or _get_layer_name(weight) != LENGTHS_LAYER]


def adapt_weight(layer: str, old: np.ndarray, new: np.ndarray, old_heads: Heads, new_heads: Heads) -> np.ndarray | None:
    """A trained weight of a layer in the shape of a new one; None where it can't be.

    A layer that says something of each slot, and perhaps of the length, keeps what it says of those there were, and of
    further slots says what it said of the last. One that says something of each length leaves new ones as they are. The
    first convolution of a grey picture sums what colours would give.
    """
    if layer == SLOTS_LAYER:
        old_heads, new_heads = (heads._replace(length=False) for heads in (old_heads, new_heads))
    if layer in (SLOTS_LAYER, LOOKS_LAYER):
        return _adapt_heads(old, new, old_heads, new_heads)
    if layer == LENGTHS_LAYER:
        both = min(old.shape[-1], new.shape[-1])
        return np.concatenate([old[..., :both], new[..., both:]], axis=-1) if old.shape[:-1] == new.shape[:-1] else None
    if old.ndim == 4 and (old.shape[2], new.shape[2]) == (3, 1):
        old = old.sum(axis=2, keepdims=True)
    return old if old.shape == new.shape else None


def _adapt_heads(old: np.ndarray, new: np.ndarray, old_heads: Heads, new_heads: Heads) -> np.ndarray | None:
    old_values, new_values = old.shape[-1] // sum(old_heads), new.shape[-1] // sum(new_heads)
    if old.shape[:-1] != new.shape[:-1] or old_values != new_values:
        return None
    heads = old.reshape(*old.shape[:-1], -1, old_values)
    found = new.reshape(*new.shape[:-1], -1, new_values).copy()
    found[..., : new_heads.slots, :] = heads[..., np.minimum(range(new_heads.slots), old_heads.slots - 1), :]
    if old_heads.length and new_heads.length:
        found[..., -1, :] = heads[..., -1, :]
    return found.reshape(new.shape)
