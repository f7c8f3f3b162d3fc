"""`python -m svhn.wrangle`: which pictures end up in which split, the same bytes every time, and every way to fail."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from fixtures import GREY_PICTURE, GROUND, INK, NUMBERS, Row, write_boxes, write_format1

from svhn import records, shell, wrangle
from svhn.config import UserError

ROOT = Path(__file__).parents[1]
LENGTHS = {"train": {1: 41, 2: 60, 3: 19}, "extra": {1: 20, 2: 39, 3: 40}, "test": {1: 2, 2: 21}}  # besides NUMBERS'
QUIRKS = {1: 1, 2: 3, 3: 1}  # of NUMBERS, which has one of six digits too
BAD: dict[str, tuple[list[Row], str]] = {
    "label0.png": ([(0, 5, 5, 9, 9)], "label 0 of digit 1: expected 1 to 10"),
    "label11.png": ([(1, 5, 5, 9, 9), (11, 15, 5, 9, 9)], "label 11 of digit 2: expected 1 to 10"),
    "flat.png": ([(3, 5, 5, 0, 9)], "box of digit 1 is 0 x 9 at 5,5: expected a width and a height above 0"),
    "outside.png": ([(3, 70, 5, 9, 9)], "box 70,5 to 79,14 lies outside of the picture of 64 x 40 pixels"),
    "missing.png": ([(3, 5, 5, 9, 9)], "the picture is missing"),
    "text.png": ([(3, 5, 5, 9, 9)], "the file is not a picture, or of no known kind"),
    "truncated.png": ([(3, 5, 5, 9, 9)], "image file is truncated"),
}


def numbers(split: str) -> dict[str, list[Row]]:
    """NUMBERS, and as many plain ones of each length as `LENGTHS` says."""
    plain: dict[str, list[Row]] = {
        f"{length}-{index}.png": [(1 + (index + place) % 10, 8 + 12 * place, 8, 10, 24) for place in range(length)]
        for length, count in LENGTHS[split].items()
        for index in range(count)
    }
    return {**NUMBERS, **plain}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for split in LENGTHS:
        write_format1(folder / split, numbers(split))
    return folder


@pytest.fixture(scope="module")
def undisturbed(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records of all sources, made by one process."""
    folder = tmp_path_factory.mktemp("records")
    assert wrangled(sources, folder) == 0
    return folder


def arguments(data: Path, target: Path, *flags: str) -> list[str]:
    return ["wrangle", f"--data_dir={data}", f"--records_dir={target}", "--size=16x24", "--processes=1", *flags]


def wrangled(data: Path, target: Path, *flags: str) -> int:
    """The command, within this process."""
    return shell.run(wrangle.main, arguments(data, target, *flags))


