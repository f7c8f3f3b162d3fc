"""Release of a run: one checkpoint's weights in half the bytes, with a temperature and threshold measured on valid."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from svhn import labels
from svhn.confidence import estimate_confidence
from svhn.config import Paths
from svhn.errors import Say, UserError
from svhn.evaluation import decoding, score, views
from svhn.models.losses import Network, Outputs, compute_sequence_loss
from svhn.pipeline import batches
from svhn.publishing.export import export_run
from svhn.records import Split
from svhn.run import Run
from svhn.runs import load
from svhn.runs.exported import BUNDLED, get_description_path
from svhn.runs.stored import read_config, read_history, write_history
from svhn.runtime.files import atomic_write, write_json

MEASURED_OPTIONS = ("views", "temperature", "threshold")  # options of evaluation that a released run keeps
MIN_PROBABILITY = 1e-6  # keeps the loss finite when a wrong number has a confidence of 1
LIGHT_FORMATS = ("litert_int8", "litert_float16")  # for reading without TensorFlow: see docs/results.md
TEMPERATURES = np.geomspace(0.25, 4.0, 81).round(3).tolist()  # candidates, 3.5 % apart


class Blend(NamedTuple):
    """Another network of the same model, and its share, 0 to 1, of the released weights."""

    model: keras.Model
    share: float


def load_blend(run: Run, paths: Paths, name: str, share: float) -> Blend | None:
    """The network of the run of that name, at its best checkpoint; None for no name.

    Raises:
        UserError: the share is out of range, or the other run can't be read, has another model or reads other lengths.
    """
    if not 0 <= share < 1:
        raise UserError(f"--blend_share={share:g}: expected a share from 0 to below 1")
    if not name:
        return None
    other, model = load.load_run(dataclasses.replace(paths, name=name).run_folder)
    kinds = [(each.config.model, each.records.max_length, each.records.fixed_length) for each in (run, other)]
    if kinds[0] != kinds[1]:
        raise UserError(f"--blend={name} is a run of another model or reads numbers of other lengths: name another run")
    return Blend(model, share)


def release_run(
    run: Run, valid: Split, step: int, folder: Path, threshold: float | None = None, blend: Blend | None = None
) -> tuple[float, dict[str, float]]:
    """Write a folder that all commands but train and lr accept as a run.

    The folder holds no checksums of the run's sources, so that the released run can be scored on other test splits.

    Args:
        run: the run, opened with the options of evaluation to keep.
        valid: the split on which temperature and threshold are chosen.
        step: step of the checkpoint.
        folder: where to write; an earlier release there is replaced.
        threshold: the one to keep, 0 to 1; None to choose one on the split.
        blend: what the weights are averaged with; None to leave them as they are.

    Returns:
        The temperature, and the scores on valid.
    """
    model = load.load_trained_model(run, step)
    if blend:
        average_weights(model, blend)
    weights = [_to_float16(weight) for weight in model.get_weights()]
    model.set_weights(weights)
    network = load.freeze_model(model)
    run = run.with_options(temperature=choose_temperature(network, run, valid))
    run = run.with_options(threshold=choose_threshold(network, run, valid) if threshold is None else threshold)
    scores = score.make_scorer(network, run, valid)("")
    stored = read_config(run.folder)
    options = {**stored["config"], **{name: getattr(run.config, name) for name in MEASURED_OPTIONS}}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"ckpt-{step}.npz"
    with atomic_write(path) as file:
        np.savez_compressed(file, *weights)
    write_history(folder, read_history(run.folder))
    described = {"best.json": {"step": step, **scores}, "config.json": {**stored, "config": options, "sources": {}}}
    for name, content in described.items():
        write_json(folder / name, content)
    for earlier in set(folder.glob("ckpt-*.npz")) - {path}:  # removed last, so that the folder is a run at any time
        earlier.unlink()
    return run.config.temperature, scores


def average_weights(model: keras.Model, blend: Blend) -> None:
    """Move a model's weights towards those of another network, in place.

    A network that learned more pictures loses some of what it could read before. The average of both keeps most of what
    each reads (Wortsman et al. 2022, *Robust fine-tuning of zero-shot models*, arXiv 2109.01903). Weights of another
    shape stay: those of the length, where only one of both has the class of longer numbers.
    """
    for weight, other in zip(model.weights, blend.model.weights, strict=True):
        if weight.shape == other.shape:
            weight.assign((1 - blend.share) * weight.numpy() + blend.share * other.numpy())


def write_light_file(folder: Path, records_dir: str, say: Say) -> None:
    """Write the file by which `read` reads a released run without TensorFlow: in 8 bits, or in 16 where 8 are too few.

    Args:
        folder: the released run.
        records_dir: folder of the records, for the check of the file.
        say: prints what was written, and why a smaller file was not.
    """
    path = folder / BUNDLED
    for kind in LIGHT_FORMATS:
        try:
            checked = export_run(folder, {}, "", records_dir, kind, path)
        except UserError as error:
            say(str(error))
        else:
            say(f"{path} reads {checked.agreement.same:.1%} of {checked.sample} as TensorFlow does")
            return
    for earlier in (get_description_path(path), path):  # of an earlier release
        earlier.unlink(missing_ok=True)


def _to_float16(weight: np.ndarray) -> np.ndarray:
    """Kernels in float16, which halves the file; biases and other values per channel are few and stay float32."""
    return weight.astype(np.float16) if weight.ndim > 1 else weight


def choose_temperature(network: Network, run: Run, split: Split) -> float:
    """The temperature of `TEMPERATURES` that minimizes the log loss of "this reading is right" on a split.

    Guo et al. 2017 (arXiv 1706.04599) minimize the log loss of the classes. Users are shown the confidence of the whole
    number, a product of several probabilities, so this function calibrates that product. Of a finder, users see the
    probability of a number alone, so a finder's temperature minimizes the log loss of its classes.

    Args:
        network: the run's network.
        run: the run; its own temperature is ignored.
        split: the examples, with labels.
    """
    read = views.average_views(network, run.with_options(temperature=1.0))

    @tf.function
    def losses(batch: batches.Batch) -> tf.Tensor:
        logits = read(batch["image"])
        loss = compute_sequence_loss if "box" in logits else compute_log_loss
        by_temperature = [loss(batch["digits"], views.apply_temperature(logits, value)) for value in TEMPERATURES]
        return tf.linalg.matvec(tf.stack(by_temperature), batch["weight"])  # padding has weight 0

    total = sum(losses(batch).numpy() for batch in batches.make_evaluation_batches(run, split))
    return TEMPERATURES[int(np.argmin(total))]


def compute_log_loss(digits: tf.Tensor, outputs: Outputs) -> tf.Tensor:
    """The log loss of each confidence as the probability that the reading is right, float32 (batch,).

    Args:
        digits: the labels, int32 (batch, max_length).
        outputs: the network's logits.
    """
    decoded = decoding.decode_outputs(outputs)
    right = tf.reduce_all(decoded.digits == digits, axis=1)
    return -tf.math.log(tf.maximum(tf.where(right, decoded.confidence, 1 - decoded.confidence), MIN_PROBABILITY))


def choose_threshold(network: Network, run: Run, split: Split) -> float:
    """The threshold, 0 to 1, that minimizes the larger of two shares of a split's pictures.

    The shares are those of numbers that are refused, and of pictures without a number that are given one. Both errors
    count the same, whichever kind of picture is more frequent. A split without both kinds of pictures leaves the run's
    threshold as it is. The finder's probability alone is measured here, which reading multiplies with the probability
    of what is read.

    Args:
        network: the run's network.
        run: the run.
        split: the examples, with labels.
    """
    read = views.average_views(network, run)

    @tf.function
    def measure_presence(batch: batches.Batch) -> tuple[tf.Tensor, tf.Tensor]:
        real = batch["weight"] > 0
        probable = decoding.compute_presence(read(batch["image"]))
        return probable[real], tf.reduce_any(batch["digits"] != labels.EMPTY, axis=1)[real]

    if len({length == "0" for length in run.records.lengths.get("valid", {})}) < 2:
        return run.config.threshold
    parts = [measure_presence(batch) for batch in batches.make_evaluation_batches(run, split)]
    probable, shown = (np.concatenate(column) for column in zip(*parts, strict=True))
    # Every probability is a candidate: its place among the sorted ones counts the pictures below it.
    refused = np.searchsorted(np.sort(probable[shown]), probable) / shown.sum()
    accepted = 1 - np.searchsorted(np.sort(probable[~shown]), probable) / (~shown).sum()
    return estimate_confidence(float(probable[np.argmin(np.maximum(refused, accepted))]), 1)
