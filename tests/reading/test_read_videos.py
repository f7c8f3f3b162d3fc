"""`svhn read` on videos and live streams: lines, tables and messages, and a camera on loopback that breaks."""

from __future__ import annotations

import csv
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pyarrow import parquet
from support.clips import EXAMPLES, show, write_clip
from support.program import ROOT, call, last_line
from support.streams import start_camera

from svhn.errors import PassingError
from svhn.labels import Reading
from svhn.reading import live, outputs
from svhn.reading.live import receive_frames
from svhn.reading.reader import Reader

SCHEMA = json.loads((Path(outputs.__file__).parent / "output.schema.json").read_text(encoding="utf-8"))
both_kinds = pytest.mark.parametrize("kind", ["tcp", "rtsp"])


def check(part: str, value: object) -> None:
    Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": SCHEMA["$defs"]}).validate(value)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two numbers, one after the other."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", show("208", 6) + show("", 13) + show("28", 6))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera films: a wall, long enough for FFmpeg to look at, and a number for the rest of the time."""
    return write_clip(tmp_path_factory.mktemp("film") / "film.ts", show("", 15) + show("28", 25))


def test_videos_and_pictures_are_read_in_the_order_of_their_names(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, table = EXAMPLES / "171.jpg", tmp_path / "table.csv"
    assert call(tmp_path, "read", f"{picture}", f"{clip}", f"{picture.with_name('wall.jpg')}", f"--output={table}") == 0
    out, err = capsys.readouterr()
    lines = [line.split("  ") for line in out.splitlines()]
    assert [line[:2] for line in lines[:3]] == [[f"{picture}", "171"], [f"{clip}", "208"], [f"{clip}", "28"]]
    assert [line[3:] for line in lines[:3]] == [[], ["0:00.0 to 0:00.5"], ["0:01.9 to 0:02.4"]]
    assert err.startswith("2 pictures in ")
    rows = read_csv(table)
    for row in rows:
        check("csv_row", row)
    assert [row["number"] for row in rows[:3]] == ["171", "208", "28"]
    assert [row["index"] for row in rows[:3]] == ["0", "0", "1"]
    assert [row["first"] for row in rows[:3]] == ["", "0.0", "1.9"]
    assert [row["last_frame"] for row in rows[:3]] == ["", "5", "24"]
    assert [row["frames"] for row in rows[:3]] == ["", "6", "6"]


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".parquet"])
def test_each_table_has_a_row_per_number_of_a_video(ending: str, clip: Path, tmp_path: Path) -> None:
    table = tmp_path / f"table{ending}"
    assert call(tmp_path, "read", f"{clip}", "--fps=5", f"--output={table}") == 0
    rows: list[dict[str, Any]]
    if ending == ".parquet":
        rows = parquet.read_table(table).to_pylist()
    else:
        rows = json.loads(table.read_text())["pictures"] if ending == ".json" else read_lines(table)
    for row in rows:
        check("picture", row)
    assert [[number["text"] for number in row["numbers"]] for row in rows] == [["208"], ["28"]]
    assert [[number["seen"]["frames"] for number in row["numbers"]] for row in rows] == [[3], [3]]


def test_a_damaged_video_keeps_its_rows_and_does_not_stop_the_others(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut, table = tmp_path / "cut.mkv", tmp_path / "table.jsonl"
    write_clip(cut, show("208", 6) + show("", 13) + show("28", 6))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 5])
    sound = tmp_path / "none.mp4"
    sound.write_bytes(b"none")
    assert call(tmp_path, "read", f"{cut}", f"{sound}", f"{clip}", f"--output={table}") == 1
    out, err = capsys.readouterr()
    assert [line.split("  ")[:2] for line in out.splitlines()] == [
        *([f"{cut}", "208"], [f"{clip}", "208"], [f"{clip}", "28"])
    ]
    assert err.splitlines()[0] == "error: 2 of 3 files could not be read:"
    assert err.splitlines()[1].startswith(f"{cut}: damaged in 1 place")
    assert err.splitlines()[2].startswith(f"{sound}: the file is no video")
    rows = read_lines(table)
    assert [bool(row["error"]) for row in rows] == [False, True, True, False, False]
    for row in rows:
        check("picture", row)


def test_a_video_without_a_number_has_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wall = write_clip(tmp_path / "wall.webm", show("", 4))
    assert call(tmp_path, "read", f"{wall}", f"--output={tmp_path / 'table.csv'}") == 0
    assert capsys.readouterr().out == f"{wall}  no number\n"
    (row,) = read_csv(tmp_path / "table.csv")
    check("csv_row", row)
    assert (row["file"], row["number"], row["frames"]) == (str(wall), "", "")


