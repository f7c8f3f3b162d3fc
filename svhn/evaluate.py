"""A model over a split: its sums, its readings, and the sweep over a run's checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from svhn import checkpoints, integrity, labels, metrics, pipeline, records, runs, views
from svhn.config import Config, Paths, UserError, data_sets
from svhn.datasets import DATASETS
from svhn.labels import Reading
from svhn.losses import Network, Outputs, example_loss, located, sequence_loss
from svhn.metrics import Counts
from svhn.models import MODELS
from svhn.precision import precision
from svhn.records import Info, Split
from svhn.report import Row
from svhn.sources import Report

SHEET_EXAMPLES = 60


class Prediction(NamedTuple):
    """One example's picture (uint8, as the network saw it), its name, its number, what was read, and how probable
    the model thinks its number."""

    image: np.ndarray
    name: str
    label: str
    reading: Reading
    label_confidence: float


def build_model(config: Config, info: Info) -> keras.Model:
    """The run's model, its weights as new. Raises `UserError` where it can't be built for pictures of that size."""
    shape = pipeline.input_shape(config, info)
    try:
        with precision(config):
            model = MODELS[config.model].build(shape, info.max_length, info.fixed_length)
    except ValueError as error:
        raise UserError(
            f"--model={config.model} can't be built for {shape[0]}x{shape[1]} pixels: choose another, "
            f"or `python -m svhn.wrangle` with a larger --size ({str(error).splitlines()[0][:120]})"
        ) from error
    if "box" in model.output:
        check_finds(config)
    return model


def check_finds(config: Config) -> None:
    if config.random_crop:
        raise UserError(f"the model {config.model} says where in a whole picture the number is: --norandom_crop")
    whole = [name for name, spec in DATASETS.items() if spec.locate and not spec.margin]  # not cut out by a box
    if config.dataset not in whole:
        known = ", ".join(whole)
        unknown = f"the model {config.model} learns where the number is, which {config.dataset} doesn't say"
        raise UserError(f"{unknown}: --dataset={known}")


def trained_model(config: Config, info: Info, run: Path, step: int) -> keras.Model:
    """The run's model with the weights of a checkpoint. Raises `UserError` if it can't be read."""
    model = build_model(config, info)
    checkpoints.load_weights(run, model, step)
    return model


def trained(
    run: Path, given: Mapping[str, Any] | None = None, checkpoint: str = "all"
) -> tuple[keras.Model, Config, Info]:
    """A run's model at a checkpoint, its options with those given, and the form of the records it learnt from.

    Raises:
        UserError: there is no such run or checkpoint, it can't be read, or an option can't be given.
    """
    info = runs.info_of(run)
    config = runs.reopen(run, given or {}, info, "predict")
    return trained_model(config, info, run, checkpoints.chosen_step(run, checkpoint)), config, info


def frozen(model: keras.Model) -> Network:
    """The model as it is now, for reading alone: TensorFlow folds weights that can't change into fewer operations."""
    kinds = (model.trainable_variables, model.non_trainable_variables)
    weights = [[variable.numpy() for variable in kind] for kind in kinds]

    def read(images: tf.Tensor) -> Outputs:
        constants = [[tf.constant(weight) for weight in kind] for kind in weights]
        return model.stateless_call(*constants, images, training=False)[0]

    return read


