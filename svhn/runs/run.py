"""A run is a folder: its `config.json`, its checkpoints, and which of them is best."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from svhn.config import Config, get_registered
from svhn.datasets import DATASETS
from svhn.errors import UserError
from svhn.models import MODELS
from svhn.runs import checkpoints
from svhn.runtime import cluster
from svhn.runtime.files import write_json
from svhn.spec import Info

SCHEMA = 2  # of config.json; a file without a number is of schema 1
RENAMED_MODELS = {"svhn": "reader"}  # since schema 2


def make_config(given: Mapping[str, Any]) -> Config:
    """A new run's options: the model's own defaults under those that were given."""
    model = get_registered("model", MODELS, given.get("model", Config.model))
    return Config(**{"dataset": model.dataset, **model.defaults, **given})


def begin_run(run: Path, given: Mapping[str, Any], info: Info) -> Config:
    """The options to train with: a new run's, or those of the run that is in the folder, which goes on.

    Args:
        run: the folder.
        given: options that the user named; all others come from the run, or are defaults.
        info: of the records to train on.

    Raises:
        UserError: if the folder holds a run that was made in another way; names the options that differ.
    """
    config = resolve_config(run, given, info)
    if cluster.is_chief():
        run.mkdir(parents=True, exist_ok=True)
        of_records = {"records": info.form, "draw": info.draw, "sources": dict(info.sources)}
        write_json(run / "config.json", {"schema": SCHEMA, "config": dataclasses.asdict(config), **of_records})
    return config


def resolve_config(run: Path, given: Mapping[str, Any], info: Info) -> Config:
    """What to train with: as `begin_run`, without writing."""
    if any(run.glob("ckpt-*.npz")):
        raise UserError(f"{run} holds released weights, which can't be trained on: train under another --name")
    return open_run(run, given, info, "train") if _has_checkpoints(run) else make_config(given)


def _has_checkpoints(run: Path) -> bool:
    """Whether the folder holds a run. Before its first checkpoint, nothing relies on its options."""
    return (run / "config.json").exists() and bool(checkpoints.list_steps(run))


def resolve_option(run: Path, given: Mapping[str, Any], name: str) -> Any:
    """As named, or the run's, or the model's default; for what has to be known before the records are read."""
    stored = read_config(run)["config"] if _has_checkpoints(run) else dataclasses.asdict(make_config(given))
    return given.get(name, stored[name])


def open_run(run: Path, given: Mapping[str, Any], info: Info, mode: str) -> Config:
    """The run's options, with those replaced that were given and that may change in this mode.

    Raises:
        UserError: if there is no run, or one of its options that may not change, or its records, would differ.
    """
    stored = read_config(run)
    options = stored["config"]
    fixed = ("run", "training") if mode == "train" else ("run",)
    kept = {field.name for field in dataclasses.fields(Config) if field.metadata["fixed"] in fixed}
    differing = list_differences(options, {key: given[key] for key in kept & given.keys()})
    differing += list_differences(stored["records"], info.form)
    both = stored["sources"].keys() & info.sources.keys()  # the same name may be read from other files
    differing += list_differences(stored["sources"], {key: info.sources[key] for key in both})
    if mode in ("train", "valid"):  # another draw of the two would score what was trained on
        differing += list_differences(stored["draw"], info.draw)
    if differing:
        raise UserError(
            f"{run} holds a run with {', '.join(sorted(differing))}: "
            "use the same options and records, or another --name for another run"
        )
    if "num_epochs" in given and "num_steps" not in given:
        options = {**options, "num_steps": 0}  # the one that was named last counts
    return Config(**{**options, **given})


def list_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    now = json.loads(json.dumps(now))
    return [f"{key}={before.get(key)} (now {now[key]})" for key in now if before.get(key) != now[key]]


def read_config(run: Path) -> dict[str, Any]:
    """Raises `UserError` unless the folder holds a run's `config.json`."""
    path = run / "config.json"
    if not path.exists():
        raise UserError(f"{run} holds no run: train one with `python main.py --mode=train --name={run.name}`")
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


def read_run_info(run: Path) -> Info:
    """What is known of a run's records without them: enough to build its model and to prepare pictures for it."""
    crop = read_config(run)["records"]
    unknown = {"splits": {}, "sizes": {}, "lengths": {}, "sources": {}, "seed": 0, "image_format": ""}
    return Info(**{**unknown, **crop, "size": tuple(crop["size"])})


def read_history(run: Path) -> list[dict[str, Any]]:
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
    write_json(run / "history.json", entries)
