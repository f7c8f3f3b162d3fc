"""A new run that begins with another one's weights, also where it has more slots or fewer channels."""

from __future__ import annotations

import numpy as np

from svhn import checkpoints, evaluate, runs
from svhn.config import Config, Paths, UserError
from svhn.state import State


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
    if len(source.weights) != len(model.weights):
        raise UserError(
            f"--init_from={config.init_from}: only one of the two runs has numbers that are all equally long"
        )
    pairs = list(zip(source.get_weights(), model.get_weights(), strict=True))
    found = [adapted(old, new, info.max_length, max_length) for old, new in pairs]
    model.set_weights([new if weight is None else weight for weight, (_, new) in zip(found, pairs, strict=True)])
    state.average.set_weights(model.get_weights())
    kept = sum(weight is not None for weight in found)
    return f"Began with the weights of {config.init_from}: {kept} of {len(found)}, the others are new"


def adapted(old: np.ndarray, new: np.ndarray, slots: int, new_slots: int) -> np.ndarray | None:
    """A trained weight in the shape of a new one; None where it can't be.

    A layer that says something of each slot and of the length, in this order, keeps what it says of those there were,
    and says of further slots what it said of the last. One that says something of each length leaves new ones as they
    are. The first convolution of a grey picture sums what colours would give.
    """
    if old.shape == new.shape:
        return old
    if old.ndim == 4 and new.shape[2] == 1:
        return old.sum(axis=2, keepdims=True)
    values, rest = divmod(old.shape[-1], slots + 1)
    if old.shape[:-1] != new.shape[:-1] or rest or new.shape[-1] != values * (new_slots + 1):
        return None
    if values == 1:
        both = min(slots, new_slots) + 1
        return np.concatenate([old[..., :both], new[..., both:]], axis=-1)
    by_slot = old.reshape(*old.shape[:-1], slots + 1, values)
    chosen = [*(min(slot, slots - 1) for slot in range(new_slots)), slots]
    return by_slot[..., chosen, :].reshape(new.shape)
