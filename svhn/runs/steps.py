"""Which checkpoints the folder of a run holds, and which of them is the best. No checkpoint is opened for it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from svhn.errors import UserError, shorten
from svhn.runtime.files import DamagedFileError, write_json
from svhn.runtime.schema import check_value, read_json


def list_steps(folder: Path) -> list[int]:
    """The steps of a run's checkpoints, oldest first. A released run has one checkpoint, an .npz file."""
    found = (re.fullmatch(r"ckpt-(\d+)\.(index|npz)", path.name) for path in folder.glob("ckpt-*.*"))
    return sorted(int(match[1]) for match in found if match)


def resolve_steps(folder: Path, which: str) -> list[int]:
    """The steps of the checkpoints that `which` names, oldest first.

    Args:
        folder: the run's folder.
        which: `all`, `best`, `latest` or a step, as `--checkpoint` takes it.

    Raises:
        UserError: the folder holds no such checkpoint.
    """
    found = list_steps(folder)
    if not found:
        remedy = f"train with `svhn train --name={folder.name}`"
        raise UserError(f"{folder} has no checkpoint yet: {remedy}")
    if which == "best" and (marked := read_best(folder)):
        return [marked["step"]]
    if which in ("all", "latest"):
        return found if which == "all" else found[-1:]
    if which.isdecimal() and int(which) in found:
        return [int(which)]
    raise UserError(
        f"--checkpoint={shorten(which)}: expected all, latest, best (once valid was scored) or one of {found}"
    )


def resolve_step(folder: Path, which: str = "") -> int:
    """The step of one checkpoint.

    Args:
        folder: the run's folder.
        which: `best`, `latest` or a step; "" for the best on valid, or the latest if valid was never scored.

    Raises:
        UserError: the folder holds no such checkpoint, or `which` is `all`.
    """
    if which == "all":
        raise UserError("--checkpoint=all: expected one checkpoint: best, latest or a step")
    return resolve_steps(folder, which or ("best" if read_best(folder) else "latest"))[-1]


def read_best(folder: Path) -> dict[str, Any]:
    """The `step` of the best checkpoint and its scores on valid; {} if none was scored or the best one is gone.

    Raises:
        DamagedFileError: best.json can't be read. Any other checkpoint could pass for the best.
    """
    path = folder / "best.json"
    try:
        marked: dict[str, Any] = read_json(path, dict[str, float]) if path.exists() else {}
        step = check_value(marked.get("step", 0), int, "step")
        return marked if step in list_steps(folder) else {}
    except ValueError as error:
        raise make_damage_error(path, error) from error


def make_damage_error(path: Path, error: Exception) -> DamagedFileError:
    """The error for a file that follows from a run's checkpoints, with the command that makes it anew."""
    command = f"svhn train --name={path.parent.name}"
    return DamagedFileError(path, str(error), f"go on with `{command}`, which makes it anew from the checkpoints")


def forget_best(folder: Path) -> None:
    """Remove the mark that an earlier run left in the folder: its scores could outrank those of the new run."""
    (folder / "best.json").unlink(missing_ok=True)


def _rank_scores(scores: Mapping[str, float]) -> tuple[float, float]:
    """A key that orders checkpoints: by whole numbers read right on valid, then by lower loss; no scores come last."""
    return scores.get("sequence_accuracy", -1.0), -scores.get("loss", math.inf)


def find_best(scores: Mapping[int, Mapping[str, float]]) -> int | None:
    """The step with the best of these scores on valid, the first of equals; None without scores."""
    return max(scores, key=lambda step: _rank_scores(scores[step]), default=None)


def mark_best(folder: Path, step: int, scores: Mapping[str, float]) -> bool:
    """Mark a checkpoint as the best in best.json if it ranks above the marked one; returns whether it does."""
    if _rank_scores(scores) <= _rank_scores(read_best(folder)):
        return False
    write_best(folder, step, scores)
    return True


def write_best(folder: Path, step: int, scores: Mapping[str, float]) -> None:
    """Mark a checkpoint as the best in best.json."""
    write_json(folder / "best.json", {"step": step, **scores})
