"""Records to batches, for training and for evaluation; and the one way from a picture to a network's input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from svhn import records
from svhn.config import Config
from svhn.errors import UserError
from svhn.pipeline import augment
from svhn.pipeline.boxes import merge_known_boxes
from svhn.records import Split
from svhn.run import Run
from svhn.spec import Augmentation, Info, Size

SHUFFLE_BLOCK = 8192  # records, still encoded; wrangling has mixed the whole split already

Batch = dict[str, tf.Tensor]


def prepare_input(images: tf.Tensor, run: Run) -> tf.Tensor:
    """A network's input, float32 0…255, from images of a record's size: their centre, grey if the run is.

    Args:
        images: uint8 or float32 (batch, height, width, channels) of `info.size`.
    """
    height, width = run.input_size
    top, left = (run.records.size[0] - height) // 2, (run.records.size[1] - width) // 2
    return apply_grayscale(tf.cast(images[:, top : top + height, left : left + width], tf.float32), run.config)


def apply_grayscale(images: tf.Tensor, config: Config) -> tf.Tensor:
    return tf.image.rgb_to_grayscale(images) if config.grayscale and images.shape[-1] == 3 else images


def decode_image(encoded: tf.Tensor, info: Info) -> tf.Tensor:
    decode = tf.io.decode_jpeg if info.image_format == "jpeg" else tf.io.decode_png
    return tf.ensure_shape(decode(encoded, channels=info.channels), [*info.size, info.channels])


def decode_record(serialized: tf.Tensor, info: Info) -> Batch:
    record = records.parse_example(serialized, info.max_length)
    return {**record, "image": decode_image(record["image"], info)}


def _shuffle(values: Any, seed: tf.Tensor) -> tf.Tensor:
    """The values in an order that the seed, int64 (2,), decides."""
    # TensorFlow has no other shuffle of a tensor by a seed, and its type stubs lack this one.
    return tf.random.experimental.stateless_shuffle(values, seed)  # pyright: ignore[reportAttributeAccessIssue]


def _read_epoch(paths: Sequence[Path], number: tf.Tensor, seed: int) -> tf.data.Dataset:
    """The serialized records of one pass over the data, in an order that depends on the seed and the epoch's number."""
    order = tf.stack([tf.constant(seed, tf.int64), number])
    files = _shuffle([str(path) for path in paths], order)
    ds = tf.data.Dataset.from_tensor_slices(files)
    ds = ds.interleave(tf.data.TFRecordDataset, cycle_length=len(paths))  # all at once: they may be of two data sets
    ds = ds.batch(SHUFFLE_BLOCK)  # Dataset.shuffle takes no seed that changes with the epoch
    return ds.map(lambda block: _shuffle(block, order)).unbatch()


def read_training_stream(split: Split, seed: int, start: int) -> tf.data.Dataset:
    """Endless `(place in the stream, serialized record)` from place `start` on: epoch after epoch, none cut short."""
    first = start // split.examples
    ds = tf.data.Dataset.range(first, tf.int64.max)
    ds = ds.flat_map(lambda number: _read_epoch(split.paths, number, seed))
    ds = ds.skip(start % split.examples)  # before decoding: it costs no more than reading
    return tf.data.Dataset.zip(tf.data.Dataset.counter(start), ds)


def make_training_batches(
    run: Run,
    split: Split,
    augmentation: Augmentation,
    start_step: int = 0,
    context: Any = None,
) -> tf.data.Dataset:
    """Endless batches: `image` float32 (batch, height, width, channels), and `digits` int32 (batch, max_length).

    `box` is where the number is, float32 (batch, 4), and `map` which digit is where, as of `segmentation`.

    The batch of step n holds the same examples, augmented in the same way, however often the run was interrupted and
    however many replicas share it.

    Args:
        augmentation: left out if `config.augment` is off.
        start_step: steps already done.
        context: the `tf.distribute.InputContext` of one worker among several, which takes each n-th example.
    """
    context = tf.distribute.InputContext() if context is None else context
    steps = augment.scale_augmentation(augmentation, run.config.magnitude) if run.config.augment else Augmentation()
    _check_cells(run.records.size, steps)
    size = run.input_size

    def example(index: tf.Tensor, serialized: tf.Tensor, following: tf.Tensor) -> Batch:
        record, noise = decode_record(serialized, run.records), augment.draw_example_noise(run.config.seed, index)
        record = _join_with_next(record, following, noise, steps, run.records) if steps.joining else record
        return {**{key: record[key] for key in ("image", "digits", "boxes")}, "noise": noise}

    ds = read_training_stream(split, run.config.seed, start_step * run.config.batch_size)
    ds = ds.scan((tf.constant(0, tf.int64), ""), _pair_with_previous).skip(1)
    ds = ds.shard(context.num_input_pipelines, context.input_pipeline_id)  # before decoding: each decodes only its own
    ds = ds.map(example, num_parallel_calls=run.config.num_threads, deterministic=True)
    ds = ds.batch(context.get_per_replica_batch_size(run.config.batch_size), drop_remainder=True)
    ds = ds.map(
        lambda batch: _augment_batch(batch, run.config, steps, size)
    )  # after batch: an operation for all of its examples
    return ds.prefetch(4)


