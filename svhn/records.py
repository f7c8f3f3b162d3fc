"""The record schema, written and read: TFRecord shards, and an `info.json` that lists what the shards hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from svhn.errors import UserError, quote, shorten
from svhn.labels import EMPTY, TOO_LONG
from svhn.runtime.files import write_json
from svhn.runtime.native_errors import explain_native_error
from svhn.runtime.schema import check_value, read_json
from svhn.spec import NOWHERE, SCHEMA, Box, Info

if TYPE_CHECKING:  # a wrong name of a run or a data set is answered before TensorFlow is imported
    import tensorflow as tf

BY_SPLIT = ("splits", "sizes", "lengths")  # fields of `Info` with an entry for each split
SPARSE = ("lost", "encoders")  # fields of `Info` with an entry for some splits
SHARD_EXAMPLES = 2048
CORRECTED_BY = ", corrected by "  # in `Info.sources`, between a source's checksum and the digest of its corrections


class Split(NamedTuple):
    """The files of a split, and the number of examples (`shards`) and bytes (`sizes`) of each."""

    paths: list[Path]
    shards: list[int]
    sizes: list[int]

    @property
    def examples(self) -> int:
        return sum(self.shards)


def get_info_path(records_dir: str | Path, dataset: str) -> Path:
    return Path(records_dir) / dataset / "info.json"


def read_info(records_dir: str | Path, dataset: str) -> Info:
    """The `info.json` of a data set's records. Raises `UserError` if it is missing, damaged or of another schema."""
    path = get_info_path(records_dir, dataset)
    own = " --data_dir=FOLDER" if dataset == "folder" else ""  # the user's own pictures lie anywhere
    remedy = f"run `svhn wrangle --dataset={dataset}{own} --records_dir={records_dir}`"
    if not path.exists():
        raise UserError(f"{path.parent} has no info.json: {remedy}")
    try:
        info = read_json(path, Info, SCHEMA, SCHEMA)
        _check_shards(info, dataset)
    except ValueError as error:
        raise UserError(f"{path} is no info.json that this version reads ({error}): {remedy}") from error
    return info


def _check_shards(info: Info, dataset: str) -> None:
    """Raises `ValueError` if the parts of an `info.json` disagree."""
    if info.dataset != dataset:
        raise ValueError(f"dataset is {quote(info.dataset)}, expected {quote(dataset)}")
    for split, shards in info.splits.items():
        sizes = info.sizes.get(split, [])
        if len(sizes) != len(shards):
            raise ValueError(f"sizes of {quote(split)} are {len(sizes)}, expected {len(shards)}, one per shard")


def parse_form(form: Mapping[str, Any]) -> Info:
    """An `Info` without counts of examples, from what `Info.form` returns. Raises `ValueError` as `check_value`."""
    unknown: dict[str, Any] = {"splits": {}, "sizes": {}, "lengths": {}, "sources": {}, "seed": 0}
    return check_value({**unknown, "image_format": "", **form}, Info, "records")


def write_info(records_dir: str | Path, info: Info) -> None:
    write_json(get_info_path(records_dir, info.dataset), dataclasses.asdict(info), sort_keys=True)


def withdraw_splits(records_dir: str | Path, dataset: str, splits: Container[str]) -> None:
    """Take splits out of the `info.json`, so that a kill while files are replaced leaves the others usable."""
    path = get_info_path(records_dir, dataset)
    try:
        info = read_info(records_dir, dataset)
    except UserError:
        path.unlink(missing_ok=True)
        return
    kept = [split for split in info.splits if split not in splits]
    if kept:
        fields = {name: {split: getattr(info, name)[split] for split in kept} for name in BY_SPLIT}
        fields |= {name: _keep_splits(getattr(info, name), kept) for name in SPARSE}
        write_info(records_dir, dataclasses.replace(info, **fields))
    else:
        path.unlink()


def merge_earlier_info(records_dir: str | Path, info: Info) -> Info:
    """`info` with the splits and sources of earlier records, if those were made in the same way."""
    try:
        earlier = read_info(records_dir, info.dataset)
    except UserError:
        return info
    if (earlier.form, earlier.image_format, earlier.seed) != (info.form, info.image_format, info.seed):
        return info
    published = {source: checksum.partition(CORRECTED_BY)[0] for source, checksum in earlier.sources.items()}
    now = {source: checksum.partition(CORRECTED_BY)[0] for source, checksum in info.sources.items()}
    if any(published.get(source, checksum) != checksum for source, checksum in now.items()):
        return info  # the source's files have changed: other earlier splits may hold the same examples
    if len({checksum.rpartition(":")[0] for checksum in (*published.values(), *now.values())}) > 1:
        return info  # another kind of files divides the same examples differently
    merged = {name: {**getattr(earlier, name), **getattr(info, name)} for name in (*BY_SPLIT, "sources")}
    kept = [split for split in earlier.splits if split not in info.splits]
    merged |= {name: {**_keep_splits(getattr(earlier, name), kept), **getattr(info, name)} for name in SPARSE}
    return dataclasses.replace(info, **merged)


def _keep_splits(values: Mapping[str, Any], kept: Container[str]) -> dict[str, Any]:
    return {split: value for split, value in values.items() if split in kept}


def get_shard_paths(records_dir: str | Path, dataset: str, split: str, shards: int) -> list[Path]:
    """The paths of a split's files, for example `svhn/train-00000-of-00002.tfrecord`."""
    folder = Path(records_dir) / dataset
    return [folder / f"{split}-{index:05}-of-{shards:05}.tfrecord" for index in range(shards)]


