"""`svhn read` on photos: lines, tables and copies, and every way in which reading them can go wrong."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import signal
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.program import ROOT, call, last_line
from support.sabotage import make_command
from support.stub_reader import EMPTY, REFUSED, THREE, StubReader, write_picture

from svhn.cli import reading_commands

SUMMARY = re.compile(r"(\d+) pictures in [\d.]+ s: (\d+) read, (\d+) without a number, (\d+) unreadable")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two numbers, two pictures without one, and a file that is no picture; in folders."""
    for name, red in (("1.png", 2), ("a/2.jpg", 9), ("a/3.png", REFUSED), ("b/4.png", EMPTY)):
        write_picture(tmp_path / "photos" / name, red)
    (tmp_path / "photos/a/bad.png").write_text("none")
    (tmp_path / "photos/a/notes.txt").write_text("none")
    return tmp_path / "photos"


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    """No networks, in this process."""
    monkeypatch.setattr(reading_commands, "_load_reader", lambda _: StubReader())


def start(*flags: str, sabotages: Sequence[str] = ("read_with_stub=0",), **options: Any) -> subprocess.Popen[str]:
    """`python main.py read` as a process without networks."""
    command = make_command(sabotages, "main.py", ["read", *flags])
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    environment = {**os.environ, "PYTHONPATH": "tests", **pipes.pop("env", {})}
    return subprocess.Popen(command, cwd=ROOT, text=True, env=environment, **pipes)


def finish(program: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = program.communicate(timeout=60)
    assert "Traceback" not in (err or "")
    return program.returncode, out, err


@pytest.mark.usefixtures("stub")
def test_a_folder_is_read_with_its_subfolders(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, copies = photos.parent / "out/table.json", photos.parent / "copies"
    assert call(photos.parent, "read", f"{photos}", f"--output={table}", f"--annotate={copies}") == 1
    out, err = capsys.readouterr()
    assert out.replace(f"{photos}/", "").splitlines() == [
        "1.png  27  0.875",
        "a/2.jpg  27  0.875",
        "a/3.png  no number (61 at 0.95, where 0.98 is needed in this picture)",
        "b/4.png  no number (at 0.01, where 0.60 is needed in this picture)",
    ]
    summary, *problems = err.splitlines()
    match = SUMMARY.match(summary)
    assert match
    assert match.groups() == ("5", "2", "2", "1")
    assert summary.endswith("; passed over: .txt 1")
    assert problems == [
        "error: 1 of 5 files could not be read or copied:",
        f"{photos}/a/bad.png: the file is not a picture, or of no known kind",
    ]
    rows = json.loads(table.read_text())["pictures"]
    assert [Path(row["file"]).name for row in rows] == ["1.png", "2.jpg", "3.png", "bad.png", "4.png"]
    assert [bool(row["error"]) for row in rows] == [False, False, False, True, False]
    assert sorted(str(path.relative_to(copies)) for path in copies.rglob("*.*")) == [
        *("1.png", "a/2.jpg", "a/3.png", "b/4.png"),
    ]


@pytest.mark.usefixtures("stub")
def test_all_numbers_of_a_picture_are_a_line_and_a_row_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture, table = write_picture(tmp_path / "street.png", THREE), tmp_path / "out.csv"
    assert call(tmp_path, "read", f"{picture}", f"--output={table}") == 0
    assert capsys.readouterr() == (f"{picture}  27  0.875  8  0.960  061  0.600\n", "")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["file"], row["index"], row["number"]) for row in rows] == [
        (str(picture), str(index), text) for index, text in enumerate(("27", "8", "061"))
    ]


