"""A run's checkpoints: which there are, writing and reading them, and which of them is best."""

from __future__ import annotations

import json
import math
import re
import shutil
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from svhn.errors import UserError
from svhn.runtime.files import write_json

DAMAGED_FILE_ERRORS = (IndexError, OSError, EOFError, zipfile.BadZipFile, zlib.error, tokenize.TokenError)
READ_ERRORS = (tf.errors.OpError, ValueError, AssertionError, RuntimeError, *DAMAGED_FILE_ERRORS)


def list_steps(run: Path) -> list[int]:
    """Steps at which the run was checkpointed, oldest first; of a released run, the one whose weights it is."""
    found = (re.fullmatch(r"ckpt-(\d+)\.(index|npz)", path.name) for path in run.glob("ckpt-*.*"))
    return sorted(int(match[1]) for match in found if match)


def get_checkpoint_path(run: Path, step: int) -> Path:
    return run / f"ckpt-{step}"


def resolve_steps(run: Path, which: str) -> list[int]:
    """The checkpoints that `all`, `best`, `latest` or a step stands for. Raises `UserError` where there is none."""
    found = list_steps(run)
    if not found:
        raise UserError(f"{run} has no checkpoint yet: train with `python main.py --mode=train --name={run.name}`")
    names = {"all": found, "latest": found[-1:], "best": [read_best(run)["step"]] if read_best(run) else []}
    if names.get(which):
        return names[which]
    if which.isdecimal() and int(which) in found:
        return [int(which)]
    raise UserError(f"--checkpoint={which}: expected all, latest, best (once valid was scored) or one of {found}")


def resolve_step(run: Path, which: str) -> int:
    """One checkpoint: the one that was named; else the best on valid, or the latest where valid was never scored."""
    return resolve_steps(run, which if which != "all" else "best" if read_best(run) else "latest")[-1]


def save_checkpoint(run: Path, checkpoint: tf.train.Checkpoint, step: int) -> None:
    """Write a checkpoint. Its index comes last, so that a half-written one is not taken for one."""
    try:
        checkpoint.write(str(get_checkpoint_path(run, step)))
    except tf.errors.OpError as error:
        delete_checkpoint(run, step)
        reason = str(error.message).rpartition("; ")[2].partition(" [Op:")[0]
        raise UserError(
            f"{get_checkpoint_path(run, step)} could not be written ({reason}): "
            "make room, then run the same command again"
        ) from error


def restore_latest(run: Path, checkpoint: tf.train.Checkpoint, say: Callable[[str], None]) -> int:
    """Restore the newest checkpoint that can be read; returns its step, 0 where there is none.

    One that is damaged is said and left where it is, and the one before it is taken.

    Raises:
        UserError: there are checkpoints, and none of them can be read.
    """
    found = list_steps(run)
    for step in reversed(found):
        path = get_checkpoint_path(run, step)
        try:
            checkpoint.read(str(path)).assert_existing_objects_matched()
        except READ_ERRORS as error:
            say(f"{path} can't be read, going back to the one before it: {str(error).splitlines()[0][:120]}")
            continue
        say(f"Restored model from: {path}")
        return step
    if found:
        raise UserError(
            f"none of the checkpoints in {run} can be read: they are damaged, or were made with "
            "another version of the model; train under another --name"
        )
    return 0


def load_weights(run: Path, model: Any, step: int) -> None:
    """Give a model the weights that a checkpoint holds for evaluation. Raises `UserError` if it can't be read."""
    path = get_checkpoint_path(run, step)
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


def delete_checkpoint(run: Path, step: int) -> None:
    shutil.rmtree(run / f"ckpt-{step}_temp", ignore_errors=True)  # what TensorFlow leaves of one half written
    for path in sorted(run.glob(f"ckpt-{step}.*"), reverse=True):  # the index first: without it, there is none
        path.unlink()


def prune_checkpoints(run: Path, max_to_keep: int) -> None:
    """Delete all but the newest `max_to_keep` checkpoints and the best one."""
    marked = read_best(run)
    for step in list_steps(run)[:-max_to_keep]:
        if not marked or step != marked["step"]:
            delete_checkpoint(run, step)


def read_best(run: Path) -> dict[str, Any]:
    """`step` and scores on valid of the best checkpoint; empty where none was scored or it is gone."""
    path = run / "best.json"
    try:
        marked = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return marked if marked.get("step") in list_steps(run) else {}
    except (ValueError, AttributeError):  # damaged: the next checkpoint that is scored becomes the best
        return {}


def forget_best(run: Path) -> None:
    """Of another run, whose checkpoints were deleted: it would rank before this one's of the same step."""
    (run / "best.json").unlink(missing_ok=True)


def _rank_scores(scores: Mapping[str, float]) -> tuple[float, float]:
    """Whole numbers read on valid; of those that read as many, which happens, the one with the lower loss is better."""
    return scores.get("sequence_accuracy", -1.0), -scores.get("loss", math.inf)


def mark_best(run: Path, step: int, scores: Mapping[str, float]) -> bool:
    """Mark a checkpoint as best if it ranks above the one marked now."""
    if _rank_scores(scores) <= _rank_scores(read_best(run)):
        return False
    write_json(run / "best.json", {"step": step, **scores})
    return True
