"""A run made ready to be given away: one checkpoint's weights, in few bytes, and a confidence that can be believed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from svhn import checkpoints, evaluate, pipeline, runs, views
from svhn.config import Config
from svhn.files import atomic_write
from svhn.losses import sequence_loss
from svhn.records import Info, Split

TEMPERATURES = np.geomspace(0.25, 4.0, 81).round(3).tolist()


def release(config: Config, info: Info, valid: Split, run: Path, step: int, folder: Path) -> Config:
    """Write a folder that every mode but train takes for a run, and return its options.

    It holds no checksums of what the run was trained on: who has other files may score it on theirs.
    """
    model = evaluate.trained_model(config, info, run, step)
    config = dataclasses.replace(config, temperature=best_temperature(model, config, info, valid))
    folder.mkdir(parents=True, exist_ok=True)
    for old in checkpoints.released(folder):
        old.unlink()
    with atomic_write(folder / f"ckpt-{step}.npz") as file:
        np.savez_compressed(file, *(half(weight) for weight in model.get_weights()))
    with atomic_write(folder / "config.json", "w") as file:
        json.dump({**runs.read_config(run), "config": dataclasses.asdict(config), "sources": {}}, file, indent=1)
    history = runs.history(run)
    runs.write_history(folder, history)
    scores = [entry["valid"] for entry in history if entry["step"] == step and entry["valid"]]
    if scores:
        checkpoints.mark_best(folder, step, scores[0])
    return config


def half(weight: np.ndarray) -> np.ndarray:
    """Kernels, which are nearly all of a model, in float16; what is one number a channel as it is."""
    return weight.astype(np.float16) if weight.ndim > 1 else weight


def best_temperature(model: keras.Model, config: Config, info: Info, split: Split) -> float:
    """Of `TEMPERATURES`, the one that makes the split's numbers most probable (Guo et al. 2017, arXiv 1706.04599)."""
    read = views.outputs(model, dataclasses.replace(config, temperature=1.0))

    @tf.function
    def losses(batch: pipeline.Batch) -> tf.Tensor:
        logits = read(batch["image"])
        every = [sequence_loss(batch["digits"], views.at_temperature(logits, value)) for value in TEMPERATURES]
        return tf.linalg.matvec(tf.stack(every), batch["weight"])

    total = sum(losses(batch).numpy() for batch in pipeline.evaluation_batches(config, info, split))
    return TEMPERATURES[int(np.argmin(total))]
