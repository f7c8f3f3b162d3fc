"""Export of a run to another runtime: the file takes pixels and returns numbers with their confidences.

The file is kept only if it reads like TensorFlow in its own runtime.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from svhn import records
from svhn.errors import UserError
from svhn.evaluation.answers import make_answerer
from svhn.models.losses import Network
from svhn.pipeline import integrity
from svhn.pipeline.batches import make_evaluation_batches
from svhn.publishing.formats import FORMATS, Call, Exportable, Outputs
from svhn.run import Run
from svhn.runs.load import freeze_model, load_run
from svhn.runs.stored import open_run
from svhn.spec import Info

PORTABLE_OPTIONS = {"mixed_precision": False, "views": 1}  # options of an exported network: all runtimes have float32
CHECK_COUNT = 256  # images that an exported file is checked with
BATCH_SIZE = 64  # images per call in the check
# Images of train from which int8 takes the ranges of its values. With 100 to 300 images, it read 0.2 to 0.4 points less
# of valid.
CALIBRATION_COUNT = 1000
# Runtimes round float32 differently: by up to 2e-4 on 2,999 house numbers, and by more on pictures unlike them.
MAX_DIFFERENCE = 1e-3
MIN_INT8_AGREEMENT = 0.9  # least share of numbers that int8 must read as TensorFlow does


class ExportCheck(NamedTuple):
    """How an exported file reads images in comparison with TensorFlow.

    Args:
        sample: number and kind of the images, for example "256 images of valid".
        same: share of the images whose number is the same, 0 to 1.
        difference: the largest difference in logits, confidences and box.
    """

    sample: str
    same: float
    difference: float


def export_run(
    folder: Path, given: Mapping[str, Any], checkpoint: str, records_dir: str, kind: str, target: Path
) -> ExportCheck:
    """Write a run's checkpoint as a file of another runtime, and check it.

    Args:
        folder: the run's.
        given: options in place of the stored ones.
        checkpoint: as `steps.resolve_step` takes it; "" for the best.
        records_dir: folder of the records, for the check and for the ranges of int8.
        kind: key of `FORMATS`.
        target: path of the file, or of the folder for a SavedModel.

    Raises:
        UserError: the target is taken, a converter is not installed, int8 has no records of train or can't hold the
            network, or the file does not read as TensorFlow does.
    """
    _check_target(target, kind)
    if given.get("views", 1) != 1:
        raise UserError(f"--views={given['views']}: an exported network has one view: leave the flag out")
    run, model = load_run(folder, {**given, **PORTABLE_OPTIONS}, checkpoint)
    if not FORMATS[kind].exact and any(isinstance(layer, keras.layers.RNN) for layer in model.layers):
        raise UserError(
            f"--format={kind}: the recurrent model {run.config.model} has no 8-bit export: choose another --format"
        )
    module = make_exportable(freeze_model(model), run)
    source, images = _choose_check_images(run, records_dir)
    calibration = images if FORMATS[kind].exact else load_split_images(run, records_dir, "train", CALIBRATION_COUNT)
    return ExportCheck(f"{len(images)} {source}", *write_export(module, kind, target, images, calibration))


def _check_target(target: Path, kind: str) -> None:
    """Raises `UserError` if the name does not fit the format, or if anything but an earlier export has it."""
    expected = Path(f"_{FORMATS[kind].suffix}").suffix
    if kind != "savedmodel" and target.suffix != expected:
        raise UserError(f"--output={target}: expected a name that ends in {expected}")
    earlier = (target / "saved_model.pb").exists() if kind == "savedmodel" else target.is_file()
    if not target.name or (target.exists() and not earlier):
        raise UserError(f"--output={target} exists and is no earlier export of --format={kind}: name another file")


def make_exportable(network: Network, run: Run) -> Exportable:
    """The run's network as a function that can be exported, from images to what `make_answerer` returns."""
    return Exportable(make_answerer(network, run), run.records)


def _choose_check_images(run: Run, records_dir: str) -> tuple[str, np.ndarray]:
    """Images for the check, and a name for them: images of valid, or else of test, or else drawn images.

    Someone who was given a run often has no records.
    """
    for split in ("valid", "test"):
        with suppress(UserError):
            return f"images of {split}", load_split_images(run, records_dir, split, CHECK_COUNT)
    return "drawn images", draw_plain_images(run.records, CHECK_COUNT)


