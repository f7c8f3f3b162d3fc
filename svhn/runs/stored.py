"""config.json and history.json, the files of a run beside its checkpoints; a run is begun and opened with them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from svhn.config import Config, check_registered, get_registered
from svhn.datasets import DATASETS
from svhn.errors import UserError, shorten
from svhn.models import MODELS
from svhn.records import parse_form
from svhn.run import Run
from svhn.runs.steps import list_steps, make_damage_error
from svhn.runtime import cluster
from svhn.runtime.files import write_json
from svhn.runtime.holding import hold_folder
from svhn.runtime.schema import check_value, read_json
from svhn.spec import COUNT, Info

SCHEMA = 3  # number of config.json's layout; files of schema 1 have no number
Purpose = Literal["train", "choose", "score"]
RENAMED_MODELS = {"svhn": "reader"}  # names of schema 1 and of schema 2
SCORES = ("digit_accuracy", "sequence_accuracy", "length_accuracy", "loss")  # that each entry of history.json has


class StoredConfig(NamedTuple):
    """What config.json holds, of any schema."""

    config: dict[str, Any]
    records: dict[str, Any]
    draw: dict[str, int]
    sources: dict[str, str]
    schema: int = 1


@dataclass(frozen=True)
class HistoryEntry:
    """What history.json holds of a checkpoint, as `read_history` describes it."""

    step: int = field(metadata=COUNT)
    seconds: float = field(metadata=COUNT)
    train: dict[str, float] | None
    valid: dict[str, float] | None


def make_config(given: Mapping[str, Any]) -> Config:
    """A new run's options: the given ones; for the others the model's own defaults, then those of `Config`."""
    model = get_registered("model", MODELS, given.get("model", Config.model))
    return Config(**{"dataset": model.dataset, **model.defaults, **given})


@contextmanager
def hold_run(folder: Path, given: Mapping[str, Any], info: Info) -> Iterator[Run]:
    """As `begin_run`, and keep other processes from training the run. Of several workers, the chief holds the folder.

    Raises:
        UserError: as `begin_run`, or another process trains the run.
    """
    chief = cluster.is_chief()
    plan_run(folder, given, info)  # a folder that can't be trained in is left as it is
    with hold_folder(folder, "run", "train under another --name") if chief else nullcontext():
        yield begin_run(folder, given, info)


def begin_run(folder: Path, given: Mapping[str, Any], info: Info) -> Run:
    """Begin a run, or go on with the run in the folder, and write its config.json.

    Args:
        folder: the run's folder.
        given: options that the user named. All others keep their stored values, or their defaults in a new run.
        info: the form of the records to train on.

    Raises:
        UserError: the folder holds a run with other options or records. The message names each difference.
    """
    run = plan_run(folder, given, info)
    if cluster.is_chief():  # workers on several machines may share the folder
        folder.mkdir(parents=True, exist_ok=True)
        of_records = {"records": info.form, "draw": info.draw, "sources": dict(info.sources)}
        write_json(folder / "config.json", {"schema": SCHEMA, "config": dataclasses.asdict(run.config), **of_records})
    return run


def plan_run(folder: Path, given: Mapping[str, Any], info: Info) -> Run:
    """The run that `begin_run` would begin or go on with, for commands that write nothing. Raises the same errors."""
    if any(folder.glob("ckpt-*.npz")):
        raise UserError(f"{folder} holds released weights, which can't be trained on: train under another --name")
    if _has_checkpoints(folder):
        return open_run(folder, given, info, "train")
    return Run(folder, make_config(given), info)


def _has_checkpoints(folder: Path) -> bool:
    """Whether a run in the folder has begun. Before its first checkpoint, its options can still be replaced freely."""
    return (folder / "config.json").exists() and bool(list_steps(folder))


def resolve_option(folder: Path, given: Mapping[str, Any], name: str) -> Any:
    """One option's value before the records are read: the given one, else the stored one, else the model's default."""
    stored = read_config(folder)["config"] if _has_checkpoints(folder) else dataclasses.asdict(make_config(given))
    return given.get(name, stored[name])


def open_run(folder: Path, given: Mapping[str, Any], info: Info, purpose: Purpose) -> Run:
    """The run in a folder, its options replaced by the given ones.

    Args:
        folder: the run's folder.
        given: options that the user named.
        info: the form of the records at hand.
        purpose: what the run is opened for. `train` allows the fewest options to change. `train` and `choose`
            (a checkpoint or a temperature by its scores on valid) require the same draw of train and valid.

    Raises:
        UserError: the folder holds no run, or an option or the records differ that must not.
    """
    stored = read_config(folder)
    options = stored["config"]
    fixed = ("run", "training") if purpose == "train" else ("run",)
    kept = {field.name for field in dataclasses.fields(Config) if field.metadata["fixed"] in fixed}
    differing = list_differences(options, {key: given[key] for key in kept & given.keys()})
    if purpose != "train":  # a network that can't tell longer numbers apart may be scored on them
        info = dataclasses.replace(info, longer=stored["records"]["longer"])
    differing += list_differences(stored["records"], info.form)
    shared = stored["sources"].keys() & info.sources.keys()  # sources of one name can come from different files
    differing += list_differences(stored["sources"], {key: info.sources[key] for key in shared})
    if purpose in ("train", "choose"):  # in another draw, valid holds examples that the run was trained on
        differing += list_differences(stored["draw"], info.draw)
    if differing:
        raise UserError(
            f"{folder} holds a run with {', '.join(sorted(differing))}: "
            "use the same options and records, or another --name for another run"
        )
    if "num_epochs" in given and "num_steps" not in given:
        options = {**options, "num_steps": 0}  # a stored num_steps would override the given num_epochs
    return Run(folder, Config(**{**options, **given}), info)


def list_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """`key=old value (now new value)` for each key of `now` whose value differs from that in `before`."""
    now = json.loads(json.dumps(now))  # as it would be read back: tuples become lists
    return [f"{key}={shorten(before.get(key))} (now {shorten(now[key])})" for key in now if before.get(key) != now[key]]


def read_config(folder: Path) -> dict[str, Any]:
    """The content of a run's config.json in today's schema: `config`, `records`, `draw` and `sources`.

    Raises:
        UserError: the file is missing, damaged or of a later version, or names an unknown model or data set.
    """
    path = folder / "config.json"
    if not path.exists():
        raise UserError(f"{folder} holds no run: train one with `svhn train --name={folder.name}`")
    try:
        stored = _upgrade_config(read_json(path, StoredConfig, SCHEMA))
        config = check_value(stored.config, Config, "config")
        check_registered("model", MODELS, config.model)
        check_registered("data set", DATASETS, config.dataset)
        parse_form(stored.records)
    except (ValueError, UserError) as error:
        raise UserError(
            f"{path}: not a run's config.json ({error}): restore it, or train under another --name"
        ) from error
    records = {"longer": False, **stored.records}  # earlier versions left longer numbers out
    return {**stored._asdict(), "config": dataclasses.asdict(config), "records": records}


def _upgrade_config(stored: StoredConfig) -> StoredConfig:
    """The content of a config.json in today's schema. Raises `ValueError` if its model has no name."""
    if stored.schema == SCHEMA:
        return stored
    # Before schema 3, JPEGs were decoded as TensorFlow does by default. The oldest runs learned no maps.
    options = {"map_weight": 0.0, **stored.config, "exact_jpeg": False}
    options.pop("skip_corrupt", None)  # today `wrangle --salvage` leaves corrupt records out
    model = check_value(options.get("model"), str, "config.model")
    return stored._replace(schema=SCHEMA, config={**options, "model": RENAMED_MODELS.get(model, model)})