def open_split(records_dir: str | Path, info: Info, name: str) -> Split:
    """A split's files. Raises `UserError` if the split has no examples or one of its files is missing."""
    if not info.has_split(name):
        filled = shorten(", ".join(filter(info.has_split, info.splits)) or "none")
        raise UserError(f"records of {info.dataset!r} have no examples of the split {quote(name)}, only of: {filled}")
    paths = get_shard_paths(records_dir, info.dataset, name, len(info.splits[name]))
    for path in paths:
        if not path.exists():
            raise UserError(
                f"{path} is missing: run `svhn wrangle --dataset={info.dataset} --records_dir={records_dir}`"
            )
    return Split(paths, info.splits[name], info.sizes[name])


def check_records_match(info: Info, first: Info) -> None:
    """Raises `UserError` if two data sets' records can't be trained on together."""
    names = ("size", "margin", "channels", "max_length", "fixed_length", "longer", "image_format")
    differing = [f"{name}={getattr(info, name)}" for name in names if getattr(info, name) != getattr(first, name)]
    if differing:
        raise UserError(
            f"records of {info.dataset!r} have {', '.join(differing)}, unlike those of {first.dataset!r}: "
            "run `svhn wrangle` for both, with the same --size and --margin, or leave one out of --train_on"
        )


def add_other_sources(info: Info, records_dir: str | Path, datasets: Iterable[str]) -> Info:
    """`info` whose sources also list those of other data sets, and their number of training examples.

    A run compares them with its own, and so notices that the other data sets' records have changed.
    """
    sources = dict(info.sources)
    for other in (read_info(records_dir, dataset) for dataset in datasets if dataset != info.dataset):
        sources[other.dataset] = f"{other.count_drawn('train')} examples, drawn by seed {other.seed}"
        sources |= {f"{other.dataset}/{name}": checksum for name, checksum in other.sources.items()}
    return dataclasses.replace(info, sources=sources)


def make_features() -> dict[str, Any]:
    """The features of one example, as `tf.io.parse_single_example` takes them."""
    import tensorflow as tf

    return {
        "image": tf.io.FixedLenFeature([], tf.string),  # JPEG or PNG
        "digits": tf.io.RaggedFeature(tf.int64),  # one per digit of the number, without padding
        "name": tf.io.FixedLenFeature([], tf.string),
        "boxes": tf.io.RaggedFeature(tf.float32),  # four per digit, in shares of the image's width and height; or none
    }


def serialize_example(image: bytes, label: str, name: str, boxes: Iterable[Box] = ()) -> bytes:
    """One example as a `tf.train.Example` with the features of `make_features`."""
    import tensorflow as tf

    digits = tf.train.Int64List(value=[int(digit) for digit in label])
    feature = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
        "digits": tf.train.Feature(int64_list=digits),
        "name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[name.encode()])),
        "boxes": tf.train.Feature(float_list=tf.train.FloatList(value=chain(*boxes))),
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString(deterministic=True)


def write_shard(path: Path, serialized: Iterable[bytes]) -> int:
    """Write a TFRecord file; returns the number of its records. Raises the errors of `explain_native_error`."""
    import tensorflow as tf

    count = 0
    try:
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in serialized:
                writer.write(record)
                count += 1
    except tf.errors.OpError as error:
        raise explain_native_error(error, path) or error from error
    return count


def count_intact_records(path: str | Path) -> tuple[int, bool]:
    """The number of records before the first corrupt one, and whether the file has no corrupt one."""
    import tensorflow as tf

    count = 0
    try:
        for _ in tf.data.TFRecordDataset(str(path)):
            count += 1
    except tf.errors.DataLossError:
        return count, False
    return count, True


def parse_example(serialized: tf.Tensor, max_length: int) -> dict[str, tf.Tensor]:
    """One record's features.

    Returns:
        `image`: the encoded picture; `digits`: int32 (max_length,), `EMPTY` past the number's length, or all `TOO_LONG`
        if the number is longer; `name`: the entry's name; `boxes`: float32 (max_length, 4), `NOWHERE` for an unknown
        box. Of a number that is longer, the first box is the one around all digits, and the others are unknown.
    """
    import tensorflow as tf

    example = tf.io.parse_single_example(serialized, make_features())
    digits = tf.cast(example["digits"], tf.int32)
    boxes = tf.reshape(example["boxes"], [-1, len(NOWHERE)])
    longer = tf.size(digits) > max_length
    digits = tf.cond(longer, lambda: tf.fill([max_length], TOO_LONG), lambda: digits)
    boxes = tf.cond(longer, lambda: _enclose_boxes(boxes), lambda: boxes)
    slots = tf.pad(digits, [[0, max_length - tf.size(digits)]], constant_values=EMPTY)
    boxes = tf.pad(boxes, [[0, max_length - tf.shape(boxes)[0]], [0, 0]])
    slots, boxes = tf.ensure_shape(slots, [max_length]), tf.ensure_shape(boxes, [max_length, len(NOWHERE)])
    return {"image": example["image"], "digits": slots, "name": example["name"], "boxes": boxes}


def _enclose_boxes(boxes: tf.Tensor) -> tf.Tensor:
    """The box around all boxes, (count, 4) to (1, 4); none of none."""
    import tensorflow as tf

    both = [tf.reduce_min(boxes[:, :2], axis=0), tf.reduce_max(boxes[:, 2:], axis=0)]
    return tf.concat(both, axis=0)[None][: tf.shape(boxes)[0]]