def load_split_images(run: Run, records_dir: str, name: str, count: int) -> np.ndarray:
    """The first `count` images of a split, or all if there are fewer: uint8 (images, height, width, channels).

    Raises:
        UserError: the records are missing, damaged, or of another form than the run's.
    """
    info = records.read_info(records_dir, run.config.dataset)
    run, split = open_run(run.folder, {}, info, "score"), records.open_split(records_dir, info, name)
    batches = make_evaluation_batches(run, split).take(-(-count // run.config.batch_size))
    with integrity.explain_corruption(split):
        images = [batch["image"][batch["weight"] > 0] for batch in batches]
    return np.concatenate(images)[:count]


def draw_plain_images(info: Info, count: int) -> np.ndarray:
    """Drawn numbers with noise as in photos, for a check without records: uint8 (count, height, width, channels)."""
    rng, (height, width) = np.random.default_rng(0), info.size
    font = ImageFont.load_default(height / 2)

    def draw() -> np.ndarray:
        ground, ink = rng.integers(256, size=2).tolist()
        image = Image.new("L", (width, height), ground)
        text = "".join(map(str, rng.integers(10, size=rng.integers(1, info.max_length + 1))))
        ImageDraw.Draw(image).text((width / 2, height / 2), text, ink, font, "mm")
        return np.asarray(image)[..., None] + rng.normal(0, 20, (height, width, info.channels))

    return np.stack([draw() for _ in range(count)]).clip(0, 255).astype(np.uint8)


def write_export(
    module: Exportable, kind: str, target: Path, images: np.ndarray, calibration: np.ndarray
) -> tuple[float, float]:
    """Write a file under a hidden name, check it, and rename it.

    Args:
        module: the function to export.
        kind: key of `FORMATS`.
        target: the final path; an earlier export there is replaced.
        images: images for the check, uint8 (images, height, width, channels).
        calibration: images for the ranges of int8; other formats ignore them.

    Returns:
        As `compare_outputs`.

    Raises:
        UserError: as `export_run`; an earlier export then stays.
    """
    form, unfinished, earlier = (
        FORMATS[kind],
        make_hidden_path(target, "unfinished"),
        make_hidden_path(target, "earlier"),
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_path(unfinished)
    try:
        form.write(module, unfinished, calibration)
        same, difference = compare_outputs(
            run_in_batches(form.load(unfinished), images), run_in_batches(module.run_images, images)
        )
        if same < (1 if form.exact else MIN_INT8_AGREEMENT) or not (difference <= MAX_DIFFERENCE or not form.exact):
            raise UserError(
                f"--format={kind}: the file reads {same:.1%} of {len(images)} images as TensorFlow does, and its "
                f"outputs differ by up to {difference:.2g}: nothing was exported; choose another --format"
            )
        if target.is_dir():  # a rename replaces a file, but not a folder with content
            _remove_path(earlier)  # left by an export that was killed here
            target.replace(earlier)
        unfinished.replace(target)
        _remove_path(earlier)
    finally:
        _remove_path(unfinished)
    return same, difference


def make_hidden_path(target: Path, word: str) -> Path:
    """A hidden path beside the target, for work in progress. Users hardly ever have a file of such a name."""
    return target.with_name(f".{word}-{target.name}")


def run_in_batches(call: Call, images: np.ndarray) -> Outputs:
    """The outputs for any number of images, uint8 (images, height, width, channels), in batches."""
    parts = [call(images[start : start + BATCH_SIZE]) for start in range(0, len(images), BATCH_SIZE)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def compare_outputs(found: Outputs, expected: Outputs) -> tuple[float, float]:
    """The share of images whose number is the same, 0 to 1, and the largest difference in all other outputs."""
    same = (found["number"] == expected["number"]).all(axis=1).mean()
    others = expected.keys() - {"number"}
    return float(same), float(np.max([np.abs(found[name] - expected[name]).max() for name in others]))


def _remove_path(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