@pytest.mark.usefixtures("stub")
def test_norecursive_reads_the_folder_alone(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(photos.parent, "read", f"{photos}", "--norecursive") == 0
    assert capsys.readouterr() == (f"{photos}/1.png  27  0.875\n", "")


@pytest.mark.usefixtures("stub")
def test_a_pipe_is_refused_and_not_waited_for(photos: Path) -> None:
    os.mkfifo(photos / "pipe.png")
    code, out, err = finish(start(f"{photos}/pipe.png", f"{photos}/1.png"))
    assert (code, out) == (1, f"{photos}/1.png  27  0.875\n")
    assert f"{photos}/pipe.png: expected a file, got a named pipe" in err


def test_an_unprintable_name_does_not_stop_the_others(photos: Path) -> None:
    names = ["Tür.png", os.fsdecode(b"T\xfcr.png"), "数.png"]
    for name in names:
        write_picture(photos / "names" / name)
    for encoding, expected in (("ascii", ["T?r", "T?r", "?"]), ("utf-8", ["Tür", "T\ufffdr", "数"])):
        table = photos.parent / f"{encoding}.csv"
        code, out, err = finish(
            start(f"{photos}/names", f"--output={table}", env={"PYTHONIOENCODING": encoding}, encoding="utf-8")
        )
        assert code == 0
        assert sorted(line.partition(".png")[0].rpartition("/")[2] for line in out.splitlines()) == sorted(expected)
        assert err.startswith("3 pictures")
        with table.open(newline="", encoding="utf-8") as file:
            found = [Path(row["file"]).name for row in csv.DictReader(file)]
        assert sorted(found) == sorted(["Tür.png", "T\ufffdr.png", "数.png"])


@pytest.mark.usefixtures("stub")
def test_a_copy_that_can_not_be_written_is_reported_like_a_picture(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copies, table = photos.parent / "copies", photos.parent / "table.csv"
    copies.mkdir()
    (copies / "a").write_text("a file in place of the folder")
    assert call(photos.parent, "read", f"{photos}/", f"--annotate={copies}", f"--output={table}") == 1
    out, err = capsys.readouterr()
    assert "a/2.jpg  27  " in out  # its number is printed even so
    assert len(out.splitlines()) == 3
    assert "error: 3 of 5 files could not be read or copied:" in err
    assert re.search(r"/a/2\.jpg: .*copies/a.*move the file", err)
    assert len(table.read_text().splitlines()) == 6


def test_a_full_disk_is_named_and_keeps_the_earlier_table(photos: Path) -> None:
    table = photos.parent / "table.json"
    table.write_text("earlier")
    sabotages = ("read_with_stub=0", "limit_files=300")
    code, _, err = finish(start(f"{photos}/1.png", f"{photos}/a", f"--output={table}", sabotages=sabotages))
    assert code == 1
    assert f"{table}: File too large" in err
    assert table.read_text() == "earlier"


def test_a_terminal_on_a_full_disk_is_named(photos: Path) -> None:
    with Path("/dev/full").open("w") as full:
        code, _, err = finish(start(f"{photos}/1.png", stdout=full))
    assert code == 1
    assert (
        err == "error: No space left on device: make room or choose another folder, then run the same command again\n"
    )


def test_a_closed_pipe_ends_the_reading_and_keeps_the_table(photos: Path) -> None:
    table = photos.parent / "table.jsonl"
    program = start(f"{photos}/1.png", f"{photos}/a", f"--output={table}", sabotages=["read_with_stub=0.2"])
    assert program.stdout
    assert program.stdout.readline()
    program.stdout.close()
    program.stdout = None
    code, _, err = finish(program)
    assert (code, err) == (128 + signal.SIGPIPE, "")
    assert 1 <= len(table.read_text().splitlines()) < 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_what_was_read(photos: Path, number: int) -> None:
    table = photos.parent / "table.csv"
    program = start(f"{photos}/1.png", f"{photos}/a", f"--output={table}", sabotages=["read_with_stub=0.4"])
    assert program.stdout
    first = program.stdout.readline()
    program.send_signal(number)
    code, out, _ = finish(program)
    assert code == 128 + number
    assert len(table.read_text().splitlines()) == 1 + len((first + out).splitlines())
    assert not list(photos.parent.glob("*.tmp"))


def test_a_kill_leaves_no_table_under_its_name(photos: Path) -> None:
    table = photos.parent / "table.csv"
    program = start(f"{photos}/1.png", f"{photos}/a", f"--output={table}", sabotages=["read_with_stub=0.2"])
    assert program.stdout
    assert program.stdout.readline()
    program.kill()
    assert finish(program)[0] == -signal.SIGKILL
    assert not table.exists()


@pytest.mark.parametrize("columns", [0, 80])  # some programs open terminals without a size
def test_a_terminal_shows_a_bar(photos: Path, columns: int) -> None:
    terminal, other_end = pty.openpty()
    if columns:
        termios.tcsetwinsize(other_end, (24, columns))
    program = start(f"{photos}/1.png", f"{photos}/a/3.png", stderr=other_end, sabotages=["read_with_stub=0.2"])
    os.close(other_end)
    shown = b""
    while program.poll() is None:
        try:
            shown += os.read(terminal, 10_000)
        except OSError:  # the program has closed its end
            time.sleep(0.01)
    os.close(terminal)
    assert len(finish(program)[1].splitlines()) == 2
    assert bool(re.search(r"\| 0/2 \[", shown.decode())) == bool(columns)
    assert SUMMARY.search(shown.decode())


@pytest.mark.usefixtures("stub")
def test_where_the_results_go_is_checked_before_anything_is_read(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(StubReader, "stream", pytest.fail)
    for flags, part in (
        ([f"--output={photos}/table.txt"], "--output="),
        ([f"--output={photos}/1.png/table.csv"], "1.png"),
        ([f"--annotate={photos}"], "--annotate="),
        ([f"--annotate={photos}/copies"], "--annotate="),
    ):
        assert call(photos.parent, "read", str(photos), *flags) == 1
        assert part in last_line(capsys)
    assert not (photos / "copies").exists()


@pytest.mark.usefixtures("stub")
def test_no_picture_is_named_before_anything_is_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").touch()
    assert call(tmp_path, "--mode=predict", f"--images={tmp_path}") == 1
    assert f"{tmp_path}: no picture found (passed over: .txt 1)" in last_line(capsys)
    assert call(tmp_path, "read", f"{tmp_path}/door.jpg") == 1
    assert f"{tmp_path}/door.jpg: no such file" in last_line(capsys)


def test_ctrl_c_before_the_first_picture_is_read_leaves_the_earlier_table(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(StubReader):
        def stream(self, *_: Any, **__: Any) -> Any:
            raise KeyboardInterrupt

    table = photos.parent / "table.csv"
    table.write_text("of many hours\n")
    monkeypatch.setattr(reading_commands, "_load_reader", lambda _: Interrupted())
    assert call(photos.parent, "--mode=predict", f"--images={photos}", f"--output={table}") == 130
    assert table.read_text() == "of many hours\n"


def test_a_finder_is_the_name_of_one_folder(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(photos.parent, "--mode=predict", f"--images={photos}/1.png", "--finder=../x") == 1
    assert last_line(capsys).startswith("error: --finder='../x': expected the name of one folder")


def test_the_help_says_that_folders_are_read_with_their_subfolders(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(Path(), "read", "--help") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "recursive" in line)
    assert "--[no]recursive" in line
    assert "subfolders" in line
    assert line.endswith("(on)")