def scorer(network: Network, config: Config, info: Info, split: Split) -> Callable[[str], dict[str, float]]:
    """A function that scores a split with the weights the network has at the time; compiled once for all of them.

    Its argument is the title of its progress bar; "" for none. It raises `UserError` for a record that can't be read.
    """

    read = views.outputs(network, config, info)

    @tf.function
    def count(batch: pipeline.Batch) -> Counts:
        outputs = read(batch["image"])
        predicted, loss = labels.decode(outputs).digits, example_loss(batch, outputs)
        return metrics.count(batch["digits"], predicted, loss, batch["weight"], located(batch, outputs))

    batches = pipeline.evaluation_batches(config, info, split)
    size = -(-split.examples // config.batch_size)

    def score(title: str) -> dict[str, float]:
        progress = {"desc": title, "total": size, "unit": "batch", "leave": False, "disable": not title}
        with integrity.located(split):
            return metrics.scores(metrics.total(map(count, tqdm(batches, **progress))))

    return score


def predictions(network: Network, config: Config, info: Info, split: Split) -> Iterator[Prediction]:
    """What is read in each example, in the order of the records."""
    read = views.outputs(network, config, info)

    @tf.function
    def infer(batch: pipeline.Batch) -> tuple[labels.Decoded, tf.Tensor]:
        outputs = read(batch["image"])
        return labels.decode(outputs), tf.exp(-sequence_loss(batch["digits"], outputs))

    for batch in pipeline.evaluation_batches(config, info, split):
        decoded, probable = infer(batch)
        images = pipeline.to_input(batch["image"], config, info).numpy().astype(np.uint8)
        names, slots, weights = (batch[key].numpy() for key in ("name", "digits", "weight"))
        rows = zip(images, names, slots, labels.readings(decoded), probable.numpy(), weights, strict=True)
        for image, name, true, reading, confidence, weight in rows:
            if weight:
                yield Prediction(image, name.decode(), labels.to_text(true), reading, float(confidence))


def feature_maps(model: keras.Model, image: np.ndarray) -> dict[str, np.ndarray]:
    """What each convolution makes of a picture (height, width, channels): float32 (height, width, filters) by layer."""
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    if not convolutions:
        return {}
    outputs = keras.Model(model.input, [layer.output for layer in convolutions])(image[None].astype(np.float32))
    found = outputs if isinstance(outputs, list) else [outputs]
    return {layer.name: np.asarray(maps[0], np.float32) for layer, maps in zip(convolutions, found, strict=True)}


def usable_split(config: Config, paths: Paths, info: Info, name: str, scratch: Path, report: Report) -> Split:
    """A split; where it is train, that of all data sets that the run trains on, as one.

    Corrupt records are left out, and their number is said, if the run says `skip_corrupt`.
    """
    if name != "train":
        return usable_part(config, paths, info, name, scratch, report)
    parts = []
    for dataset in data_sets(config.train_on, config.dataset):
        named = info if dataset == config.dataset else records.read_info(paths.records_dir, dataset)
        records.check_form(named, info)
        parts.append(usable_part(config, paths, named, name, scratch, report))
    return Split(*(list(chain(*column)) for column in zip(*parts, strict=True)))


def usable_part(config: Config, paths: Paths, info: Info, name: str, scratch: Path, report: Report) -> Split:
    split = records.open_split(paths.records_dir, info, name)
    if not config.skip_corrupt:
        integrity.check_sizes(split)
        return split
    folder = scratch / info.dataset
    folder.mkdir(exist_ok=True)
    intact = integrity.salvaged(split, folder)
    report(f"Left out {split.examples - intact.examples} corrupt records of the split {name!r} of {info.dataset}.")
    if not intact.examples:
        raise UserError(f"no record of the split {name!r} is intact: run `python -m svhn.wrangle` again")
    return intact


def sweep(config: Config, info: Info, split: Split, run: Path, chosen: list[int], report: Report) -> list[Row]:
    """Score the chosen checkpoints, oldest first: a row each. One that can't be read is said and left out."""
    model = build_model(config, info)
    score = scorer(partial(model, training=False), config, info, split)
    rows = []
    for step in chosen:
        try:
            checkpoints.load_weights(run, model, step)
        except UserError as error:
            if len(chosen) == 1:
                raise
            report(str(error))
        else:
            rows.append(Row(step, score(f"checkpoint {step}")))
    if not rows:
        raise UserError(f"{run}: none of its checkpoints can be read: train on, or under another --name")
    return rows


def first_predictions(config: Config, info: Info, split: Split, run: Path, step: int) -> list[Prediction]:
    """What a checkpoint reads in the first examples of a split, whose order is one of chance."""
    network = frozen(trained_model(config, info, run, step))
    return list(islice(predictions(network, config, info, split), SHEET_EXAMPLES))
