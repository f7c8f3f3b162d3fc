"""Training on several data sets at once: all examples of each, mixed evenly, and a word where they do not fit."""

from __future__ import annotations

import dataclasses
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from svhn import records
from svhn.cli import flags
from svhn.config import Config, Paths
from svhn.errors import UserError
from svhn.pipeline import batches, splits
from svhn.records import Split
from svhn.run import Run
from svhn.runs import stored
from svhn.runtime import shell
from svhn.spec import Info
from svhn.wrangle.salvage import salvage_records

SIZE = (8, 8)
EXAMPLES = {"svhn": 60, "synthetic": 180}


def write_records(folder: Path, dataset: str, **other: Any) -> Info:
    """Shards of 20 examples each, named after their data set; returns what they are."""
    (folder / dataset).mkdir(parents=True)
    count = EXAMPLES[dataset]
    paths = records.get_shard_paths(folder, dataset, "train", count // 20)
    pixels = tf.io.encode_png(tf.zeros((*SIZE, 3), tf.uint8)).numpy()
    for path in paths:
        records.write_shard(path, (records.serialize_example(pixels, "7", dataset) for _ in range(20)))
    shards, sizes = [20] * len(paths), [path.stat().st_size for path in paths]
    lengths = {"train": {"1": count}}
    info = Info(dataset, SIZE, 0.3, 3, 5, "png", {"train": shards}, {"train": sizes}, lengths, {}, seed=0)
    info = dataclasses.replace(info, **other)
    records.write_info(folder, info)
    return info


def training_split(folder: Path, info: Info, **options: Any) -> Split:
    config, paths = Config(**{"train_on": "svhn,synthetic", **options}), Paths(records_dir=str(folder))
    return splits.open_run_split(Run(Path(), config, info), paths, "train")


def names(split: Split, count: int) -> list[str]:
    stream = batches.read_training_stream(split, seed=0, start=0).map(
        lambda _, record: records.parse_example(record, 5)["name"]
    )
    return [bytes(name).decode() for name in islice(stream.as_numpy_iterator(), count)]


def test_an_epoch_holds_every_example_of_both(tmp_path: Path) -> None:
    info = write_records(tmp_path, "svhn")
    write_records(tmp_path, "synthetic")
    split = training_split(tmp_path, info)
    assert split.examples == 240
    drawn = names(split, 240)
    assert {name: drawn.count(name) for name in EXAMPLES} == EXAMPLES


def test_the_data_set_itself_can_be_left_out(tmp_path: Path) -> None:
    info = write_records(tmp_path, "svhn")
    write_records(tmp_path, "synthetic")
    assert set(names(training_split(tmp_path, info, train_on="synthetic"), 180)) == {"synthetic"}
    assert set(names(training_split(tmp_path, info, train_on=""), 60)) == {"svhn"}


def test_both_are_mixed_from_beginning_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SHUFFLE_BLOCK", 40)  # as small beside an epoch as it is in earnest
    info = write_records(tmp_path, "svhn")
    write_records(tmp_path, "synthetic")
    drawn = names(training_split(tmp_path, info), 240)
    for start in range(0, 240, 80):
        assert 5 <= drawn[start : start + 80].count("svhn") <= 40  # a quarter of them would be 20


def test_a_run_goes_on_with_salvaged_records_of_both(tmp_path: Path) -> None:
    folder, datasets = tmp_path / "records", ["svhn", "synthetic"]
    info = write_records(folder, "svhn")
    write_records(folder, "synthetic")
    stored.begin_run(
        tmp_path / "run", {"train_on": "svhn,synthetic"}, records.add_other_sources(info, folder, datasets)
    )
    for dataset, shards in (("svhn", 3), ("synthetic", 9)):
        path = records.get_shard_paths(folder, dataset, "train", shards)[0]
        content = bytearray(path.read_bytes())
        content[-1] ^= 255
        path.write_bytes(content)
        assert len(list(salvage_records(folder, dataset))) == 1
    info = records.read_info(folder, "svhn")
    assert stored.open_run(
        tmp_path / "run", {}, records.add_other_sources(info, folder, datasets), "train"
    ).config.train_on
    split = training_split(folder, info)
    assert split.examples == 238
    assert len(names(split, 238)) == 238


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"size": (9, 8), "margin": 0.1}, r"size=\(9, 8\), margin=0.1"),
        ({"channels": 1, "image_format": "jpeg"}, "channels=1, image_format=jpeg"),
    ],
)
def test_records_of_another_form_are_named(tmp_path: Path, other: dict[str, Any], what: str) -> None:
    info = write_records(tmp_path, "svhn")
    write_records(tmp_path, "synthetic", **other)
    with pytest.raises(UserError, match=f"records of 'synthetic' have {what}, .*'svhn': run `svhn wrangle` "):
        training_split(tmp_path, info)


