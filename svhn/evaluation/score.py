"""A network over a split: its scores, its readings, and the scores of all checkpoints of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import keras
import numpy as np
import tensorflow as tf

from svhn import labels
from svhn.errors import Say, UserError
from svhn.evaluation import decoding, metrics, views
from svhn.evaluation.metrics import Counts
from svhn.evaluation.tables import ScoreRow
from svhn.labels import Prediction
from svhn.models.losses import Network, compute_example_loss, compute_sequence_loss, pair_boxes
from svhn.pipeline import integrity
from svhn.pipeline.batches import Batch, make_evaluation_batches, prepare_input
from svhn.records import Split
from svhn.run import Run
from svhn.runs import checkpoints
from svhn.runs.load import build_model, freeze_model, load_trained_model
from svhn.runtime.bars import make_bar

SHEET_EXAMPLES = 60  # examples on a sheet of pictures


def make_scorer(network: Network, run: Run, split: Split) -> Callable[[str], dict[str, float]]:
    """A function that scores the split with the network's weights at the time of the call; it is compiled only once.

    Its argument is the title of the progress bar, "" for no bar. It returns scores as `compute_scores` does, and raises
    `UserError` for a corrupt record.
    """

    read = views.average_views(network, run)

    @tf.function
    def count(batch: Batch) -> Counts:
        outputs = read(batch["image"])
        predicted, loss = decoding.decode_outputs(outputs).digits, compute_example_loss(batch, outputs)
        return metrics.count_batch(batch["digits"], predicted, loss, batch["weight"], pair_boxes(batch, outputs))

    batches = make_evaluation_batches(run, split)
    size = -(-split.examples // run.config.batch_size)

    def score(title: str) -> dict[str, float]:
        progress = {"desc": title, "total": size, "unit": "batch", "leave": False, "disable": not title}
        with integrity.explain_corruption(split):
            return metrics.compute_scores(metrics.sum_counts(map(count, make_bar(batches, **progress))))

    return score


def predict_split(network: Network, run: Run, split: Split) -> Iterator[Prediction]:
    """What the network reads in each example of the split, in the order of the records."""
    read = views.average_views(network, run)

    @tf.function
    def infer(batch: Batch) -> tuple[decoding.DecodedBatch, tf.Tensor]:
        outputs = read(batch["image"])
        return decoding.decode_outputs(outputs), _compute_probability(batch["digits"], outputs)

    for batch in make_evaluation_batches(run, split):
        decoded, probable = infer(batch)
        images = prepare_input(batch["image"], run).numpy().astype(np.uint8)
        names, slots, weights = (batch[key].numpy() for key in ("name", "digits", "weight"))
        rows = zip(images, names, slots, decoding.list_numbers(decoded), probable.numpy(), weights, strict=True)
        for image, name, true, reading, confidence, weight in rows:
            if weight:
                yield Prediction(image, name.decode(), labels.show_slots(true), reading, float(confidence))


def _compute_probability(slots: tf.Tensor, outputs: dict[str, tf.Tensor]) -> tf.Tensor:
    """The probability of the true number, float32 (batch,). It is 0 where a network lacks the class of its length.

    Args:
        slots: int32 (batch, max_length), `EMPTY` past the length, or all `TOO_LONG`.
        outputs: the network's logits.
    """
    classes = tf.shape(outputs["length"])[-1] if "length" in outputs else tf.shape(slots)[-1] + 1
    return tf.where(labels.compute_lengths(slots) < classes, tf.exp(-compute_sequence_loss(slots, outputs)), 0.0)


def compute_feature_maps(model: keras.Model, image: np.ndarray) -> dict[str, np.ndarray]:
    """Each convolution's output for a picture (height, width, channels): float32 (rows, columns, filters) by layer."""
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    if not convolutions:
        return {}
    outputs = keras.Model(model.input, [layer.output for layer in convolutions])(image[None].astype(np.float32))
    found = outputs if isinstance(outputs, list) else [outputs]
    return {layer.name: np.asarray(maps[0], np.float32) for layer, maps in zip(convolutions, found, strict=True)}


def score_checkpoints(run: Run, split: Split, chosen: list[int], say: Say) -> list[ScoreRow]:
    """One row of scores per chosen checkpoint, in the given order. An unreadable checkpoint is reported and left out.

    Raises:
        UserError: none of the checkpoints can be read, or a record is corrupt.
    """
    model = build_model(run)
    score = make_scorer(partial(model, training=False), run, split)
    rows = []
    for step in chosen:
        try:
            checkpoints.load_weights(run.folder, model, step)
        except UserError as error:
            if len(chosen) == 1:
                raise
            say(str(error))
        else:
            rows.append(ScoreRow(step, score(f"checkpoint {step}")))
    if not rows:
        raise UserError(f"none of the checkpoints in {run.folder} can be read: train on, or under another --name")
    return rows


def predict_first_examples(run: Run, split: Split, step: int) -> list[Prediction]:
    """What a checkpoint reads in the first `SHEET_EXAMPLES` of a split: a random sample, as records are shuffled."""
    network = freeze_model(load_trained_model(run, step))
    return list(islice(predict_split(network, run, split), SHEET_EXAMPLES))
