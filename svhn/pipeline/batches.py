"""Batches of records for training and for evaluation, and `prepare_input`, which all networks' inputs pass through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from svhn import records
from svhn.config import Config
from svhn.errors import UserError
from svhn.pipeline import augment, joining
from svhn.pipeline.boxes import merge_known_boxes
from svhn.records import Split
from svhn.run import Run
from svhn.spec import Augmentation, Size

SHUFFLE_BLOCK = 8192  # encoded records that are shuffled together; wrangling shuffled the whole split already
PILLOW_DCT = "INTEGER_ACCURATE"  # the decoding of JPEGs that gives the same pixels as Pillow

Batch = dict[str, tf.Tensor]


def prepare_input(images: tf.Tensor, run: Run) -> tf.Tensor:
    """A network's input from images of a record's size: their center, in gray if the run asks for it.

    Args:
        images: uint8 or float32 (batch, height, width, channels) in 0…255, of the size `run.records.size`.
        run: the run whose network reads the images.

    Returns:
        float32 (batch, *run.input_shape) in 0…255.
    """
    height, width = run.input_size
    top, left = (run.records.size[0] - height) // 2, (run.records.size[1] - width) // 2
    return apply_grayscale(tf.cast(images[:, top : top + height, left : left + width], tf.float32), run.config)


def apply_grayscale(images: tf.Tensor, config: Config) -> tf.Tensor:
    """Images (batch, height, width, channels), with one channel in place of three if `config.grayscale` is set."""
    return tf.image.rgb_to_grayscale(images) if config.grayscale and images.shape[-1] == 3 else images


def decode_image(encoded: tf.Tensor, run: Run) -> tf.Tensor:
    """The pixels of a record's JPEG or PNG, a string scalar: uint8 (height, width, channels).

    Runs of earlier versions learned from JPEGs as TensorFlow decodes them by default, up to 17 levels off Pillow's
    pixels. These runs keep that decoding, and so their scores.
    """
    info = run.records
    assert info.image_format, "the run was opened without the records that are decoded"
    if info.image_format == "jpeg":
        pixels = tf.io.decode_jpeg(encoded, info.channels, dct_method=PILLOW_DCT if run.config.exact_jpeg else "")
    else:
        pixels = tf.io.decode_png(encoded, info.channels)
    return tf.ensure_shape(pixels, [*info.size, info.channels])


def decode_record(serialized: tf.Tensor, run: Run) -> Batch:
    """One record's tensors as `records.parse_example` returns them, with `image` decoded."""
    record = records.parse_example(serialized, run.records.max_length)
    return {**record, "image": decode_image(record["image"], run)}


def _shuffle(values: Any, seed: tf.Tensor) -> tf.Tensor:
    """The values in a random order that depends only on the seed, int64 (2,)."""
    # No other function of TensorFlow shuffles a tensor by a given seed. Its type stubs lack this one.
    return tf.random.experimental.stateless_shuffle(values, seed)  # pyright: ignore[reportAttributeAccessIssue]


def _read_epoch(paths: Sequence[Path], number: tf.Tensor, seed: int) -> tf.data.Dataset:
    """The serialized records of epoch `number`, in an order that depends only on the seed and the number."""
    order = tf.stack([tf.constant(seed, tf.int64), number])
    files = _shuffle([str(path) for path in paths], order)
    ds = tf.data.Dataset.from_tensor_slices(files)
    # All files are read in turn: they may belong to two data sets, which have to be mixed.
    ds = ds.interleave(tf.data.TFRecordDataset, cycle_length=len(paths))
    ds = ds.batch(SHUFFLE_BLOCK)  # Dataset.shuffle can't take a tensor as its seed, such as the epoch's number
    return ds.map(lambda block: _shuffle(block, order)).unbatch()


def read_training_stream(split: Split, seed: int, start: int) -> tf.data.Dataset:
    """Endless pairs `(place in the stream, serialized record)`, from the place `start` on.

    The stream is one whole epoch after another, and a batch may span two. Both items are scalars.
    """
    first = start // split.examples
    ds = tf.data.Dataset.range(first, tf.int64.max)
    ds = ds.flat_map(lambda number: _read_epoch(split.paths, number, seed))
    ds = ds.skip(start % split.examples)  # records are skipped before they are decoded, which costs little
    return tf.data.Dataset.zip(tf.data.Dataset.counter(start), ds)