def program(before: str, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, after some statements of preparation."""
    code = f"import runpy\n{before}\nrunpy.run_module('svhn.wrangle', run_name='__main__', alter_sys=True)"
    start = ["-c", code] if before else ["-m", "svhn.wrangle"]
    command = [sys.executable, *start, *argv[1:]]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def without_report(folder: Path) -> dict[str, bytes]:
    """The records alone."""
    return {name: content for name, content in tree(folder).items() if not name.endswith("skipped.csv")}


def examples(folder: Path, split: str) -> list[tuple[str, str, np.ndarray]]:
    """Name, number and pixels of each, in the order of the records."""
    info = records.read_info(folder, "svhn")
    found = []
    for path in records.open_split(folder, info, split).paths:
        for serialized in tf.data.TFRecordDataset(str(path)):
            record = records.parse(serialized, info.max_length)
            text = "".join(str(slot) for slot in record["digits"].numpy() if slot >= 0)
            found.append((record["name"].numpy().decode(), text, tf.io.decode_jpeg(record["image"]).numpy()))
    return found


def names(folder: Path, split: str) -> list[str]:
    return [name for name, _, _ in examples(folder, split)]


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The last on stderr, which progress bars come before."""
    return capsys.readouterr().err.splitlines()[-1]


def expected_lengths(*splits: str) -> Counter[int]:
    total: Counter[int] = Counter()
    for split in splits:
        total.update(LENGTHS[split])
        total.update(QUIRKS)
    return total


def test_each_length_gives_a_twentieth_to_valid(undisturbed: Path) -> None:
    info = records.read_info(undisturbed, "svhn")
    held_out: Counter[int] = Counter()
    for split in ("train", "extra"):
        held_out.update({length: math.floor(count * 0.05) for length, count in expected_lengths(split).items()})
    assert held_out == {1: 2 + 1, 2: 3 + 2, 3: 1 + 2}
    whole = expected_lengths("train", "extra")
    assert info.lengths["valid"] == {str(length): count for length, count in held_out.items()}
    assert info.lengths["train"] == {str(length): count - held_out[length] for length, count in whole.items()}
    assert info.lengths["test"] == {"1": 3, "2": 24, "3": 1}
    for split, lengths in info.lengths.items():
        read = Counter(str(len(text)) for _, text, _ in examples(undisturbed, split))
        assert read == lengths
        assert sum(info.splits[split]) == read.total()


def test_valid_takes_the_share_that_is_asked_for(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path, "--valid_share=0.8") == 0
    info = records.read_info(tmp_path, "svhn")
    held_out: Counter[int] = Counter()
    for split in ("train", "extra"):
        held_out.update({length: math.floor(count * 0.8) for length, count in expected_lengths(split).items()})
    assert info.lengths["valid"] == {str(length): count for length, count in held_out.items()}
    train, valid = names(tmp_path, "train"), names(tmp_path, "valid")
    assert sorted(train + valid) == sorted(names(undisturbed, "train") + names(undisturbed, "valid"))


def test_a_share_too_small_for_one_number_leaves_no_earlier_ones(sources: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path, "--valid_share=0.5") == 0
    assert wrangled(sources, tmp_path, "--valid_share=0.001") == 0
    info = records.read_info(tmp_path, "svhn")
    assert not info.has("valid")
    assert not list((tmp_path / "svhn").glob("valid-*"))
    assert len(names(tmp_path, "train")) == sum(expected_lengths("train", "extra").values())


def test_splits_are_disjoint_and_mixed(undisturbed: Path) -> None:
    train, valid, test = (names(undisturbed, split) for split in ("train", "valid", "test"))
    everything = [f"{split}/{name}" for split in LENGTHS for name in numbers(split) if name != "4.png"]  # six digits
    assert sorted(train + valid + test) == sorted(everything)
    assert {name.split("/")[0] for name in test} == {"test"}
    for mixed in (train, valid):
        assert {name.split("/")[0] for name in mixed} == {"train", "extra"}
    assert train != sorted(train)
    assert [name for name in everything if name in train] != train


def test_every_quirk_is_read(undisturbed: Path) -> None:
    read = {name: (text, pixels) for name, text, pixels in examples(undisturbed, "test")}
    expected = {"1.png": "210", "2.png": "7", "3.png": "35", GREY_PICTURE: "19", "6.png": "48"}
    assert {name: read[f"test/{name}"][0] for name in expected} == expected
    assert all(pixels.shape == (16, 24, 3) for _, pixels in read.values())
    assert np.ptp(read[f"test/{GREY_PICTURE}"][1].astype(int), axis=-1).max() == 0


def test_info_says_how_the_records_were_made(undisturbed: Path) -> None:
    info = records.read_info(undisturbed, "svhn")
    crop = {"dataset": "svhn", "size": (16, 24), "margin": 0.15, "channels": 3, "max_length": 5}
    assert info.crop == {**crop, "fixed_length": False}
    assert (info.seed, info.image_format, set(info.sources)) == (0, "jpeg", set(LENGTHS))
    assert len({*info.sources.values()}) == 3


def test_margin_widens_the_crop(sources: Path, tmp_path: Path) -> None:
    for margin in ("0", "0.3"):
        assert wrangled(sources, tmp_path / margin, "--splits=test", f"--margin={margin}") == 0
        assert records.read_info(tmp_path / margin, "svhn").margin == float(margin)
    bare, wide = ({name: pixels for name, _, pixels in examples(tmp_path / at, "test")} for at in ("0", "0.3"))
    assert np.abs(bare["test/2.png"][:, 3:-3].astype(int) - INK).max() < 30  # its box alone
    assert np.abs(wide["test/2.png"][:, :3].astype(int) - GROUND).max() < 30


def test_the_same_bytes_with_any_number_of_processes(
    sources: Path, undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrangled(sources, tmp_path, "--processes=2") == 0
    assert tree(tmp_path) == tree(undisturbed)
    output = capsys.readouterr().out.splitlines()
    assert output[-2:] == [
        "left out: 3 numbers longer than the slots, 0 pictures skipped",
        f"Records saved to {tmp_path}/svhn",
    ]
    assert "test: 28 examples in 1 files" in output
    assert wrangled(sources, tmp_path) == 0
    assert tree(tmp_path) == tree(undisturbed)


def test_another_seed_draws_another_order(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path, "--seed=1") == 0
    assert names(tmp_path, "test") != names(undisturbed, "test")
    assert sorted(names(tmp_path, "test")) == sorted(names(undisturbed, "test"))
    assert sorted(names(tmp_path, "valid")) != sorted(names(undisturbed, "valid"))


def test_splits_one_after_the_other(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path, "--splits=test") == 0
    assert set(records.read_info(tmp_path, "svhn").splits) == {"test"}
    assert wrangled(sources, tmp_path, "--splits=train,extra") == 0
    assert without_report(tmp_path) == without_report(undisturbed)


def test_a_source_does_not_push_another_out_of_the_split_they_share(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrangled(sources, tmp_path, "--splits=train") == 0
    before = tree(tmp_path)
    assert wrangled(sources, tmp_path, "--splits=extra") == 1
    assert "error: the records of train and valid hold train too: name all with --splits=extra,train, or delete" in (
        capsys.readouterr().err
    )
    assert tree(tmp_path) == before
    assert wrangled(sources, tmp_path, "--splits=extra,train") == 0
    assert {name.split("/")[0] for name in names(tmp_path, "train")} == {"train", "extra"}


def test_a_split_that_is_named_twice_is_read_once(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    assert wrangled(sources, tmp_path, "--splits=test,train,test,extra") == 0
    assert records.read_info(tmp_path, "svhn").splits == records.read_info(undisturbed, "svhn").splits


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A source of ten good pictures and every kind of bad one."""
    good = {f"good{index}.png": [(1.0, 8.0, 8.0, 10.0, 24.0)] for index in range(10)}
    rows: dict[str, list[Row]] = {**good, **{name: rows for name, (rows, _) in BAD.items()}}
    folder = write_format1(tmp_path / "data/test", rows)
    (folder / "missing.png").unlink()
    (folder / "text.png").write_text("210")
    content = (folder / "truncated.png").read_bytes()
    (folder / "truncated.png").write_bytes(content[: len(content) // 2])
    write_boxes(folder, rows)
    return folder.parent


def test_bad_pictures_are_skipped_named_and_counted(
    damaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrangled(damaged, tmp_path / "records", "--max_skipped=0.5") == 0
    assert f"\nleft out: 0 numbers longer than the slots, {len(BAD)} pictures skipped\n" in capsys.readouterr().out
    with (tmp_path / "records/svhn/skipped.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["name", "reason"]
    reasons = dict(rows)
    assert reasons.keys() == {f"test/{name}" for name in BAD}
    assert all(reasons[f"test/{name}"].startswith(reason) for name, (_, reason) in BAD.items())
    assert sorted(names(tmp_path / "records", "test")) == [f"test/good{index}.png" for index in range(10)]
    assert records.read_info(tmp_path / "records", "svhn").splits["test"] == [10]


def test_too_many_bad_pictures_leave_the_old_records(
    damaged: Path, undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = Path(shutil.copytree(undisturbed, tmp_path / "records"))
    assert wrangled(damaged, target, "--max_skipped=0.4") == 1
    assert re.match(
        r"error: 7 of 17 pictures can't be used, more than --max_skipped=0\.4 allows; the first: test/label0\.png: "
        r"label 0 of digit 1: .*svhn/skipped\.csv names them all\. Mend the source, or raise --max_skipped$",
        last_line(capsys),
    )
    assert without_report(target) == without_report(undisturbed)


def test_a_source_without_boxes_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wrangled(tmp_path, tmp_path / "records", "--splits=train") == 1
    expected = (
        f"error: {tmp_path} has no train of svhn: run `python -m svhn.download --dataset=svhn --data_dir={tmp_path}`"
    )
    assert last_line(capsys) == expected
    assert not (tmp_path / "records").exists()


@pytest.mark.parametrize(
    ("flag", "line"),
    [
        ("--dataset=cifar", r"error: unknown data set 'cifar': expected one of .*svhn, .*synthetic"),
        ("--size=64", "error: --size=64: expected HEIGHTxWIDTH in pixels, for example 64x64"),
        ("--size=0x64", "error: --size=0x64: expected HEIGHTxWIDTH in pixels, for example 64x64"),
    ],
)
def test_a_wrong_flag_is_one_line_of_the_program(tmp_path: Path, flag: str, line: str) -> None:
    done = program("", arguments(tmp_path, tmp_path / "records", flag))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert re.match(line, done.stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flag", "line"),
    [
        ("--splits=train,valid", "error: unknown split of svhn 'valid': expected one of extra, test, train"),
        ("--margin=-1", "error: --margin=-1.0: expected a share of the box from 0 to 10, for example 0.3"),
    ],
)
def test_an_impossible_option(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str, line: str
) -> None:
    assert wrangled(sources, tmp_path, flag) == 1
    assert last_line(capsys) == line


def test_a_data_set_that_divides_itself_takes_no_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wrangled(tmp_path, tmp_path, "--dataset=mnist_stacked", "--valid_share=0.2") == 1
    assert "--valid_share=0.2: mnist_stacked has a source of its own for valid, leave it out" in last_line(capsys)


DYING = """import os
with __import__('svhn.shell').shell.quiet():
    from svhn import {module} as module
own, calls = module.{name}, []
def dying(*args):
    calls.append(args)
    if len(calls) == {call}:
        os.kill(os.getpid(), {number})
    return own(*args)
module.{name} = dying"""


@pytest.mark.parametrize(
    ("module", "name", "call", "whole"),
    [
        ("records", "serialize", 150, True),  # while shards are being written
        ("conversion", "unfinished", 5, False),  # while they take the place of the old ones
    ],
)
def test_killed_in_the_middle_the_same_command_ends_the_same(
    sources: Path, undisturbed: Path, tmp_path: Path, module: str, name: str, call: int, whole: bool
) -> None:
    target = tmp_path / "records"
    assert wrangled(sources, target, "--seed=1") == 0
    old = tree(target)
    before = DYING.format(module=module, name=name, call=call, number=int(signal.SIGKILL))
    killed = program(before, arguments(sources, target))
    assert killed.returncode == -signal.SIGKILL
    assert list(target.rglob("*.partial"))
    if whole:
        assert {path: content for path, content in tree(target).items() if not path.endswith(".partial")} == old
    else:
        with pytest.raises(UserError, match=r"run `python -m svhn\.wrangle"):
            records.open_split(target, records.read_info(target, "svhn"), "train")
    assert wrangled(sources, target) == 0
    assert tree(target) == tree(undisturbed)


def test_stopped_while_one_split_is_replaced_the_others_are_kept(
    sources: Path, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Path(shutil.copytree(undisturbed, tmp_path / "records"))
    with monkeypatch.context() as patched:
        patched.setattr("svhn.conversion.replace_splits", stop)
        with pytest.raises(ZeroDivisionError):
            wrangled(sources, target, "--splits=test")
    assert wrangled(sources, target, "--splits=test") == 0
    assert without_report(target) == without_report(undisturbed)


def stop(*_: object) -> None:
    raise ZeroDivisionError


def test_a_full_disk_is_one_line_and_leaves_the_old_records(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    target = Path(shutil.copytree(undisturbed, tmp_path / "records"))
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))"
    done = program(limited, arguments(sources, target, "--seed=1"))
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"error: {target}/svhn/train-00000-of-00001.tfrecord.partial: ")
    assert line.endswith("then run the same command again")
    assert "Traceback" not in done.stderr
    assert tree(target) == tree(undisturbed)
    assert json.loads((target / "svhn/info.json").read_text())["seed"] == 0