def test_a_run_goes_on_with_the_same_records_alone(tmp_path: Path) -> None:
    given = {"train_on": "svhn,synthetic"}
    folder, run = tmp_path / "records", tmp_path / "run"
    info = write_records(folder, "svhn")
    write_records(folder, "synthetic", sources={"train": "one"})
    stored.begin_run(run, given, records.add_other_sources(info, folder, ["svhn", "synthetic"]))
    assert stored.open_run(
        run, {}, records.add_other_sources(info, folder, ["svhn", "synthetic"]), "train"
    ).config.train_on
    assert stored.open_run(run, {}, info, "score").config.train_on  # which needs no other records
    for other in ({"sources": {"train": "another"}}, {"seed": 1}):
        write_records(tmp_path / str(other), "synthetic", **{"sources": {"train": "one"}, **other})
        with pytest.raises(UserError, match=r"holds a run with synthetic.* \(now .*use the same options and records"):
            stored.open_run(
                run, {}, records.add_other_sources(info, tmp_path / str(other), ["svhn", "synthetic"]), "train"
            )


def test_the_flag_trains_on_both_and_holds_the_run_to_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "records"
    write_records(folder, "svhn")
    write_records(folder, "synthetic")
    folders = [f"--{kind}_dir={tmp_path / kind}" for kind in ("records", "checkpoints", "results", "log")]
    command = [
        "main.py",
        *folders,
        "--model=shallow",
        "--dataset=svhn",
        "--norandom_crop",
        "--batch_size=24",
        "--train_on=svhn,synthetic",
    ]
    assert shell.run_main(flags.main, [*command, "--num_epochs=1"]) == 0
    said = capsys.readouterr().out
    assert "\nTraining on:       svhn,synthetic\n" in said
    assert "\nDone training for 1 epochs, 10 steps.\n" in said  # 240 examples
    shutil.rmtree(folder / "synthetic")
    write_records(folder, "synthetic", seed=1)
    assert shell.run_main(flags.main, [*command, "--num_epochs=2"]) == 1
    assert "holds a run with synthetic=180 examples, drawn by seed 0 (now 180" in capsys.readouterr().err
    assert shell.run_main(flags.main, [*command, "--train_on=svhn,cifar"]) == 1
    assert "unknown data set 'cifar'" in capsys.readouterr().err


@pytest.mark.parametrize("names", ["svhn,", ",", "svhn,svhn", "svhn,, synthetic"])
def test_names_are_given_once(names: str) -> None:
    with pytest.raises(UserError, match="expected names of data sets, each once, for example svhn,synthetic"):
        Config(train_on=names)


def test_spaces_between_names_do_no_harm(tmp_path: Path) -> None:
    info = write_records(tmp_path, "svhn")
    write_records(tmp_path, "synthetic")
    assert training_split(tmp_path, info, train_on="svhn, synthetic").examples == 240


def test_a_data_set_without_records_says_how_to_make_them(tmp_path: Path) -> None:
    info = write_records(tmp_path, "svhn")
    with pytest.raises(UserError, match=r"svhn.wrangle --dataset=synthetic"):
        training_split(tmp_path, info)