def make_training_batches(
    run: Run,
    split: Split,
    augmentation: Augmentation,
    start_step: int = 0,
    context: Any = None,
) -> tf.data.Dataset:
    """Endless augmented batches.

    The batch of a step holds the same examples, augmented in the same way, no matter how often the run was interrupted
    and how many replicas share the batch.

    Args:
        run: its seed, batch size and options of augmentation count.
        split: the records to train on.
        augmentation: how pictures are varied; ignored if `run.config.augment` is off.
        start_step: number of steps already done.
        context: the `tf.distribute.InputContext` of one worker among n. The worker gets every n-th example.

    Returns:
        Batches of `image` float32 (batch, height, width, channels) in 0…255, `digits` int32 (batch, max_length), `box`
        (the number's) float32 (batch, 4), and `map` int32 (batch, rows, columns) as of `digit_maps`.

    Raises:
        UserError: the pictures can't be divided into the cells that augmentation shuffles.
    """
    context = tf.distribute.InputContext() if context is None else context
    steps = augment.scale_augmentation(augmentation, run.config.magnitude) if run.config.augment else Augmentation()
    _check_cells(run.records.size, steps)
    size = run.input_size

    def example(index: tf.Tensor, serialized: tf.Tensor, following: tf.Tensor) -> Batch:
        record, noise = decode_record(serialized, run), augment.draw_example_noise(run.config.seed, index)
        record = _join_with_next(record, following, noise, steps, run) if steps.joining else record
        return {**{key: record[key] for key in ("image", "digits", "boxes")}, "noise": noise}

    ds = read_training_stream(split, run.config.seed, start_step * run.config.batch_size)
    ds = ds.scan((tf.constant(0, tf.int64), ""), _pair_with_previous).skip(1)
    ds = ds.shard(context.num_input_pipelines, context.input_pipeline_id)  # each worker decodes only its own examples
    ds = ds.map(example, num_parallel_calls=run.config.num_threads, deterministic=True)
    ds = ds.batch(context.get_per_replica_batch_size(run.config.batch_size), drop_remainder=True)
    # Batches are augmented, not examples: one operation then serves the whole batch.
    ds = ds.map(lambda batch: _augment_batch(batch, run.config, steps, size))
    return ds.prefetch(4)


def _augment_batch(batch: Batch, config: Config, steps: Augmentation, size: Size) -> Batch:
    """A batch for training from a batch of records and their `noise`: varied by `steps`, in pictures of `size`."""
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
    """Raises `UserError` if pictures of this size can't be divided into equal cells."""
    if any(side % cells for side, cells in zip(size, steps.cells, strict=True)):
        cells = "{} x {} cells".format(*steps.cells)
        raise UserError(
            f"pictures of {size[0]}x{size[1]} pixels can't be divided into {cells} of equal size: "
            "run `svhn wrangle` with another --size, or train with --noaugment"
        )


def _pair_with_previous(before: Any, now: Any) -> tuple[Any, Any]:
    """The step of `Dataset.scan` that yields a place in the stream, the record there, and the record after it."""
    return now, (*before, now[1])


def _join_with_next(record: Batch, serialized: tf.Tensor, noise: tf.Tensor, steps: Augmentation, run: Run) -> Batch:
    """The record, or a record of its number joined with the next one, `serialized`, which is decoded only if needed."""

    def join(following: Batch) -> Batch:
        image, digits = joining.join_pictures(
            record["image"], record["digits"], following["image"], following["digits"]
        )
        boxes = joining.join_boxes(record["boxes"], record["digits"], following["boxes"], following["digits"])
        return {**record, "image": image, "digits": digits, "boxes": boxes}

    def join_if_possible() -> Batch:
        following = decode_record(serialized, run)
        possible = joining.can_join(record["digits"], following["digits"], run.records.longer)
        return tf.cond(possible, lambda: join(following), lambda: record)

    return tf.cond(joining.should_join(noise, steps), join_if_possible, lambda: record)


def make_evaluation_batches(run: Run, split: Split) -> tf.data.Dataset:
    """Batches of every example once, in the order of the records, as they are stored.

    Returns:
        Batches of `image` uint8 (batch, height, width, channels) of the size `run.records.size`, `digits` int32 (batch,
        max_length), `boxes` of the digits float32 (batch, max_length, 4), `box` of the number float32 (batch, 4),
        `name` string (batch,), and `weight` float32 (batch,): 1, or 0 for the blank examples that fill the last batch.
    """

    def example(serialized: tf.Tensor) -> Batch:
        record = decode_record(serialized, run)
        return {**record, "box": merge_known_boxes(record["boxes"][None])[0], "weight": tf.constant(1.0)}

    ds = tf.data.TFRecordDataset([str(path) for path in split.paths])
    ds = ds.map(example, num_parallel_calls=run.config.num_threads, deterministic=True)
    ds = ds.concatenate(_make_blank_examples(ds, -split.examples % run.config.batch_size))
    return ds.batch(run.config.batch_size, drop_remainder=True).prefetch(2)


def _make_blank_examples(ds: tf.data.Dataset, count: int) -> tf.data.Dataset:
    """`count` blank examples of the types and shapes of `ds`, with weight 0, to fill the last batch."""
    blank = tf.nest.map_structure(lambda spec: tf.zeros(spec.shape, spec.dtype), ds.element_spec)
    return tf.data.Dataset.from_tensors(blank).repeat(count)


def load_arrays(run: Run, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """A whole split in memory: images float32 (examples, *run.input_shape), and digits int32 (examples, max_length)."""
    batches = list(make_evaluation_batches(run, split).as_numpy_iterator())
    images, digits = (np.concatenate([batch[key] for batch in batches]) for key in ("image", "digits"))
    return prepare_input(tf.constant(images[: split.examples]), run).numpy(), digits[: split.examples]
