"""What a run's folder holds beside its checkpoints: config.json and history.json; opening and beginning a run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from svhn.config import Config, get_registered
from svhn.datasets import DATASETS
from svhn.errors import UserError
from svhn.models import MODELS
from svhn.run import Run
from svhn.runs.steps import list_steps
from svhn.runtime import cluster
from svhn.runtime.files import write_json
from svhn.spec import Info

SCHEMA = 2  # of config.json; a file without a number is of schema 1
Purpose = Literal["train", "choose", "score"]
RENAMED_MODELS = {"svhn": "reader"}  # since schema 2


def make_config(given: Mapping[str, Any]) -> Config:
    """A new run's options: the model's own defaults under those that were given."""
    model = get_registered("model", MODELS, given.get("model", Config.model))
    return Config(**{"dataset": model.dataset, **model.defaults, **given})


def begin_run(folder: Path, given: Mapping[str, Any], info: Info) -> Run:
    """A run to train, its config.json written: a new one, or the run in the folder, which goes on.

    Args:
        folder: the run's.
        given: options that the user named; all others are those of the run, or defaults.
        info: of the records to train on.

    Raises:
        UserError: the folder holds a run with other options or records, which the message names.
    """
    run = plan_run(folder, given, info)
    if cluster.is_chief():
        folder.mkdir(parents=True, exist_ok=True)
        of_records = {"records": info.form, "draw": info.draw, "sources": dict(info.sources)}
        write_json(folder / "config.json", {"schema": SCHEMA, "config": dataclasses.asdict(run.config), **of_records})
    return run


def plan_run(folder: Path, given: Mapping[str, Any], info: Info) -> Run:
    """The run that `begin_run` would begin or go on with; nothing is written."""
    if any(folder.glob("ckpt-*.npz")):
        raise UserError(f"{folder} holds released weights, which can't be trained on: train under another --name")
    if _has_checkpoints(folder):
        return open_run(folder, given, info, "train")
    return Run(folder, make_config(given), info)


def _has_checkpoints(folder: Path) -> bool:
    """Whether the folder holds a run that has begun: before its first checkpoint, nothing relies on its options."""
    return (folder / "config.json").exists() and bool(list_steps(folder))


def resolve_option(folder: Path, given: Mapping[str, Any], name: str) -> Any:
    """One option before the records are read: as given, or else the run's, or else the model's default."""
    stored = read_config(folder)["config"] if _has_checkpoints(folder) else dataclasses.asdict(make_config(given))
    return given.get(name, stored[name])


def open_run(folder: Path, given: Mapping[str, Any], info: Info, purpose: Purpose) -> Run:
    """The run in a folder, with the options replaced that were given.

    Args:
        folder: the run's.
        given: options that the user named.
        info: of the records at hand.
        purpose: what the run is opened for. Training may change the fewest options. Training and choosing
            (a checkpoint, a temperature) hold the records to the same draw of train and valid.

    Raises:
        UserError: the folder holds no run, or an option or the records would differ that have to stay.
    """
    stored = read_config(folder)
    options = stored["config"]
    fixed = ("run", "training") if purpose == "train" else ("run",)
    kept = {field.name for field in dataclasses.fields(Config) if field.metadata["fixed"] in fixed}
    differing = list_differences(options, {key: given[key] for key in kept & given.keys()})
    differing += list_differences(stored["records"], info.form)
    both = stored["sources"].keys() & info.sources.keys()  # the same name may be read from other files
    differing += list_differences(stored["sources"], {key: info.sources[key] for key in both})
    if purpose in ("train", "choose"):  # another draw of train and valid would score what was trained on
        differing += list_differences(stored["draw"], info.draw)
    if differing:
        raise UserError(
            f"{folder} holds a run with {', '.join(sorted(differing))}: "
            "use the same options and records, or another --name for another run"
        )
    if "num_epochs" in given and "num_steps" not in given:
        options = {**options, "num_steps": 0}  # the one that was named last counts
    return Run(folder, Config(**{**options, **given}), info)


def list_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    now = json.loads(json.dumps(now))
    return [f"{key}={before.get(key)} (now {now[key]})" for key in now if before.get(key) != now[key]]


def read_config(folder: Path) -> dict[str, Any]:
    """Raises `UserError` unless the folder holds a run's `config.json`."""
    path = folder / "config.json"
    if not path.exists():
        raise UserError(f"{folder} holds no run: train one with `python main.py --mode=train --name={folder.name}`")
    try:
        stored = _upgrade_config(json.loads(path.read_text(encoding="utf-8")))
        config = Config(**stored["config"])
        get_registered("model", MODELS, config.model)
        get_registered("data set", DATASETS, config.dataset)
        of_records = {key: dict(stored[key]) for key in ("records", "draw", "sources")}
        stored = {"schema": SCHEMA, "config": dataclasses.asdict(config), **of_records}
    except (ValueError, KeyError, TypeError, UserError) as error:
        raise UserError(
            f"{path}: not a run's config.json ({error}): restore it, or train under another --name"
        ) from error
    return stored


def _upgrade_config(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content of a config.json in today's schema. Raises `ValueError` for a schema of a later version."""
    schema = stored.get("schema", 1)
    if schema not in (1, SCHEMA):
        raise ValueError(f"its schema is {schema}, and this version reads up to {SCHEMA}")
    if schema == SCHEMA:
        return stored
    options = {"map_weight": 0.0, **stored["config"]}  # the oldest runs learned no maps
    options.pop("skip_corrupt", None)  # wrangling leaves corrupt records out now
    model = options["model"]
    return {**stored, "config": {**options, "model": RENAMED_MODELS.get(model, model)}}


def read_run_info(folder: Path) -> Info:
    """What is known of a run's records without them: enough to build its model and to prepare pictures for it."""
    crop = read_config(folder)["records"]
    unknown = {"splits": {}, "sizes": {}, "lengths": {}, "sources": {}, "seed": 0, "image_format": ""}
    return Info(**{**unknown, **crop, "size": tuple(crop["size"])})


def read_history(folder: Path) -> list[dict[str, Any]]:
    """What was noted at each checkpoint: `step`, `seconds` of training so far, scores on `train` and on `valid`.

    Those of train are of augmented pictures since the checkpoint before; those of valid are None where none was scored.
    """
    path = folder / "history.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        return [{**entry, "step": int(entry["step"]), "seconds": float(entry["seconds"])} for entry in entries]
    except (ValueError, TypeError, KeyError):  # damaged: it begins anew
        return []


def write_history(folder: Path, entries: list[dict[str, Any]]) -> None:
    write_json(folder / "history.json", entries)
