"""The campaign of damaged files and kills, two of each: nothing ends in a trace or hangs, and its own judging."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import faults
from benchmarks.helpers import damage, damaged_formats
from benchmarks.helpers.damaged_formats import FORMATS, Format
from benchmarks.helpers.killed_programs import PROGRAMS, Program
from benchmarks.helpers.kills import try_kills
from benchmarks.helpers.outcomes import CLEAR, DEATH, HANG, OUTCOMES, RIGHT, SILENT, SILENT_CUT, TRACE

WITH_TENSORFLOW = {"npz", "TFRecord"}  # which takes long to begin
CHECKED = {"gzip", "npz", "TFRecord"}  # formats whose checksums tell each change
BAD = (TRACE, DEATH, HANG)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in WITH_TENSORFLOW)) for name in FORMATS]
)
def test_damaged_files_end_in_clear_errors(name: str, tmp_path: Path) -> None:
    """In this process, unlike in the campaign."""
    paths = FORMATS[name].write(tmp_path)
    expected = {path: FORMATS[name].read(path) for path in paths}
    contents = {path: path.read_bytes() for path in paths}
    found = [damage.judge(FORMATS[name], paths, index, expected) for index in range(2)]
    assert [each for each in found if each[0] in BAD] == []
    assert name not in CHECKED or {outcome for outcome, _ in found} <= {CLEAR, RIGHT}
    assert {path: path.read_bytes() for path in paths} == contents


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_work_that_is_killed_twice_ends_as_undisturbed_work(name: str, tmp_path: Path) -> None:
    counts, lines = try_kills(PROGRAMS[name], 2, tmp_path)
    assert lines == []
    assert {*counts} == {RIGHT}


def _write(folder: Path) -> list[Path]:
    (folder / "a").write_bytes(bytes(range(64)))
    return [folder / "a"]


def test_each_outcome_is_told(tmp_path: Path) -> None:
    (path,) = _write(tmp_path)
    whole = path.read_bytes()

    def judge(read: object, expected: object = whole) -> set[str]:
        kind = Format("x", _write, read, (OSError,))  # pyright: ignore[reportArgumentType]
        return {damage.judge(kind, [path], index, {path: expected})[0] for index in range(40)}

    def raise_error(kind: type[Exception]) -> None:
        raise kind("no")

    assert judge(Path.read_bytes) == {SILENT, SILENT_CUT}
    assert judge(lambda _: 1, 1) == {RIGHT}
    assert judge(lambda _: raise_error(OSError)) == {CLEAR}
    assert judge(lambda _: raise_error(IndexError)) == {TRACE}
    assert path.read_bytes() == whole


@contextmanager
def _prepare(folder: Path, code: str) -> Iterator[list[str]]:
    folder.mkdir()
    yield ["-c", code, "WORK"]


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("(work / 'a').write_text('x')", RIGHT),
        ("(work / 'a').write_text('x'); sys.exit('error: no' if len(list(work.parent.iterdir())) > 2 else 0)", CLEAR),
        ("(work / 'a').write_text(str(len(list(work.parent.iterdir()))))", SILENT),
        ("(work / 'a').write_text('x'); 1 / (len(list(work.parent.iterdir())) < 3)", TRACE),
    ],
)
def test_what_a_killed_program_has_made_is_judged(code: str, outcome: str, tmp_path: Path) -> None:
    start = "import sys, pathlib; work = pathlib.Path(sys.argv[1]); "
    program = Program("x", lambda folder: _prepare(folder, start + code), lambda work: (work / "a").read_text())
    counts, lines = try_kills(program, 1, tmp_path)
    assert {*counts} == {outcome}
    assert bool(lines) == (outcome != RIGHT)


def test_the_table_has_a_row_of_each_format(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["faults", "--count=2", "--formats=QOI,config.json", "--programs="])
    faults.main()
    header, _, *rows = capsys.readouterr().out.splitlines()
    assert header.count("|") == len(OUTCOMES) + 3
    assert [row.split(" | ")[:2] for row in rows] == [["| QOI", "2"], ["| config.json", "2"]]
    assert damaged_formats.PICTURES.keys() < FORMATS.keys()