def read_run_info(folder: Path) -> Info:
    """The form of a run's records from its config.json, without counts of examples.

    It is enough to build the run's model and to prepare pictures for it. Raises the errors of `read_config`.
    """
    return parse_form(read_config(folder)["records"])


def read_history(folder: Path) -> list[dict[str, Any]]:
    """One entry per checkpoint: `step`, `seconds` of training so far, and the scores on `train` and `valid`.

    The scores on `train` are those of the augmented training batches since the checkpoint before. Either is None if
    there was nothing to score. A missing history.json gives [].

    Raises:
        DamagedFileError: history.json can't be read.
    """
    path = folder / "history.json"
    try:
        entries = read_json(path, list[HistoryEntry]) if path.exists() else []
        _check_scores(entries)
    except ValueError as error:
        raise make_damage_error(path, error) from error
    return [dataclasses.asdict(entry) for entry in entries]


def _check_scores(entries: list[HistoryEntry]) -> None:
    """Raises `ValueError` if the scores of an entry lack one of `SCORES`."""
    for entry in entries:
        for scores in filter(None, (entry.train, entry.valid)):
            if missing := [name for name in SCORES if name not in scores]:
                raise ValueError(f"the entry of step {entry.step} lacks {', '.join(missing)}")


def write_history(folder: Path, entries: list[dict[str, Any]]) -> None:
    """Write the entries as `read_history` returns them."""
    write_json(folder / "history.json", entries)
