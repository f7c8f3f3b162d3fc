"""`python -m svhn.wrangle` with bad pictures or options, killed, or on a full disk: its messages and its files."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
from pathlib import Path

import pytest
from support.fixtures import Row, write_boxes, write_format1
from support.wrangling import (
    arguments,
    last_line,
    names,
    program,
    tree,
    without_plan,
    without_report,
    wrangled,
    write_sources,
)

from svhn import records
from svhn.errors import UserError
from svhn.wrangle.convert import PLAN_FOLDER

UNFINISHED = Path("svhn", PLAN_FOLDER)

BAD: dict[str, tuple[list[Row], str]] = {
    "label0.png": ([(0, 5, 5, 9, 9)], "label 0 of digit 1: expected 1 to 10"),
    "label11.png": ([(1, 5, 5, 9, 9), (11, 15, 5, 9, 9)], "label 11 of digit 2: expected 1 to 10"),
    "flat.png": ([(3, 5, 5, 0, 9)], "box of digit 1 is 0 x 9 at 5,5: expected a width and a height above 0"),
    "outside.png": ([(3, 70, 5, 9, 9)], "box 70,5 to 79,14 lies outside of the picture of 64 x 40 pixels"),
    "missing.png": ([(3, 5, 5, 9, 9)], "the picture is missing"),
    "text.png": ([(3, 5, 5, 9, 9)], "the file is not a picture, or of no known kind"),
    "truncated.png": ([(3, 5, 5, 9, 9)], "image file is truncated"),
}


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
    assert f"\nleft out: {len(BAD)} pictures skipped\n" in capsys.readouterr().out
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
        r"label 0 of digit 1: .*svhn/skipped\.csv .*add --restart, or raise --max_skipped\b",
        last_line(capsys),
    )
    kept = without_plan(target)
    del kept["svhn/skipped.csv"]
    assert kept == without_report(undisturbed)


def test_with_a_larger_share_of_bad_pictures_finished_files_are_kept(damaged: Path, tmp_path: Path) -> None:
    assert wrangled(damaged, tmp_path, "--max_skipped=0.4") == 1
    finished = list_finished(tmp_path)
    assert len(finished) == 1
    assert wrangled(damaged, tmp_path, "--max_skipped=0.5") == 0
    assert {name: (tmp_path / "svhn" / name).stat().st_ino for name in finished} == finished


def test_mended_pictures_need_new_files(damaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wrangled(damaged, tmp_path, "--max_skipped=0.4") == 1
    shutil.copy(damaged / "test/good0.png", damaged / "test/text.png")
    assert wrangled(damaged, tmp_path, "--max_skipped=0.4") == 1
    assert "add --restart" in last_line(capsys)
    assert wrangled(damaged, tmp_path, "--max_skipped=0.4", "--restart") == 0
    assert records.read_info(tmp_path, "svhn").splits["test"] == [11]


def test_a_source_without_boxes_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wrangled(tmp_path, tmp_path / "records", "--splits=train") == 1
    expected = f"error: {tmp_path} has no train of svhn: run `svhn download --dataset=svhn --data_dir={tmp_path}`"
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
    done = program(arguments(tmp_path, tmp_path / "records", flag))
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
    assert "leave out --valid_share" in last_line(capsys)


@pytest.mark.parametrize(
    ("sabotage", "whole"),
    [
        ("die_at_example=150", True),  # while shards are being written
        ("die_at_moved_shard=2", False),  # while they take the place of the old ones
    ],
)
def test_killed_in_the_middle_the_same_command_ends_the_same(
    sources: Path, undisturbed: Path, tmp_path: Path, sabotage: str, whole: bool
) -> None:
    target = tmp_path / "records"
    assert wrangled(sources, target, "--seed=1") == 0
    old = tree(target)
    killed = program(arguments(sources, target), sabotage)
    assert killed.returncode == -signal.SIGKILL
    assert list((target / UNFINISHED).iterdir())
    if whole:
        assert without_plan(target) == old
    else:
        with pytest.raises(UserError, match=r"run `svhn wrangle"):
            records.open_split(target, records.read_info(target, "svhn"), "train")
    assert wrangled(sources, target) == 0
    assert tree(target) == tree(undisturbed)


def list_finished(target: Path) -> dict[str, int]:
    """The inodes of finished shards."""
    return {path.name: path.stat().st_ino for path in (target / UNFINISHED).glob("*.tfrecord")}


def test_finished_shards_survive_a_kill(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    target = tmp_path / "records"
    killed = program(arguments(sources, target), "die_at_example=225")
    assert killed.returncode == -signal.SIGKILL
    finished = list_finished(target)
    assert {name.split("-")[0] for name in finished} == {"train"}
    assert wrangled(sources, target) == 0
    assert {name: (target / "svhn" / name).stat().st_ino for name in finished} == finished
    assert tree(target) == tree(undisturbed)


def test_other_options_than_those_of_a_killed_command_are_refused(
    sources: Path, undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "records"
    assert program(arguments(sources, target, "--seed=1"), "die_at_example=225").returncode == -signal.SIGKILL
    left = list_finished(target)
    assert wrangled(sources, target) == 1
    line = last_line(capsys)
    assert f"{target / UNFINISHED} " in line
    assert "seed was 1 and is now 0" in line
    assert "--restart" in line
    assert list_finished(target) == left != {}
    assert wrangled(sources, target, "--restart") == 0
    assert tree(target) == tree(undisturbed)


def test_a_picture_that_changed_since_the_kill_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, target = write_sources(tmp_path / "data"), tmp_path / "records"
    assert program(arguments(data, target), "die_at_example=225").returncode == -signal.SIGKILL
    (data / "test/1.png").write_bytes((data / "test/2.png").read_bytes())
    assert wrangled(data, target) == 1
    assert "digest of the pictures" in last_line(capsys)


def test_stopped_while_one_split_is_replaced_the_others_are_kept(
    sources: Path, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Path(shutil.copytree(undisturbed, tmp_path / "records"))
    with monkeypatch.context() as patched:
        patched.setattr("svhn.wrangle.convert.replace_splits", stop)
        with pytest.raises(ZeroDivisionError):
            wrangled(sources, target, "--splits=test")
    assert wrangled(sources, target, "--splits=test") == 0
    assert without_report(target) == without_report(undisturbed)


def stop(*_: object) -> None:
    raise ZeroDivisionError


def test_a_limit_on_files_is_one_line_and_leaves_the_old_records(
    sources: Path, undisturbed: Path, tmp_path: Path
) -> None:
    target = Path(shutil.copytree(undisturbed, tmp_path / "records"))
    done = program(arguments(sources, target, "--seed=1"), "limit_files=20000")
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"error: {target / UNFINISHED}/train-00000-of-00001.tfrecord: ")
    assert "(`ulimit -f`)" in line
    assert line.endswith("then run the same command again")
    assert "Traceback" not in done.stderr
    assert without_plan(target) == tree(undisturbed)
    assert not list((target / UNFINISHED).glob("*.tfrecord*"))
    assert json.loads((target / "svhn/info.json").read_text())["seed"] == 0
