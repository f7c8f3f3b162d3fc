"""A run is a folder: its `config.json`, its checkpoints, and which of them is best."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from svhn import distribute
from svhn.config import Config, UserError, lookup
from svhn.files import atomic_write
from svhn.models import MODELS
from svhn.records import Info

DAMAGED = (IndexError, OSError, EOFError, zipfile.BadZipFile)  # a file cut short
READ_ERRORS = (tf.errors.OpError, ValueError, AssertionError, RuntimeError, *DAMAGED)


def make_config(given: Mapping[str, Any]) -> Config:
    """A new run's options: the model's own defaults under those that were given."""
    model = lookup("model", MODELS, given.get("model", Config.model))
    return Config(**{**model.defaults, **given})


def begin(run: Path, given: Mapping[str, Any], info: Info) -> Config:
    """The options to train with: a new run's, or those of the run that is in the folder, which goes on.

    Args:
        run: the folder.
        given: options that the user named; all others come from the run, or are defaults.
        info: of the records to train on.

    Raises:
        UserError: if the folder holds a run that was made in another way; names the options that differ.
    """
    config = options(run, given, info)
    if released(run):
        raise UserError(f"{run} holds released weights, which can't be trained on: train under another --name")
    if distribute.is_chief():
        run.mkdir(parents=True, exist_ok=True)
        with atomic_write(run / "config.json", "w") as file:
            of_records = {"records": info.crop, "draw": info.draw, "sources": dict(info.sources)}
            json.dump({"config": dataclasses.asdict(config), **of_records}, file, indent=1)
    return config


def options(run: Path, given: Mapping[str, Any], info: Info) -> Config:
    """What to train with: as `begin`, without writing."""
    return reopen(run, given, info, "train") if begun(run) else make_config(given)


def begun(run: Path) -> bool:
    """Whether the folder holds a run. Before its first checkpoint, nothing relies on its options."""
    return (run / "config.json").exists() and bool(steps(run))


def option_of(run: Path, given: Mapping[str, Any], name: str) -> Any:
    """What the user named, or the run's, or the default; for what has to be known before the records are read."""
    stored = read_config(run)["config"] if begun(run) else {}
    return given.get(name, stored.get(name, getattr(Config, name)))


def reopen(run: Path, given: Mapping[str, Any], info: Info, mode: str) -> Config:
    """The run's options, with those replaced that were given and that may change in this mode.

    Raises:
        UserError: if there is no run, or one of its options that may not change, or its records, would differ.
    """
    stored = read_config(run)
    options = stored["config"]
    fixed = ("run", "training") if mode == "train" else ("run",)
    kept = {field.name for field in dataclasses.fields(Config) if field.metadata["fixed"] in fixed}
    differing = differences(options, {key: given[key] for key in kept & given.keys()})
    differing += differences(stored["records"], info.crop)
    both = stored["sources"].keys() & info.sources.keys()  # the same name may be read from other files
    differing += differences(stored["sources"], {key: info.sources[key] for key in both})
    if mode in ("train", "valid"):  # another draw of the two would score what was trained on
        differing += differences(stored["draw"], info.draw)
    if differing:
        raise UserError(
            f"{run} holds a run with {', '.join(sorted(differing))}: "
            "use the same options and records, or another --name for another run"
        )
    if "num_epochs" in given and "num_steps" not in given:
        options = {**options, "num_steps": 0}  # the one that was named last counts
    return Config(**{**options, **given})


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    now = json.loads(json.dumps(now))
    return [f"{key}={before.get(key)} (now {now[key]})" for key in now if before.get(key) != now[key]]


def read_config(run: Path) -> dict[str, Any]:
    """Raises `UserError` unless the folder holds a run's `config.json`."""
    path = run / "config.json"
    if not path.exists():
        raise UserError(f"{run} holds no run: train one with `python main.py --mode=train --name={run.name}`")
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        config = Config(**stored["config"])
        lookup("model", MODELS, config.model)
        of_records = {key: dict(stored[key]) for key in ("records", "draw", "sources")}
        stored = {"config": dataclasses.asdict(config), **of_records}
    except (ValueError, KeyError, TypeError, UserError) as error:
        raise UserError(
            f"{path}: not a run's config.json ({error}): restore it, or train under another --name"
        ) from error
    return stored


def info_of(run: Path) -> Info:
    """What is known of a run's records without them: enough to build its model and to prepare pictures for it."""
    crop = read_config(run)["records"]
    unknown = {"splits": {}, "sizes": {}, "lengths": {}, "sources": {}, "seed": 0, "image_format": ""}
    return Info(**{**unknown, **crop, "size": tuple(crop["size"])})


def steps(run: Path) -> list[int]:
    """Steps at which the run was checkpointed, oldest first; of a released run, the one whose weights it is."""
    found = (re.fullmatch(r"ckpt-(\d+)\.(index|npz)", path.name) for path in run.glob("ckpt-*.*"))
    return sorted(int(match[1]) for match in found if match)


def checkpoint_path(run: Path, step: int) -> Path:
    return run / f"ckpt-{step}"