def test_videos_of_a_folder_are_passed_over_and_those_of_a_pattern_read(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "door.mp4").write_bytes(clip.read_bytes())
    (folder / "door.jpg").write_bytes((EXAMPLES / "28.jpg").read_bytes())
    assert call(tmp_path, "read", f"{folder}") == 0
    out, err = capsys.readouterr()
    assert out.split("  ")[:2] == [f"{folder}/door.jpg", "28"]
    assert err.endswith("passed over: .mp4 1\n")
    assert call(tmp_path, "read", f"{folder}/*.mp4") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "remedy"),
    [
        (["clip.mp4", "--annotate=copies"], 2, "only pictures are copied"),
        (["clip.mp4", "--as=csv", "--output=labels.csv"], 2, "only pictures are labeled"),
        (["clip.mp4", "--output=parts/"], 2, "name a table"),
        (["clip.mp4", "--fps=-1"], 1, "0 for every frame"),
        (["clip.mp4", "--fps=inf"], 1, "0 for every frame"),
        (["rtsp://me:secret@127.0.0.1:9/door", "clip.mp4"], 2, "read it alone"),
        (["rtsp://me:secret@127.0.0.1:9/door", "--output=table.json"], 1, "ends in .csv or .jsonl"),
        (["rtsp://me:secret@127.0.0.1:9/door", "--output=parts/"], 2, "name a table"),
    ],
)
def test_what_does_not_go_with_videos_is_refused(
    arguments: list[str],
    code: int,
    remedy: str,
    clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(clip.parent)
    assert call(tmp_path, "read", *arguments) == code
    line = last_line(capsys)
    assert remedy in line
    assert "secret" not in line


def test_without_pyav_the_extra_is_named_before_the_work(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert call(tmp_path, "read", f"{EXAMPLES / '28.jpg'}", f"{clip}") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "pip install -e '.[video]'" in err


@both_kinds
def test_a_camera_that_breaks_is_opened_again_and_its_table_grows(
    kind: str, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PAUSES", (0.1, 0.2))
    table = tmp_path / "table.csv"
    with start_camera(kind, film, clients=2, seconds=4) as address:
        named = address.replace("://", "://me:secret@")
        assert call(tmp_path, "read", named, f"--output={table}") == 1
    out, err = capsys.readouterr()
    assert [line.split("  ")[:2] for line in out.splitlines()] == [[address, "28"]] * 2
    *notes, failed, reason = err.splitlines()
    assert [f"note: {address} broke (it ended); it is opened again in 0.1 s"] * 2 == notes[:2]
    assert [note.rpartition("in ")[2] for note in notes[2:]] == ["0.2 s"]
    assert failed == "error: 1 of 1 files could not be read:"
    assert reason.startswith(f"{address}: the stream can't be read (Connection refused), and could not be opened again")
    rows = read_csv(table)
    for row in rows:
        check("csv_row", row)
    assert [row["number"] for row in rows] == ["28", "28", ""]
    first, second, broken = rows
    assert [first["index"], second["index"]] == ["0", "1"]
    assert float(first["first"]) <= float(first["last"]) < float(second["first"])
    assert int(first["last_frame"]) < int(second["first_frame"])
    assert "Connection refused" in broken["error"]
    assert "secret" not in table.read_text() + out + err


def test_a_camera_that_is_not_there_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, "read", "rtsp://127.0.0.1:9/door") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("rtsp://127.0.0.1:9/door: the stream can't be read (Connection refused)\n")


def test_a_camera_that_is_silent_is_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "TIMEOUT", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert call(tmp_path, "read", address) == 1
    assert capsys.readouterr().err.endswith(f"{address}: the stream can't be read (no answer in 1 s)\n")


def start(address: str, table: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "main.py", "read", address, f"--output={table}"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_what_was_finished_is_kept_at_each_end(end: signal.Signals, code: int, film: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    with start_camera("tcp", film, clients=1, seconds=4) as address:
        program = start(address, table)
        assert program.stdout
        assert program.stdout.readline().split("  ")[:2] == [address, "28"]
        assert len(read_lines(table)) == 1
        program.send_signal(end)
        out, err = program.communicate(timeout=60)
    assert (program.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert len(read_lines(table)) == 1


@pytest.mark.parametrize("kind", ["tcp", "file"])
def test_ctrl_c_answers_the_number_that_is_in_view(
    kind: str, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_picture, found = Reader._read_picture, list[Reading]()

    def read_and_stop(self: Reader, *arguments: Any) -> Reading:
        reading = read_picture(self, *arguments)
        found.extend([reading] if reading.numbers else [])
        if len(found) == 5:
            raise KeyboardInterrupt
        return reading

    monkeypatch.setattr(Reader, "_read_picture", read_and_stop)
    table = tmp_path / "table.csv"
    with start_camera("tcp", film, clients=1, seconds=6) as address:
        source = address if kind == "tcp" else str(film)
        assert call(tmp_path, "read", source, f"--output={table}", "--threads=1") == 130
    out, err = capsys.readouterr()
    assert out.split("  ")[:2] == [source, "28"]
    assert err == "interrupted: run the same command again\n"
    (row,) = read_csv(table)
    assert (row["number"], row["frames"]) == ("28", "4")


def test_the_newest_frame_comes_next_and_no_other_waits(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PAUSES", ())
    places = []
    with start_camera("tcp", film, clients=1, seconds=4) as address, suppress(PassingError):
        for frame in receive_frames(address, print):
            places.append(frame.place)
            time.sleep(0.5)  # which reading takes
    assert places == sorted(places)
    assert max(after - before for before, after in pairwise(places)) > 2
    assert len(places) < 25
