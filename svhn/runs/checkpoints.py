"""A run's checkpoints, written and read; a damaged one is reported and kept."""

from __future__ import annotations

import shutil
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from svhn.errors import UserError
from svhn.runs.steps import list_steps, read_best

DAMAGED_FILE_ERRORS = (IndexError, OSError, EOFError, zipfile.BadZipFile, zlib.error, tokenize.TokenError)
READ_ERRORS = (tf.errors.OpError, ValueError, AssertionError, RuntimeError, *DAMAGED_FILE_ERRORS)


def get_checkpoint_path(folder: Path, step: int) -> Path:
    return folder / f"ckpt-{step}"


def save_checkpoint(folder: Path, checkpoint: tf.train.Checkpoint, step: int) -> None:
    """Write a checkpoint. Its index comes last, so that a half-written one is not taken for one."""
    try:
        checkpoint.write(str(get_checkpoint_path(folder, step)))
    except tf.errors.OpError as error:
        delete_checkpoint(folder, step)
        reason = str(error.message).rpartition("; ")[2].partition(" [Op:")[0]
        raise UserError(
            f"{get_checkpoint_path(folder, step)} could not be written ({reason}): "
            "make room, then run the same command again"
        ) from error


def restore_latest(folder: Path, checkpoint: tf.train.Checkpoint, say: Callable[[str], None]) -> int:
    """Restore the newest checkpoint that can be read; returns its step, 0 where there is none.

    A damaged checkpoint is reported and kept; the one before it is tried next.

    Raises:
        UserError: there are checkpoints, and none of them can be read.
    """
    found = list_steps(folder)
    for step in reversed(found):
        path = get_checkpoint_path(folder, step)
        try:
            checkpoint.read(str(path)).assert_existing_objects_matched()
        except READ_ERRORS as error:
            say(f"{path} can't be read, going back to the one before it: {str(error).splitlines()[0][:120]}")
            continue
        say(f"Restored model from: {path}")
        return step
    if found:
        raise UserError(
            f"none of the checkpoints in {folder} can be read: they are damaged, or were made with "
            "another version of the model; train under another --name"
        )
    return 0


def load_weights(folder: Path, model: Any, step: int) -> None:
    """Give a model the weights that a checkpoint holds for evaluation. Raises `UserError` if it can't be read."""
    path = get_checkpoint_path(folder, step)
    released = path.with_suffix(".npz")
    try:
        if released.exists():
            with released.open("rb") as file, np.load(file) as weights:
                model.set_weights([weights[name] for name in weights.files])
            return
        status = tf.train.Checkpoint(average=model).read(str(path))
        status.expect_partial().assert_existing_objects_matched()
    except READ_ERRORS as error:
        reason = str(error).splitlines()[0][:120]
        raise UserError(
            f"{path} can't be read ({reason}): it is damaged, or was made with another version of the model; "
            "name another by --checkpoint, or train under another --name"
        ) from error


def delete_checkpoint(folder: Path, step: int) -> None:
    shutil.rmtree(folder / f"ckpt-{step}_temp", ignore_errors=True)  # what TensorFlow leaves of one half written
    for path in sorted(folder.glob(f"ckpt-{step}.*"), reverse=True):  # the index first: without it, there is none
        path.unlink()


def prune_checkpoints(folder: Path, max_to_keep: int) -> None:
    """Delete all but the newest `max_to_keep` checkpoints and the best one."""
    marked = read_best(folder)
    for step in list_steps(folder)[:-max_to_keep]:
        if not marked or step != marked["step"]:
            delete_checkpoint(folder, step)