def chosen_steps(run: Path, which: str) -> list[int]:
    """The checkpoints that `all`, `best`, `latest` or a step stands for. Raises `UserError` where there is none."""
    found = steps(run)
    if not found:
        raise UserError(f"{run} has no checkpoint yet: train with `python main.py --mode=train --name={run.name}`")
    names = {"all": found, "latest": found[-1:], "best": [best(run)["step"]] if best(run) else []}
    if names.get(which):
        return names[which]
    if which.isdecimal() and int(which) in found:
        return [int(which)]
    raise UserError(f"--checkpoint={which}: expected all, latest, best (once valid was scored) or one of {found}")


def chosen_step(run: Path, which: str) -> int:
    """One checkpoint: the one that was named; else the best on valid, or the latest where valid was never scored."""
    return chosen_steps(run, which if which != "all" else "best" if best(run) else "latest")[-1]


def save(run: Path, checkpoint: tf.train.Checkpoint, step: int) -> None:
    """Write a checkpoint. Its index comes last, so that a half-written one is not taken for one."""
    try:
        checkpoint.write(str(checkpoint_path(run, step)))
    except tf.errors.OpError as error:
        discard(run, step)
        reason = str(error.message).rpartition("; ")[2].partition(" [Op:")[0]
        raise UserError(
            f"{checkpoint_path(run, step)} could not be written ({reason}): make room, then run the same command again"
        ) from error


def restore_latest(run: Path, checkpoint: tf.train.Checkpoint, report: Callable[[str], None]) -> int:
    """Restore the newest checkpoint that can be read; returns its step, 0 where there is none.

    One that is damaged is said and left where it is, and the one before it is taken.

    Raises:
        UserError: there are checkpoints, and none of them can be read.
    """
    found = steps(run)
    for step in reversed(found):
        path = checkpoint_path(run, step)
        try:
            checkpoint.read(str(path)).assert_existing_objects_matched()
        except READ_ERRORS as error:
            report(f"{path} can't be read, going back to the one before it: {str(error).splitlines()[0][:120]}")
            continue
        report(f"Restored model from: {path}")
        return step
    if found:
        raise UserError(f"none of the checkpoints in {run} can be read: delete the folder to begin anew")
    return 0


def load_weights(run: Path, model: Any, step: int) -> None:
    """Give a model the weights that a checkpoint holds for evaluation. Raises `UserError` if it can't be read."""
    path = checkpoint_path(run, step)
    try:
        if released(run):
            with released(run)[0].open("rb") as file, np.load(file) as weights:
                model.set_weights([weights[name] for name in weights.files])
            return
        status = tf.train.Checkpoint(average=model).read(str(path))
        status.expect_partial().assert_existing_objects_matched()
    except READ_ERRORS as error:
        reason = str(error).splitlines()[0][:120]
        raise UserError(f"{path} can't be read ({reason}): delete it, or name another by --checkpoint") from error


def released(run: Path) -> list[Path]:
    """The weights of a released run, which `svhn.release` wrote; of another, nothing."""
    return list(run.glob("ckpt-*.npz"))


def discard(run: Path, step: int) -> None:
    shutil.rmtree(run / f"ckpt-{step}_temp", ignore_errors=True)  # what TensorFlow leaves of one half written
    for path in sorted(run.glob(f"ckpt-{step}.*"), reverse=True):  # the index first: without it, there is none
        path.unlink()


def prune(run: Path, max_to_keep: int) -> None:
    """Delete all but the newest `max_to_keep` checkpoints and the best one."""
    marked = best(run)
    for step in steps(run)[:-max_to_keep]:
        if not marked or step != marked["step"]:
            discard(run, step)


def best(run: Path) -> dict[str, Any]:
    """`step` and scores on valid of the best checkpoint; empty where none was scored or it is gone."""
    path = run / "best.json"
    try:
        marked = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return marked if marked.get("step") in steps(run) else {}
    except (ValueError, AttributeError):  # damaged: the next checkpoint that is scored becomes the best
        return {}


def history(run: Path) -> list[dict[str, Any]]:
    """What was noted at each checkpoint: `step`, `seconds` of training so far, scores on `train` and on `valid`.

    Those of train are of augmented pictures since the checkpoint before; those of valid are None where none was scored.
    """
    path = run / "history.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        return [{**entry, "step": int(entry["step"]), "seconds": float(entry["seconds"])} for entry in entries]
    except (ValueError, TypeError, KeyError):  # damaged: it begins anew
        return []


def write_history(run: Path, entries: list[dict[str, Any]]) -> None:
    with atomic_write(run / "history.json", "w") as file:
        json.dump(entries, file, indent=1)


def rank(scores: Mapping[str, float]) -> tuple[float, float]:
    """Whole numbers read on valid; of those that read as many, which happens, the one with the lower loss is better."""
    return scores.get("sequence_accuracy", -1.0), -scores.get("loss", math.inf)


def mark_best(run: Path, step: int, scores: Mapping[str, float]) -> bool:
    """Mark a checkpoint as best if it ranks above the one marked now."""
    if rank(scores) <= rank(best(run)):
        return False
    with atomic_write(run / "best.json", "w") as file:
        json.dump({"step": step, **scores}, file, indent=1)
    return True
