"""Export of a run to another runtime: the file takes pixels and returns numbers with their confidences.

The file is kept only if it reads like TensorFlow in its own runtime.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from svhn.errors import UserError
from svhn.evaluation.answers import make_answerer
from svhn.models.losses import Network
from svhn.publishing.agreement import Agreement, choose_check_images, compare_outputs, run_in_batches
from svhn.publishing.formats import FORMATS, Exportable
from svhn.run import Run
from svhn.runs.checkpoints import is_pattern
from svhn.runs.exported import PREFERENCE, get_description_path, write_description
from svhn.runs.load import freeze_model, load_run
from svhn.runs.steps import resolve_step
from svhn.runtime.holding import hold_file

PORTABLE_OPTIONS = {"mixed_precision": False}  # options of an exported network: all runtimes have float32


class ExportCheck(NamedTuple):
    """How an exported file reads images in comparison with TensorFlow.

    Args:
        sample: number and kind of the images, for example "256 images of valid".
        agreement: how far the outputs agree.
    """

    sample: str
    agreement: Agreement


def export_run(
    folder: Path, given: Mapping[str, Any], checkpoint: str, records_dir: str, kind: str, target: Path
) -> ExportCheck:
    """Write a run's checkpoint as a file of another runtime, check it, and describe it in a file beside it.

    Args:
        folder: the run's.
        given: options in place of the stored ones.
        checkpoint: as `steps.resolve_step` takes it; "" for the best.
        records_dir: folder of the records, for the check.
        kind: key of `FORMATS`.
        target: path of the file, or of the folder for a SavedModel, which gets no description.

    Raises:
        UserError: the target is taken, or written by another process; a converter is not installed; or the file does
            not read as TensorFlow does.
    """
    _check_target(target, kind)
    with hold_file(target, "name another --output"):
        step = resolve_step(folder, checkpoint)
        run, model = load_run(folder, {**given, **PORTABLE_OPTIONS}, str(step))
        source, images = choose_check_images(run, records_dir)
        module = make_exportable(freeze_model(unroll_recurrence(model)), run)
        agreement = write_export(module, kind, target, images)
        if kind in PREFERENCE:
            write_description(target, run, step, kind, "box" in model.output)
    return ExportCheck(f"{len(images)} {source}", agreement)


def _check_target(target: Path, kind: str) -> None:
    """Raises `UserError` if the name does not fit the format, or if anything but an earlier export has it.

    TensorFlow could not load a SavedModel whose path is a pattern.
    """
    if kind == "savedmodel" and is_pattern(target):
        raise UserError(
            f"{target}: TensorFlow loads no SavedModel from a path with [ or \\: name another with --output"
        )
    expected = Path(f"_{FORMATS[kind].suffix}").suffix
    if kind != "savedmodel" and target.suffix != expected:
        raise UserError(f"--output={target}: expected a name that ends in {expected}")
    earlier = (target / "saved_model.pb").exists() if kind == "savedmodel" else target.is_file()
    if not target.name or (target.exists() and not earlier):
        raise UserError(f"--output={target} exists and is no earlier export of --format={kind}: name another file")


def make_exportable(network: Network, run: Run) -> Exportable:
    """The run's network as a function that can be exported, from images to what `make_answerer` returns."""
    return Exportable(make_answerer(network, run), run.records)


def unroll_recurrence(model: keras.Model) -> keras.Model:
    """The model, its recurrent layers computed step after step: LiteRT's converter takes no other loop."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.RNN):
            layer.unroll = True
    return model


def write_export(module: Exportable, kind: str, target: Path, images: np.ndarray) -> Agreement:
    """Write a file under a hidden name, check it, and rename it. The description of an earlier file is removed.

    Args:
        module: the function to export.
        kind: key of `FORMATS`.
        target: the final path; an earlier export there is replaced.
        images: images for the check, uint8 (images, height, width, channels).

    Raises:
        UserError: as `export_run`; an earlier export then stays.
    """
    unfinished = make_hidden_path(target, "unfinished")
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_path(unfinished)
    try:
        FORMATS[kind].write(module, unfinished)
        agreement = _check_export(module, kind, unfinished, images)
        get_description_path(target).unlink(missing_ok=True)
        _replace_export(unfinished, target)
    finally:
        _remove_path(unfinished)
    return agreement


def _check_export(module: Exportable, kind: str, path: Path, images: np.ndarray) -> Agreement:
    """How far a file agrees with the function in TensorFlow. Raises `UserError` if it does not agree far enough."""
    form = FORMATS[kind]
    agreement = compare_outputs(run_in_batches(form.load(path), images), run_in_batches(module.run_images, images))
    if not agreement.is_close(form.exact):
        raise UserError(
            f"--format={kind}: the file reads {agreement.same:.1%} of {len(images)} images as TensorFlow does, and "
            f"{agreement.sure:.1%} of those that TensorFlow is sure of; its outputs differ by up to "
            f"{agreement.difference:.2g} ({agreement.noise:.1%} of their spread), its confidences by up to "
            f"{agreement.confidence:.2g}, and its boxes overlap by {agreement.overlap:.1%}: nothing was "
            "exported; choose another --format"
        )
    return agreement


def _replace_export(new: Path, target: Path) -> None:
    earlier = make_hidden_path(target, "earlier")
    if target.is_dir():  # a rename replaces a file, but not a folder with content
        _remove_path(earlier)  # left by an export that was killed here
        target.replace(earlier)
    new.replace(target)
    _remove_path(earlier)


def make_hidden_path(target: Path, word: str) -> Path:
    """A hidden path beside the target, for work in progress. Users hardly ever have a file of such a name."""
    return target.with_name(f".{word}-{target.name}")


def _remove_path(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