def _augment_batch(batch: Batch, config: Config, steps: Augmentation, size: Size) -> Batch:
    """What a network learns from: a batch of records with their `noise`, varied by `steps`, in pictures of `size`."""
    images = apply_grayscale(tf.cast(batch["image"], tf.float32), config)
    images, digits = augment.rearrange_cells(images, batch["digits"], batch["noise"], steps)
    box = merge_known_boxes(batch["boxes"])
    variation = images, batch["noise"], steps, size
    return {
        "image": augment.augment_images(*variation, box),
        "digits": digits,
        "box": augment.augment_boxes(box, *variation),
        "map": augment.augment_digit_maps(digits, batch["boxes"], *variation),
    }


def _check_cells(size: Size, steps: Augmentation) -> None:
    """Raises `UserError` where pictures of that size can't be cut into the cells that change places."""
    if any(side % cells for side, cells in zip(size, steps.cells, strict=True)):
        cells = "{} x {} cells".format(*steps.cells)
        raise UserError(
            f"pictures of {size[0]}x{size[1]} pixels have no {cells} of equal size: "
            "run `python -m svhn.wrangle` with another --size, or train with --noaugment"
        )


def _pair_with_previous(before: Any, now: Any) -> tuple[Any, Any]:
    """For `Dataset.scan`: a place in the stream, the record that is there, and the one that follows."""
    return now, (*before, now[1])


def _join_with_next(record: Batch, serialized: tf.Tensor, noise: tf.Tensor, steps: Augmentation, info: Info) -> Batch:
    """The record, or one of its number and the one that follows in the stream, which is read only then."""

    def join(following: Batch) -> Batch:
        image, digits = augment.join_pictures(
            record["image"], record["digits"], following["image"], following["digits"]
        )
        boxes = augment.join_boxes(record["boxes"], record["digits"], following["boxes"], following["digits"])
        return {**record, "image": image, "digits": digits, "boxes": boxes}

    def join_if_they_fit() -> Batch:
        following = decode_record(serialized, info)
        return tf.cond(
            augment.fits_slots(record["digits"], following["digits"]), lambda: join(following), lambda: record
        )

    return tf.cond(augment.should_join(noise, steps), join_if_they_fit, lambda: record)


def make_evaluation_batches(run: Run, split: Split) -> tf.data.Dataset:
    """Every example once, in their order: `digits`, `name`, and `weight`, 0 for the padding at its end.

    `image` is the record's, uint8 (batch, height, width, channels) of `info.size`, and `box` where the number is in it.
    """

    def example(serialized: tf.Tensor) -> Batch:
        record = decode_record(serialized, run.records)
        return {**record, "box": merge_known_boxes(record["boxes"][None])[0], "weight": tf.constant(1.0)}

    ds = tf.data.TFRecordDataset([str(path) for path in split.paths])
    ds = ds.map(example, num_parallel_calls=run.config.num_threads, deterministic=True)
    ds = ds.concatenate(_make_blank_examples(ds, -split.examples % run.config.batch_size))
    return ds.batch(run.config.batch_size, drop_remainder=True).prefetch(2)


def _make_blank_examples(ds: tf.data.Dataset, count: int) -> tf.data.Dataset:
    """`count` blank examples like those of `ds`, of no weight."""
    blank = tf.nest.map_structure(lambda spec: tf.zeros(spec.shape, spec.dtype), ds.element_spec)
    return tf.data.Dataset.from_tensors(blank).repeat(count)


def load_arrays(run: Run, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """A whole split in memory: images float32 (examples, height, width, channels), digits int32 (…, max_length)."""
    batches = list(make_evaluation_batches(run, split).as_numpy_iterator())
    images, digits = (np.concatenate([batch[key] for batch in batches]) for key in ("image", "digits"))
    return prepare_input(tf.constant(images[: split.examples]), run).numpy(), digits[: split.examples]
