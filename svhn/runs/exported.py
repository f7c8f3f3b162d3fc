"""Exported networks: the description beside an exported file, by which `read` finds the file of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from svhn.errors import Say, UserError
from svhn.run import Run
from svhn.runtime.files import compute_sha256, write_json
from svhn.runtime.schema import read_json

SCHEMA = 1  # number of the layout of a description
BUNDLED = "network.tflite"  # name of the exported file in the folder of a released run
REMEDY = "export the run again, or release it again if the file is a released run's"
SUFFIXES = (".tflite", ".onnx")
PREFERENCE = ("litert_int8", "litert_float16", "litert", "onnx")  # formats that `read` takes, the smallest first
STAMPED_OPTIONS = ("model", "dataset", "random_crop", "grayscale", "views", "temperature")
VARYING_OPTIONS = ("augment", "magnitude")  # how views differ from one another


@dataclass(frozen=True)
class Description:
    """What an exported file holds; stored as `NAME.json` beside the file `NAME`.

    Args:
        format: key of `publishing.formats.FORMATS`.
        sha256: of the file.
        stamp: what the file was made from, as `make_stamp` returns it.
        records: the form of the run's records, as `Info.form` returns it.
        threshold: least confidence, 0 to 1, with which a finder's number is answered in a small picture.
        locates: whether the network is a finder.
        schema: number of this layout.
    """

    format: str
    sha256: str
    stamp: Mapping[str, Any]
    records: Mapping[str, Any]
    threshold: float = field(metadata={"least": 0, "most": 1})
    locates: bool
    schema: int = SCHEMA


def get_description_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _is_described(path: Path) -> bool:
    return path.exists() and get_description_path(path).exists()


def make_stamp(run: Run, step: int) -> dict[str, Any]:
    """What the answers of a run's checkpoint depend on: its weights, and the options that change what is read."""
    weights = next(path for end in ("npz", "index") if (path := run.folder / f"ckpt-{step}.{end}").exists())
    names = (*STAMPED_OPTIONS, *(VARYING_OPTIONS if run.config.views > 1 else ()))
    options = {name: getattr(run.config, name) for name in names}
    return {"step": step, "weights": compute_sha256(weights), **options}


def write_description(path: Path, run: Run, step: int, kind: str, locates: bool) -> None:
    """Describe an exported file.

    Args:
        path: the file, complete.
        run: the run, with the options that it was exported with.
        step: step of its checkpoint.
        kind: key of `publishing.formats.FORMATS`.
        locates: whether the network is a finder.
    """
    described = Description(
        kind, compute_sha256(path), make_stamp(run, step), run.records.form, run.config.threshold, locates
    )
    write_json(get_description_path(path), dataclasses.asdict(described))


def read_description(path: Path) -> Description:
    """The description of an exported file. Raises `UserError` if it is missing, damaged or of another version."""
    described = get_description_path(path)
    try:
        return read_json(described, Description, SCHEMA)
    except (OSError, ValueError) as error:
        raise UserError(f"{described} is no description of an exported network ({error}): {REMEDY}") from error


def check_exported(path: Path, description: Description) -> None:
    """Raises `UserError` if an exported file is not the one that was described."""
    if compute_sha256(path) != description.sha256:
        described = get_description_path(path).name
        raise UserError(f"{path} is not the file that {described} describes: its sha256 differs: {REMEDY}")


def find_exported(run: Run, step: int, results: Path, say: Say) -> list[tuple[Path, Description]]:
    """Exported files of a run's checkpoint with the run's options, the smallest first.

    The files themselves are not read: `check_exported` finds those that are damaged.

    Args:
        run: the run, with the options to read with.
        step: step of the checkpoint.
        results: folder of the run's results, where `export` writes.
        say: takes a line for each description that is damaged.
    """
    candidates = [run.folder / BUNDLED, *sorted(path for path in results.glob("*.*") if path.suffix in SUFFIXES)]
    fitting = []
    for path in filter(_is_described, candidates):
        try:
            description = read_description(path)
        except UserError as error:
            say(str(error))
            continue
        if description.format in PREFERENCE and _fits_run(description, run, step):
            fitting.append((path, description))
    return sorted(fitting, key=lambda pair: PREFERENCE.index(pair[1].format))


def _fits_run(description: Description, run: Run, step: int) -> bool:
    form = {**run.records.form, "size": list(run.records.size)}  # as JSON holds it
    return {"longer": False, **description.records} == form and description.stamp == make_stamp(run, step)
