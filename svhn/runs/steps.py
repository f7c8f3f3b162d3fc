"""Which checkpoints a run's folder holds, and which of them is best; without reading any."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from svhn.errors import UserError
from svhn.runtime.files import write_json


def list_steps(folder: Path) -> list[int]:
    """The steps of a run's checkpoints, oldest first. A released run has one."""
    found = (re.fullmatch(r"ckpt-(\d+)\.(index|npz)", path.name) for path in folder.glob("ckpt-*.*"))
    return sorted(int(match[1]) for match in found if match)


def resolve_steps(folder: Path, which: str) -> list[int]:
    """The steps of the checkpoints that `which` names, oldest first.

    Args:
        folder: the run's.
        which: `all`, `best`, `latest` or a step.

    Raises:
        UserError: the folder holds no such checkpoint.
    """
    found = list_steps(folder)
    if not found:
        remedy = f"train with `python main.py --mode=train --name={folder.name}`"
        raise UserError(f"{folder} has no checkpoint yet: {remedy}")
    names = {"all": found, "latest": found[-1:], "best": [read_best(folder)["step"]] if read_best(folder) else []}
    if names.get(which):
        return names[which]
    if which.isdecimal() and int(which) in found:
        return [int(which)]
    raise UserError(f"--checkpoint={which}: expected all, latest, best (once valid was scored) or one of {found}")


def resolve_step(folder: Path, which: str = "") -> int:
    """The step of one checkpoint: `best`, `latest` or a step; if `which` is empty, the best on valid, else the latest.

    Raises:
        UserError: the folder holds no such checkpoint, or `which` is `all`.
    """
    if which == "all":
        raise UserError("--checkpoint=all: expected one checkpoint: best, latest or a step")
    return resolve_steps(folder, which or ("best" if read_best(folder) else "latest"))[-1]


def read_best(folder: Path) -> dict[str, Any]:
    """`step` and scores on valid of the best checkpoint; empty where none was scored or it is gone."""
    path = folder / "best.json"
    try:
        marked = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return marked if marked.get("step") in list_steps(folder) else {}
    except (ValueError, AttributeError):  # damaged: the next checkpoint that is scored becomes the best
        return {}


def forget_best(folder: Path) -> None:
    """Remove the mark of a former run whose checkpoints were deleted: it would outrank the new run's."""
    (folder / "best.json").unlink(missing_ok=True)


def _rank_scores(scores: Mapping[str, float]) -> tuple[float, float]:
    """A key that grows with the share of whole numbers read on valid; a tie goes to the lower loss."""
    return scores.get("sequence_accuracy", -1.0), -scores.get("loss", math.inf)


def mark_best(folder: Path, step: int, scores: Mapping[str, float]) -> bool:
    """Mark a checkpoint as best if it ranks above the one marked now."""
    if _rank_scores(scores) <= _rank_scores(read_best(folder)):
        return False
    write_json(folder / "best.json", {"step": step, **scores})
    return True
