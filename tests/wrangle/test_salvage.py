"""`python -m svhn.wrangle --salvage`: corrupt records cost no more than themselves, whenever the command is killed."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import tensorflow as tf
from support.record_shards import write_shards
from support.wrangling import tree

from svhn import records
from svhn.records import Split
from svhn.runtime import shell
from svhn.spec import Info
from svhn.wrangle import __main__
from svhn.wrangle.salvage import salvage_records

HEADER = 12  # bytes before a record's data: its length and that length's CRC
FOOTER = 4
WHOLE = [*(f"a{index}" for index in range(5)), *(f"b{index}" for index in range(5))]
LENGTHS = {"1": 2, "2": 1, "3": 1, "5": 1}  # of a shard's five numbers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "svhn").mkdir()
    split = write_shards(tmp_path)
    lengths = {"train": {length: 2 * count for length, count in LENGTHS.items()}}
    info = Info("svhn", (8, 8), 0.3, 3, 5, "png", {"train": split.shards}, {"train": split.sizes}, lengths, {}, 0)
    records.write_info(tmp_path, info)
    return tmp_path


@pytest.fixture
def paths(folder: Path) -> list[Path]:
    return open_train(folder).paths


def open_train(folder: Path) -> Split:
    return records.open_split(folder, records.read_info(folder, "svhn"), "train")


def salvage(folder: Path, *flags: str) -> int:
    return shell.run_main(__main__.main, ["wrangle", "--salvage", f"--records_dir={folder}", *flags])


def offset(path: Path, index: int) -> int:
    """Where a record starts."""
    content, start = path.read_bytes(), 0
    for _ in range(index):
        start += HEADER + struct.unpack_from("<Q", content, start)[0] + FOOTER
    return start


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def assert_salvaged(folder: Path, expected: list[str]) -> None:
    """The files hold these records alone, and `info.json` lists what the files hold."""
    info, split = records.read_info(folder, "svhn"), open_train(folder)
    parsed = [
        records.parse_example(record, 5) for record in tf.data.TFRecordDataset([str(path) for path in split.paths])
    ]
    assert [bytes(record["name"].numpy()).decode() for record in parsed] == expected
    assert split.shards == [sum(name.startswith(shard) for name in expected) for shard in "ab"]
    assert split.sizes == [path.stat().st_size for path in split.paths]
    lengths = [str((record["digits"].numpy() >= 0).sum()) for record in parsed]
    assert info.lengths["train"] == {length: lengths.count(length) for length in sorted({*lengths})}
    assert info.lost == {"train": len(WHOLE) - len(expected)}
    assert info.draw == {"wrangle_seed": 0, "train": len(WHOLE), "valid": 0}
    assert not list(folder.rglob("*.partial"))


def test_intact_records_stay_as_they_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(folder)
    assert salvage(folder) == 0
    assert tree(folder) == before
    assert "all 10 records are intact" in capsys.readouterr().out


@pytest.mark.parametrize("place", [HEADER, HEADER + 30, -1, -FOOTER, HEADER - 1], ids=str)
@pytest.mark.parametrize("index", [0, 2, 4])
def test_a_flipped_byte_costs_one_record(
    folder: Path, paths: list[Path], capsys: pytest.CaptureFixture[str], index: int, place: int
) -> None:
    before = paths[0].read_bytes()
    flip(paths[1], offset(paths[1], index + (place < 0)) + place)
    damaged = paths[1].read_bytes()
    assert salvage(folder) == 0
    assert_salvaged(folder, [name for name in WHOLE if name != f"b{index}"])
    assert paths[0].read_bytes() == before
    assert paths[1].with_name(paths[1].name + ".damaged").read_bytes() == damaged
    assert "train: left out 1 corrupt of 10 records" in capsys.readouterr().out


def test_several_flipped_bytes_cost_several_records(folder: Path, paths: list[Path]) -> None:
    for index in (1, 2, 4):
        flip(paths[0], offset(paths[0], index) + HEADER + 5)
    flip(paths[1], offset(paths[1], 3) + HEADER)
    assert salvage(folder) == 0
    assert_salvaged(folder, ["a0", "a3", "b0", "b1", "b2", "b4"])


@pytest.mark.parametrize("byte", [0, 1, 7])
@pytest.mark.parametrize("index", [0, 2, 4])
def test_a_flipped_byte_of_a_length_costs_the_rest_of_the_file(
    folder: Path, paths: list[Path], index: int, byte: int
) -> None:
    flip(paths[0], offset(paths[0], index) + byte)
    assert salvage(folder) == 0
    assert_salvaged(folder, WHOLE[:index] + WHOLE[5:])


@pytest.mark.parametrize("kept", [0, 1, 8, HEADER, HEADER + 20, -1], ids=str)
def test_a_file_cut_short_keeps_its_whole_records(folder: Path, paths: list[Path], kept: int) -> None:
    cut(paths[1], offset(paths[1], 3 + (kept < 0)) + kept)
    assert salvage(folder) == 0
    assert_salvaged(folder, WHOLE[:8])


def test_salvaged_records_are_left_alone(folder: Path, paths: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    flip(paths[0], -1)
    assert salvage(folder) == 0
    once = tree(folder)
    capsys.readouterr()
    assert salvage(folder) == 0
    assert tree(folder) == once
    assert "all 9 records are intact" in capsys.readouterr().out


def test_a_file_that_is_damaged_twice_is_kept_twice(folder: Path, paths: list[Path]) -> None:
    kept = []
    for index in (4, 1):
        flip(paths[0], offset(paths[0], index) + HEADER)
        kept.append(paths[0].read_bytes())
        assert salvage(folder) == 0
    assert_salvaged(folder, ["a0", "a2", "a3", *WHOLE[5:]])
    names = (paths[0].name + ending for ending in (".damaged", ".damaged-1"))
    assert [paths[0].with_name(name).read_bytes() for name in names] == kept


@pytest.mark.parametrize("moves", range(5))  # two copies of damaged files, two shards, info.json
def test_killed_anywhere_the_next_call_ends_the_same(folder: Path, paths: list[Path], moves: int) -> None:
    """The kill comes before a file takes its name; nothing is cleared away after it."""
    for path in paths:
        flip(path, offset(path, 2) + HEADER)
    damaged = [path.read_bytes() for path in paths]
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, moves)
        with pytest.raises(KeyboardInterrupt):
            list(salvage_records(folder, "svhn"))
    assert salvage(folder) == 0
    assert_salvaged(folder, [name for name in WHOLE if name not in ("a2", "b2")])
    assert [path.with_name(path.name + ".damaged").read_bytes() for path in paths] == damaged


def kill_after(patch: pytest.MonkeyPatch, moves: int) -> None:
    done, replace = [], Path.replace

    def move(source: Path, target: Path) -> Path:
        if len(done) == moves:
            raise KeyboardInterrupt
        done.append(source)
        return replace(source, target)

    patch.setattr(Path, "replace", move)
    patch.setattr(Path, "unlink", lambda *_, **__: None)


def test_a_split_without_an_intact_record_is_refused(
    folder: Path, paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for path in paths:
        flip(path, 0)
    before = tree(folder)
    assert salvage(folder) == 1
    assert tree(folder) == before
    error = capsys.readouterr().err
    assert "no record of train is intact" in error
    assert f"svhn wrangle --dataset=svhn --records_dir={folder}`" in error


@pytest.mark.parametrize("flag", ["--size=16x16", "--check", "--splits=train"])
def test_flags_of_other_work_are_refused(folder: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    before = tree(folder)
    assert salvage(folder, flag) == 1
    assert f"leave out {flag.partition('=')[0]}" in capsys.readouterr().err
    assert tree(folder) == before


def test_without_records_the_command_that_writes_them_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert salvage(tmp_path) == 1
    assert f"`svhn wrangle --dataset=svhn --records_dir={tmp_path}`" in capsys.readouterr().err
