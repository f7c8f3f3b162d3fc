"""Unfinished work of `svhn wrangle`: given to other processes, or continued when something has changed."""

from __future__ import annotations

import pickle
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from support.wrangling import arguments, last_line, program, tree, wrangled, write_sources

import svhn
from svhn import records
from svhn.datasets import format1
from svhn.errors import PassingError
from svhn.images import Picture, open_reduced
from svhn.runtime import beam, shell
from svhn.wrangle import __main__, convert, shards

UNREADABLE = Path("/proc/self/mem")  # whose first bytes the system refuses, as a disk does that fails


def read_info(folder: Path) -> records.Info:
    return records.read_info(folder, "svhn")


def stop_at(function: str, data: Path, target: Path) -> None:
    """Make the records of test, and be stopped where `convert` calls this function."""

    def stop(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(convert, function, stop)
        with pytest.raises(ZeroDivisionError):
            wrangled(data, target, "--splits=test")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Makes `--runner` start each part in another folder, as a worker of another machine does.

    The list takes the number of parts that are made before the runner ends early; an empty list ends after all.
    """
    limits: list[int] = []

    def run_parts(make: Callable[[object], object], tasks: Iterable[object], *_: object) -> None:
        pickled = [pickle.dumps((make, task)) for task in tasks]
        with pytest.MonkeyPatch.context() as moved:
            moved.chdir(tmp_path)
            for task in pickled[: limits[0]] if limits else pickled:
                make_part, shard = pickle.loads(task)
                make_part(shard)

    monkeypatch.setattr(beam, "check_runner", lambda *_: None)
    monkeypatch.setattr(beam, "run_parts", run_parts)
    return limits


def test_workers_of_a_runner_find_sources_that_are_named_relatively(
    sources: Path, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: Sequence[int]
) -> None:
    assert not elsewhere
    monkeypatch.chdir(sources.parent)
    assert wrangled(Path(sources.name), tmp_path / "records", "--runner=Other") == 0
    assert tree(tmp_path / "records") == tree(undisturbed)


def test_what_a_runner_has_made_is_kept_without_it(
    sources: Path, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: list[int]
) -> None:
    elsewhere.append(1)
    monkeypatch.chdir(sources.parent)
    target = tmp_path / "records"
    assert wrangled(Path(sources.name), target, "--runner=Other") == 1
    (finished,) = (target / "svhn/unfinished").glob("*.tfrecord")
    inode = finished.stat().st_ino
    assert wrangled(Path(sources.name), target) == 0
    assert (target / "svhn" / finished.name).stat().st_ino == inode
    assert tree(target) == tree(undisturbed)


def test_records_that_are_salvaged_after_a_kill_stay_so(sources: Path, undisturbed: Path, tmp_path: Path) -> None:
    target = Path(shutil.copytree(undisturbed, tmp_path / "records"))
    stop_at("replace_splits", sources, target)
    (train,) = records.open_split(target, read_info(target), "train").paths
    content = train.read_bytes()
    train.write_bytes(content[:-5])
    assert shell.run_main(__main__.main, ["wrangle", "--salvage", f"--records_dir={target}"]) == 0
    salvaged = read_info(target)
    assert salvaged.lost == {"train": 1}
    assert wrangled(sources, target, "--splits=test") == 0
    info, whole = read_info(target), read_info(undisturbed)
    assert (info.lost, info.splits["train"], info.sizes["train"]) == (
        salvaged.lost,
        salvaged.splits["train"],
        salvaged.sizes["train"],
    )
    assert (info.splits["test"], info.sources) == (whole.splits["test"], whole.sources)


def test_work_of_another_version_is_refused(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_at("check_complete", sources, tmp_path)
    monkeypatch.setattr(svhn, "__version__", "99.1")
    assert wrangled(sources, tmp_path, "--splits=test") == 1
    line = last_line(capsys)
    assert re.search(r"version was \S+ and is now 99\.1", line)
    assert "--restart" in line


@pytest.mark.parametrize("flag", ["--runner=DirectRunner", "--runner_options=--a=1", "--restart"])
def test_a_check_refuses_flags_of_the_work(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    assert wrangled(sources, tmp_path / "records", "--check", flag) == 1
    line = last_line(capsys)
    assert "--check" in line
    assert f"leave out {flag.partition('=')[0]}" in line
    assert not (tmp_path / "records").exists()


@pytest.mark.slow
def test_progress_bars_are_the_only_output_on_stderr(sources: Path, tmp_path: Path) -> None:
    done = program(arguments(sources, tmp_path, "--splits=test"))
    assert done.returncode == 0
    lines = [line for line in re.split(r"[\r\n]+", done.stderr) if line]
    assert lines
    assert [line for line in lines if not line.startswith("test: ")] == []


@pytest.mark.skipif(not UNREADABLE.exists(), reason="only Linux has a file that can be opened and not be read")
@pytest.mark.parametrize("processes", [1, 2])
def test_a_picture_that_can_not_be_read_now_ends_the_work_and_is_no_unusable_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], processes: int
) -> None:
    sources = write_sources(tmp_path / "sources")
    picture = sources / "test/1.png"
    picture.unlink()
    picture.symlink_to(UNREADABLE)
    flags = ("--splits=test", "--max_skipped=1", f"--processes={processes}")
    assert wrangled(sources, tmp_path / "records", *flags) == 1
    reason = "can't be read now (Input/output error)"
    assert (
        last_line(capsys) == f"error: test/1.png {reason}: run the same command again, which keeps the finished files"
    )
    assert not (tmp_path / "records/svhn/info.json").exists()
    assert wrangled(sources, tmp_path / "records", "--splits=test", "--check") == 1
    assert f"  test/1.png: {reason}\n" in capsys.readouterr().out


def test_the_same_command_goes_on_once_the_picture_can_be_read(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def open_first(path: str) -> Picture:
        seen.append(path)
        if len(seen) > 12:
            raise PassingError("Input/output error")
        return open_reduced(path)

    monkeypatch.setattr(shards, "SHARD_EXAMPLES", 5)
    with monkeypatch.context() as failing:
        failing.setattr(format1, "open_reduced", open_first)
        assert wrangled(sources, tmp_path, "--splits=test") == 1
    finished = {path.name: path.stat().st_ino for path in (tmp_path / "svhn/unfinished").glob("*.tfrecord")}
    assert len(finished) == 2
    assert wrangled(sources, tmp_path, "--splits=test") == 0
    assert {name: (tmp_path / "svhn" / name).stat().st_ino for name in finished} == finished
