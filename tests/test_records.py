"""The record schema there and back, and records that disk or network have damaged."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from support.record_shards import write_shards

from svhn import records
from svhn.errors import UserError
from svhn.labels import EMPTY, TOO_LONG
from svhn.records import Split
from svhn.spec import NOWHERE, Info

INFO = Info(
    dataset="svhn",
    size=(57, 95),
    margin=0.3,
    channels=3,
    max_length=5,
    image_format="jpeg",
    splits={"train": [2048, 100], "valid": [7], "test": [0]},
    sizes={"train": [9000, 500], "valid": [40], "test": [0]},
    lengths={"train": {"1": 2000, "2": 148}, "valid": {"2": 7}, "test": {}},
    sources={"train": "ab" * 32},
    seed=3,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "svhn").mkdir()
    return tmp_path


@pytest.fixture
def split(folder: Path) -> Split:
    return write_shards(folder)


def test_what_is_written_is_read(folder: Path) -> None:
    path = folder / "one.tfrecord"
    written = [(b"\xff\xd8 jpeg", "210", "train/1.png"), (b"", "12345", "größer.png"), (b"\0" * 9, "0", "x")]
    assert records.write_shard(path, (records.serialize_example(*example) for example in written)) == 3
    parsed = [records.parse_example(record, 5) for record in tf.data.TFRecordDataset(str(path))]
    assert [example["image"].numpy() for example in parsed] == [image for image, _, _ in written]
    assert [bytes(example["name"].numpy()).decode() for example in parsed] == [name for _, _, name in written]
    assert [example["digits"].numpy().tolist() for example in parsed] == [
        [2, 1, 0, EMPTY, EMPTY],
        [1, 2, 3, 4, 5],
        [0, EMPTY, EMPTY, EMPTY, EMPTY],
    ]
    assert all(example["digits"].dtype == tf.int32 and example["digits"].shape == [5] for example in parsed)


def test_boxes_of_digits_are_read_as_they_were_written() -> None:
    known = [(0.25, 0.5, 0.375, 1.0), (0.5, 0.0, 1.0, 0.75)]
    for boxes in ([], known):
        parsed = records.parse_example(tf.constant(records.serialize_example(b"", "27", "x", boxes)), 3)["boxes"]
        assert (parsed.shape, parsed.dtype) == ((3, 4), tf.float32)
        assert parsed.numpy().tolist() == [list(box) for box in (*boxes, *[NOWHERE] * (3 - len(boxes)))]


@pytest.mark.parametrize("boxed", [False, True])
def test_a_number_longer_than_the_slots_is_too_long(boxed: bool) -> None:
    boxes = [(0.1 * place, 0.25, 0.1 * place + 0.1, 0.75) for place in range(6)] if boxed else []
    parsed = records.parse_example(tf.constant(records.serialize_example(b"", "123456", "x", boxes)), 3)
    assert parsed["digits"].numpy().tolist() == [TOO_LONG] * 3
    around = [0.0, 0.25, 0.6, 0.75] if boxed else NOWHERE
    np.testing.assert_allclose(parsed["boxes"], [around, NOWHERE, NOWHERE], atol=1e-6)


def test_the_same_example_is_the_same_bytes() -> None:
    assert len({records.serialize_example(b"image", "210", "1.png") for _ in range(20)}) == 1


def test_info_is_read_as_it_was_written(folder: Path) -> None:
    records.write_info(folder, INFO)
    assert records.read_info(folder, "svhn") == INFO
    assert list((folder / "svhn").iterdir()) == [folder / "svhn" / "info.json"]


@pytest.mark.parametrize(("dataset", "flags"), [("svhn", ""), ("folder", " --data_dir=FOLDER")])
def test_without_info_the_command_that_makes_it_is_named(dataset: str, flags: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        records.read_info(tmp_path, dataset)
    remedy = f"run `svhn wrangle --dataset={dataset}{flags} --records_dir={tmp_path}`"
    assert str(error.value) == f"{tmp_path}/{dataset} has no info.json: {remedy}"


def test_records_of_another_schema_are_refused(folder: Path) -> None:
    records.write_info(folder, dataclasses.replace(INFO, schema=99))
    with pytest.raises(UserError, match=r"schema is 99, .* reads 2\): run `svhn wrangle") as error:
        records.read_info(folder, "svhn")
    assert str(error.value).startswith(f"{folder}/svhn/info.json ")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b'{"schema": 2, ', b"[]", b"null", b'{"schema": 2}', b'{"size": [57, 95]}'],
)
def test_an_unreadable_info_is_named_with_its_remedy(folder: Path, content: bytes) -> None:
    (folder / "svhn" / "info.json").write_bytes(content)
    with pytest.raises(UserError, match=r"info\.json .*: run `svhn wrangle") as error:
        records.read_info(folder, "svhn")
    assert str(error.value).startswith(f"{folder}/svhn/info.json ")


@pytest.mark.parametrize("changes", [{"size": 57}, {"surprise": 1}])
def test_an_info_of_other_fields_is_named(folder: Path, changes: dict[str, object]) -> None:
    fields = dataclasses.asdict(INFO) | changes
    (folder / "svhn" / "info.json").write_text(json.dumps(fields))
    with pytest.raises(UserError, match=r"info\.json .*: run `svhn wrangle"):
        records.read_info(folder, "svhn")


def test_a_split_is_its_files_and_their_counts(folder: Path, split: Split) -> None:
    info = dataclasses.replace(INFO, splits={"train": [5, 5]}, sizes={"train": split.sizes})
    assert records.open_split(folder, info, "train") == split
    assert split.examples == 10
    assert [path.name for path in split.paths] == ["train-00000-of-00002.tfrecord", "train-00001-of-00002.tfrecord"]


def test_a_missing_shard_is_named(folder: Path, split: Split) -> None:
    split.paths[1].unlink()
    with pytest.raises(UserError) as error:
        records.open_split(folder, dataclasses.replace(INFO, splits={"train": [5, 5]}), "train")
    assert str(error.value).startswith(f"{split.paths[1]} is missing")
    assert f"`svhn wrangle --dataset=svhn --records_dir={folder}`" in str(error.value)


@pytest.mark.parametrize("name", ["test", "extra"])
def test_an_empty_split_is_answered_with_those_that_are_filled(folder: Path, name: str) -> None:
    with pytest.raises(UserError) as error:
        records.open_split(folder, INFO, name)
    assert repr(name) in str(error.value)
    assert str(error.value).endswith("only of: train, valid")
    with pytest.raises(UserError, match="only of: none"):
        records.open_split(folder, dataclasses.replace(INFO, splits={"train": [0]}), name)


EARLIER = dataclasses.replace(
    INFO,
    splits={"train": [9], "extra": [4]},
    sizes={"train": [90], "extra": [40]},
    lengths={"train": {}, "extra": {"1": 4}},
    sources={"extra": "cd"},
)


def test_earlier_splits_made_in_the_same_way_are_kept(folder: Path) -> None:
    records.write_info(folder, EARLIER)
    merged = records.merge_earlier_info(folder, INFO)
    assert merged == dataclasses.replace(
        INFO,
        splits={**INFO.splits, "extra": [4]},
        sizes={**INFO.sizes, "extra": [40]},
        lengths={**INFO.lengths, "extra": {"1": 4}},
        sources={**INFO.sources, "extra": "cd"},
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"size": (64, 64)},
        {"margin": 0.2},
        {"channels": 1},
        {"max_length": 6},
        {"image_format": "png"},
        {"seed": 4},
        {"sources": {"train": "of other files"}},
        {"sources": {"extra": "of another kind:cd"}},
    ],
    ids=str,
)
def test_earlier_splits_made_in_another_way_are_dropped(folder: Path, changes: dict[str, object]) -> None:
    records.write_info(folder, dataclasses.replace(EARLIER, **changes))  # type: ignore[arg-type]
    assert records.merge_earlier_info(folder, INFO) == INFO


def test_losses_stay_with_the_splits_that_lost_them(folder: Path) -> None:
    records.write_info(folder, dataclasses.replace(EARLIER, lost={"train": 3, "extra": 2}))
    assert records.merge_earlier_info(folder, INFO).lost == {"extra": 2}  # train is written anew, and whole
    records.withdraw_splits(folder, "svhn", ["train"])
    assert records.read_info(folder, "svhn").lost == {"extra": 2}


def test_a_draw_counts_lost_examples() -> None:
    whole = dataclasses.replace(INFO, splits={"train": [60], "valid": [20]})
    salvaged = dataclasses.replace(INFO, splits={"train": [57], "valid": [19]}, lost={"train": 3, "valid": 1})
    assert salvaged.draw == whole.draw


def test_there_need_be_nothing_earlier(folder: Path) -> None:
    assert records.merge_earlier_info(folder, INFO) == INFO
    (folder / "svhn" / "info.json").write_text("?")
    assert records.merge_earlier_info(folder, INFO) == INFO


LIMITED_FILE = """
import resource, sys
from pathlib import Path
from svhn import records
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    records.write_shard(Path(sys.argv[1]), [bytes(1000)] * 1000)
except OSError as error:
    print(type(error).__name__, error.errno, error.filename, error.strerror, sep="|")
"""


def test_a_limit_on_files_is_an_error_with_the_files_name(tmp_path: Path) -> None:
    path = tmp_path / "train.tfrecord"
    command = [sys.executable, "-c", LIMITED_FILE, str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    kind, number, filename, reason = found.stdout.strip().split("|")
    assert (kind, int(number), filename) == ("OSError", errno.EFBIG, str(path))
    assert reason == os.strerror(errno.EFBIG)


def test_an_error_of_the_system_keeps_its_number(tmp_path: Path) -> None:
    for path, number in ((tmp_path / "none/train.tfrecord", errno.ENOENT), (tmp_path, errno.EISDIR)):
        with pytest.raises(OSError, match=os.strerror(number)) as error:
            records.write_shard(path, [b"record"])
        assert (error.value.errno, error.value.filename) == (number, str(path))


def test_an_error_that_the_system_does_not_name_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise tf.errors.UnknownError(None, None, "the cloud is full")

    monkeypatch.setattr(tf.io, "TFRecordWriter", refuse)
    with pytest.raises(UserError, match="the cloud is full"):
        records.write_shard(tmp_path / "train.tfrecord", [b"record"])
