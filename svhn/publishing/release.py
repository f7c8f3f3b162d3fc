"""A run made ready to be given away: one checkpoint's weights, in few bytes, and a confidence that can be believed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from svhn import labels
from svhn.evaluation import decoding, score, views
from svhn.models.losses import Network, Outputs, compute_sequence_loss
from svhn.pipeline import batches
from svhn.records import Split
from svhn.run import Run
from svhn.runs import load
from svhn.runs.stored import read_config, read_history, write_history
from svhn.runtime.files import atomic_write, write_json

MEASURED_OPTIONS = ("views", "temperature", "threshold")
MIN_PROBABILITY = 1e-6  # probability, that a confidence of 1 in what is wrong does not cost all
TEMPERATURES = np.geomspace(0.25, 4.0, 81).round(3).tolist()


def release_run(run: Run, valid: Split, step: int, folder: Path) -> tuple[float, dict[str, float]]:
    """Write a folder that valid, test, report and predict take for a run; returns its temperature and scores on valid.

    It holds no checksums of what the run was trained on: who has another test split may score it on that.
    """
    model = load.load_trained_model(run, step)
    weights = [_to_float16(weight) for weight in model.get_weights()]
    model.set_weights(weights)
    network = load.freeze_model(model)
    run = run.with_options(temperature=choose_temperature(network, run, valid))
    run = run.with_options(threshold=choose_threshold(network, run, valid))
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
    for earlier in set(folder.glob("ckpt-*.npz")) - {path}:  # last: until now it was whole
        earlier.unlink()
    return run.config.temperature, scores


def _to_float16(weight: np.ndarray) -> np.ndarray:
    """Kernels, which are nearly all of a model, in float16; what is one number a channel as it is."""
    return weight.astype(np.float16) if weight.ndim > 1 else weight


def choose_temperature(network: Network, run: Run, split: Split) -> float:
    """Of `TEMPERATURES`, the one whose confidences say best whether the number that was read is right.

    Guo et al. 2017 (arXiv 1706.04599) choose by the classes' probabilities; but it is the confidence that is given
    away, which is a product of several, and of the most probable number alone. A finder's is not, so that its classes
    decide.
    """
    read = views.average_views(network, run.with_options(temperature=1.0))

    @tf.function
    def losses(batch: batches.Batch) -> tf.Tensor:
        logits = read(batch["image"])
        loss = compute_sequence_loss if "box" in logits else compute_log_loss
        every = [loss(batch["digits"], views.apply_temperature(logits, value)) for value in TEMPERATURES]
        return tf.linalg.matvec(tf.stack(every), batch["weight"])

    total = sum(losses(batch).numpy() for batch in batches.make_evaluation_batches(run, split))
    return TEMPERATURES[int(np.argmin(total))]


def compute_log_loss(digits: tf.Tensor, outputs: Outputs) -> tf.Tensor:
    """Of each confidence, as the probability that the number is the digits, int32 (batch, max_length): (batch,)."""
    decoded = decoding.decode_outputs(outputs)
    right = tf.reduce_all(decoded.digits == digits, axis=1)
    return -tf.math.log(tf.maximum(tf.where(right, decoded.confidence, 1 - decoded.confidence), MIN_PROBABILITY))


def choose_threshold(network: Network, run: Run, split: Split) -> float:
    """Where the larger share is least: of numbers that are refused, or of pictures without any that are given one.

    The run's own where the split has not both kinds.
    """
    read = views.average_views(network, run)

    @tf.function
    def presence(batch: batches.Batch) -> tuple[tf.Tensor, tf.Tensor]:
        real = batch["weight"] > 0
        probable = decoding.compute_presence(read(batch["image"]))
        return probable[real], tf.reduce_any(batch["digits"] != labels.EMPTY, axis=1)[real]

    if len({length == "0" for length in run.records.lengths.get("valid", {})}) < 2:
        return run.config.threshold
    parts = [presence(batch) for batch in batches.make_evaluation_batches(run, split)]
    probable, shown = (np.concatenate(column) for column in zip(*parts, strict=True))
    refused = np.searchsorted(np.sort(probable[shown]), probable) / shown.sum()
    accepted = 1 - np.searchsorted(np.sort(probable[~shown]), probable) / (~shown).sum()
    return float(probable[np.argmin(np.maximum(refused, accepted))])
