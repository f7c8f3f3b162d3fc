"""A new run that starts from weights: published ones, or another run's, which may have other slots or more channels."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np

from svhn.config import Paths
from svhn.errors import Say, UserError
from svhn.models import MODELS
from svhn.models.layers.heads import LENGTHS_LAYER, LOOKS_LAYER, SLOTS_LAYER
from svhn.run import Run
from svhn.runs import load
from svhn.training.step import State, get_layer_name


class Heads(NamedTuple):
    """A model's heads: the number of slots, and whether it predicts the length."""

    slots: int
    length: bool


def initialize_weights(state: State, run: Run, paths: Paths, say: Say) -> None:
    """Copy into a new state the weights of the run that `--init_from` names, or else those that the model begins with.

    Args:
        state: the state; its model and its averaged model are changed.
        run: the new run.
        paths: their `checkpoints_dir` holds the other run.
        say: prints the number of weights that were copied, if any were.

    Raises:
        UserError: those of `_copy_run` or of the model's `pretrain`.
    """
    pretrain = MODELS[run.config.model].pretrain
    if run.config.init_from:
        say(_copy_run(state.model, run, paths))
    elif pretrain:
        say(pretrain(state.model))
    state.average.set_weights(state.model.get_weights())


def _copy_run(model: keras.Model, run: Run, paths: Paths) -> str:
    """Copy the weights of the run that `--init_from` names into a model, as far as they fit.

    Returns:
        A line for the user: the number of weights that were copied.

    Raises:
        UserError: there is no such run, or its model is another one.
    """
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
    both_predict_length = all(length for _, length in heads)
    pairs = zip(list_weights(source, both_predict_length), list_weights(model, both_predict_length), strict=True)
    adapted = [(new, adapt_weight(get_layer_name(new), old.numpy(), new.numpy(), *heads)) for old, new in pairs]
    copied = [new.assign(weight) for new, weight in adapted if weight is not None]
    return (
        f"Began with the weights of {run.config.init_from}: {len(copied)} of {len(model.weights)}, the others are new"
    )


def list_weights(model: keras.Model, with_length: bool) -> list[keras.Variable]:
    """The model's weights in order, with or without those of the layer that predicts the length."""
    return [weight for weight in model.weights if with_length or get_layer_name(weight) != LENGTHS_LAYER]


def adapt_weight(layer: str, old: np.ndarray, new: np.ndarray, old_heads: Heads, new_heads: Heads) -> np.ndarray | None:
    """A trained weight in the shape of a new one; None if it does not fit.

    - A layer with outputs per slot keeps those of the slots that both networks have. Further slots get a copy of the
      last slot's weights. Outputs for the length are kept if both networks predict it.
    - A layer with one output per length keeps those of the lengths that both have, and that of longer numbers if both
      have it. Others stay new.
    - The first convolution of a gray picture gets the sum of the weights for the three colors.

    Args:
        layer: the layer's name.
        old: the trained weight.
        new: the new weight, which gives the shape.
        old_heads, new_heads: the heads of the trained and of the new network.
    """
    if layer == SLOTS_LAYER:
        old_heads, new_heads = (heads._replace(length=False) for heads in (old_heads, new_heads))
    if layer in (SLOTS_LAYER, LOOKS_LAYER):
        return _adapt_heads(old, new, old_heads, new_heads)
    if layer == LENGTHS_LAYER:
        return _adapt_lengths(old, new, old_heads, new_heads)
    if old.ndim == 4 and (old.shape[2], new.shape[2]) == (3, 1):
        old = old.sum(axis=2, keepdims=True)
    return old if old.shape == new.shape else None


def _adapt_lengths(old: np.ndarray, new: np.ndarray, old_heads: Heads, new_heads: Heads) -> np.ndarray | None:
    """A weight (…, lengths), whose last output is that of longer numbers if there is one more than slots allow."""
    if old.shape[:-1] != new.shape[:-1]:
        return None
    both, adapted = 1 + min(old_heads.slots, new_heads.slots), new.copy()
    adapted[..., :both] = old[..., :both]
    if old.shape[-1] > 1 + old_heads.slots and new.shape[-1] > 1 + new_heads.slots:
        adapted[..., -1] = old[..., -1]
    return adapted


def _adapt_heads(old: np.ndarray, new: np.ndarray, old_heads: Heads, new_heads: Heads) -> np.ndarray | None:
    """A weight (…, groups * values) with one group per slot, and one for the length if it is predicted; or None."""
    old_values, new_values = old.shape[-1] // sum(old_heads), new.shape[-1] // sum(new_heads)
    if old.shape[:-1] != new.shape[:-1] or old_values != new_values:
        return None
    heads = old.reshape(*old.shape[:-1], -1, old_values)
    adapted = new.reshape(*new.shape[:-1], -1, new_values).copy()
    adapted[..., : new_heads.slots, :] = heads[..., np.minimum(range(new_heads.slots), old_heads.slots - 1), :]
    if old_heads.length and new_heads.length:
        adapted[..., -1, :] = heads[..., -1, :]  # the group for the length comes last
    return adapted.reshape(new.shape)
