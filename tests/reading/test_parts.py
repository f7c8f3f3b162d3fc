"""`svhn read --output=folder/`: rows in parts, what an interrupted call keeps, and when the work is refused."""

from __future__ import annotations

import errno
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reading.test_stream import Fake
from support.program import call, last_line
from support.sabotage import make_command
from support.stub_reader import SEVERAL

from svhn import images
from svhn.cli.flags import main
from svhn.errors import UserError
from svhn.labels import Reading
from svhn.reading import one_part, parts
from svhn.reading.annotate import Copies
from svhn.reading.engine import Outputs
from svhn.reading.files import find_pictures
from svhn.reading.one_part import Part
from svhn.reading.parts import MERGED, Runner, read_in_parts
from svhn.reading.reader import Reader
from svhn.runtime import beam, shell

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "svhn/examples"
COUNT = 23
SIZE = 5  # pictures per part


class Stopping(Fake):
    """A fake reader that is interrupted when it has read so many pictures; it counts them."""

    def __init__(self, after: int = sys.maxsize) -> None:
        super().__init__(0.9)
        self.after = after

    def read(self, images: np.ndarray) -> Outputs:
        if len(self.seen) == self.after:
            raise KeyboardInterrupt
        return super().read(images)


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Pictures of numbers, two of which can't be read."""
    folder = tmp_path / "photos"
    folder.mkdir()
    paths = [folder / f"{index:02}.png" for index in range(COUNT)]
    for index, path in enumerate(paths):
        Image.new("RGB", (60, 40), (index, index, index)).save(path)
    paths[7].write_bytes(b"none")
    paths[20].unlink()
    return [str(path) for path in paths]


def read(folder: Path, pictures: list[str], fake: Fake | None = None, restart: bool = False) -> Mapping[str, int]:
    def make_reader() -> Reader:
        return (fake or Fake(0.9)).reader(threads=1)

    return read_in_parts(folder, pictures, make_reader, SIZE, restart)


def test_a_row_for_each_picture_in_order(tmp_path: Path, pictures: list[str]) -> None:
    counts = read(tmp_path / "out", pictures)
    assert counts == {"read": COUNT - 2, "without a number": 0, "unreadable": 2}
    rows = [json.loads(line) for line in (tmp_path / "out" / MERGED).read_text().splitlines()]
    assert [row["file"] for row in rows] == pictures
    assert [bool(row["error"]) for row in rows] == [index in (7, 20) for index in range(COUNT)]
    assert [row["numbers"][0]["text"] for row in rows if row["numbers"]] == [
        f"{index:02}" for index in range(COUNT) if index not in (7, 20)
    ]
    assert {row["schema"] for row in rows} == {2}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"plan.json", MERGED}


def test_complete_work_is_not_done_again(tmp_path: Path, pictures: list[str]) -> None:
    counts = read(tmp_path / "out", pictures)
    fake = Fake(0.9)
    assert read(tmp_path / "out", pictures, fake) == counts
    assert fake.seen == []
    assert read(tmp_path / "out", pictures, fake, restart=True) == counts
    assert len(fake.seen) == COUNT - 2


def test_interrupted_work_goes_on_where_it_ended(tmp_path: Path, pictures: list[str]) -> None:
    read(tmp_path / "whole", pictures)
    with pytest.raises(KeyboardInterrupt):
        read(tmp_path / "out", pictures, Stopping(after=12))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "plan.json",
        "part-00000-of-00005.jsonl",
        "part-00001-of-00005.jsonl",
    }
    fake = Fake(0.9)
    read(tmp_path / "out", pictures, fake)
    assert len(fake.seen) == COUNT - 10 - 1  # of the parts that are missing, one picture can't be read
    assert (tmp_path / "out" / MERGED).read_bytes() == (tmp_path / "whole" / MERGED).read_bytes()


def _change_picture(pictures: list[str]) -> None:
    Image.new("RGB", (60, 41)).save(pictures[3])


def _touch_picture(pictures: list[str]) -> None:
    os.utime(pictures[3], (0, 0))


def _remove_name(pictures: list[str]) -> None:
    del pictures[3]


@pytest.mark.parametrize("change", [_change_picture, _touch_picture, _remove_name])
def test_work_with_other_pictures_is_refused(
    tmp_path: Path, pictures: list[str], change: Callable[[list[str]], None]
) -> None:
    read(tmp_path / "out", pictures)
    change(pictures)
    with pytest.raises(UserError, match=r"digest of their names, sizes and times was .*--restart"):
        read(tmp_path / "out", pictures)
    read(tmp_path / "out", pictures, restart=True)
    assert len((tmp_path / "out" / MERGED).read_text().splitlines()) == len(pictures)


def test_work_with_another_reader_is_refused(tmp_path: Path, pictures: list[str]) -> None:
    read(tmp_path / "out", pictures)
    other = Fake(0.9).reader()
    other.threshold = 0.75
    with pytest.raises(UserError, match=r"the threshold was 0\.43 and is now 0\.75"):
        read_in_parts(tmp_path / "out", pictures, lambda: other, SIZE)
    with pytest.raises(UserError, match="--part_size was 5 and is now 6"):
        read_in_parts(tmp_path / "out", pictures, Fake(0.9).reader, 6)
    with pytest.raises(UserError, match="version was  and is now 2"):
        read_in_parts(tmp_path / "out", pictures, Fake(0.9).reader, SIZE, version="2")


def list_copies(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_copies_are_written_with_their_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures lie in two folders, and two names stand for one of them."""
    monkeypatch.chdir(tmp_path)
    for index in range(6):
        Path(f"photos/{index % 2}").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 40), (index, index, index)).save(f"photos/{index % 2}/{index // 2}.png")
    found = find_pictures(["photos", f"{tmp_path}/photos/0/1.png"])
    undisturbed, copies = Copies("whole", found), Copies("copies", found)
    read_in_parts(Path("out1"), found.paths, Fake(0.9).reader, 2, copies=undisturbed)
    whole = list_copies(Path("whole"))
    assert sorted(whole) == sorted([*(f"{folder}/{name}.png" for folder in "01" for name in "012"), "1.png"])
    with pytest.raises(KeyboardInterrupt):
        read_in_parts(Path("out2"), found.paths, Stopping(after=3).reader, 2, copies=copies)
    with pytest.raises(UserError, match="--annotate was copies and is now absent"):
        read_in_parts(Path("out2"), found.paths, Fake(0.9).reader, 2)
    read_in_parts(Path("out2"), found.paths, Fake(0.9).reader, 2, copies=copies)
    assert list_copies(Path("copies")) == whole
    assert Path("out1", MERGED).read_bytes() == Path("out2", MERGED).read_bytes()


class Disk:
    """Fails for a picture with an error of the system, so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: OSError, name: str, times: int = sys.maxsize) -> None:
        self.error, self.name, self.times = error, name, times
        own = images.open_reduced

        def open_reduced(source: Any) -> images.Picture:
            with images.explain_image_errors():
                if str(source).endswith(self.name) and self.times:
                    self.times -= 1
                    raise self.error
            return own(source)

        monkeypatch.setattr("svhn.reading.reader.open_reduced", open_reduced)
        monkeypatch.setattr(one_part, "PAUSES", (0.0, 0.0))


PASSING = [
    *(OSError(number, os.strerror(number)) for number in (errno.EIO, errno.ESTALE, errno.EMFILE, errno.ETIMEDOUT)),
    ConnectionResetError(errno.ECONNRESET, "reset"),
]
LASTING = [OSError("truncated file"), PermissionError(errno.EACCES, "denied"), FileNotFoundError(errno.ENOENT, "none")]


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_an_error_that_may_pass_is_no_row(
    tmp_path: Path, pictures: list[str], monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    read(tmp_path / "whole", pictures)
    disk = Disk(monkeypatch, error, "11.png")
    with pytest.raises(UserError, match=r"1 of 5 files .*1 of its 5 pictures .*11\.png: .*same command again"):
        read(tmp_path / "out", pictures)
    assert len(list((tmp_path / "out").glob("part-*.jsonl"))) == 4
    disk.times = 0
    fake = Fake(0.9)
    read(tmp_path / "out", pictures, fake)
    assert len(fake.seen) == SIZE
    assert (tmp_path / "out" / MERGED).read_bytes() == (tmp_path / "whole" / MERGED).read_bytes()


def test_a_short_disturbance_costs_nothing(
    tmp_path: Path, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read(tmp_path / "whole", pictures)
    Disk(monkeypatch, PASSING[0], "11.png", times=2)
    read(tmp_path / "out", pictures)
    assert (tmp_path / "out" / MERGED).read_bytes() == (tmp_path / "whole" / MERGED).read_bytes()


def test_errors_that_stay_are_rows_and_so_are_others_that_the_user_accepts(
    tmp_path: Path, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch, LASTING[0], "11.png")
    for index, error in enumerate(LASTING):
        disk.error = error
        assert read(tmp_path / str(index), pictures)["unreadable"] == 3
    disk.error = PASSING[0]
    counts = read_in_parts(tmp_path / "out", pictures, Fake(0.9).reader, SIZE, accept_errors=True)
    assert counts["unreadable"] == 3


def test_a_full_disk_of_the_copies_fails_their_parts(
    tmp_path: Path, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = Copies(str(tmp_path / "copies"), find_pictures(pictures))
    (tmp_path / "copies").write_bytes(b"in the way")
    monkeypatch.setattr(one_part, "PAUSES", ())
    with pytest.raises(UserError, match=r"5 of 5 files .*the annotated copy could not be written: .*move the file"):
        read_in_parts(tmp_path / "out", pictures, Fake(0.9).reader, SIZE, copies=copies)
    (tmp_path / "copies").unlink()
    counts = read_in_parts(tmp_path / "out", pictures, Fake(0.9).reader, SIZE, copies=copies)
    assert (counts["read"], len(list_copies(tmp_path / "copies"))) == (COUNT - 2, COUNT - 2)


def make_fake_reader() -> Reader:
    return Fake(0.9).reader(threads=1)


def test_a_worker_elsewhere_reads_the_same_pictures_and_writes_their_names_as_typed(
    tmp_path: Path, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker starts in another folder, as those of Flink do."""
    monkeypatch.chdir(tmp_path)
    typed = [*map(os.path.relpath, pictures[:10]), *pictures[10:]]
    read(tmp_path / "whole", typed)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def run_parts(make: Callable[[Part], None], parts: list[Part], *_: object) -> None:
        tasks = pickle.loads(pickle.dumps([(make, part) for part in parts]))
        with monkeypatch.context() as patch:
            patch.chdir(elsewhere)
            for make_part, part in tasks:
                make_part(part)

    monkeypatch.setattr(beam, "run_parts", run_parts)
    read_in_parts(Path("out"), typed, make_fake_reader, SIZE, runner=Runner("FlinkRunner", []))
    assert Path("out", MERGED).read_bytes() == Path("whole", MERGED).read_bytes()
    assert str(tmp_path).encode() not in b"".join(Path("out", MERGED).read_bytes().splitlines()[:10])
    assert b'"file": "photos/00.png"' in Path("out", MERGED).read_bytes()


def test_parts_hold_all_numbers_of_a_picture(
    tmp_path: Path, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_parts(make: Callable[[Part], None], parts: list[Part], *_: object) -> None:
        for make_part, part in pickle.loads(pickle.dumps([(make, part) for part in parts])):
            make_part(part)

    monkeypatch.setattr(Reader, "_read_picture", lambda _, image, *__: Reading(SEVERAL, size=image.size))
    monkeypatch.setattr(beam, "run_parts", run_parts)
    for folder, runner in (("alone", None), ("runner", Runner("FlinkRunner", []))):
        counts = read_in_parts(tmp_path / folder, pictures, make_fake_reader, SIZE, runner=runner)
        assert counts == {"read": COUNT - 2, "without a number": 0, "unreadable": 2}
    rows = [json.loads(line) for line in (tmp_path / "alone" / MERGED).read_text().splitlines()]
    assert [[number["text"] for number in row["numbers"]] for row in rows] == [
        [] if index in (7, 20) else ["27", "8", "061"] for index in range(COUNT)
    ]
    assert rows[0]["numbers"][1]["corners"] == [[40.0, 20.0], [48.0, 26.0], [45.0, 30.0], [37.0, 24.0]]
    assert (tmp_path / "runner" / MERGED).read_bytes() == (tmp_path / "alone" / MERGED).read_bytes()


def test_work_with_rows_of_another_schema_is_refused(
    tmp_path: Path, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read(tmp_path / "out", pictures)
    monkeypatch.setattr(parts, "SCHEMA", 99)
    with pytest.raises(UserError, match=r"the schema of the rows was 2 and is now 99.*--restart"):
        read(tmp_path / "out", pictures)


def make_local_reader() -> Reader:
    """A reader with an option of this machine."""
    reader = make_fake_reader()
    reader.threshold = float(os.environ["THRESHOLD"])
    return reader


def test_a_worker_that_reads_otherwise_makes_no_part(
    tmp_path: Path, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_parts(make: Callable[[Part], None], parts: list[Part], *_: object) -> None:
        monkeypatch.setenv("THRESHOLD", "0.6")
        for part in parts:
            make(part)

    monkeypatch.setenv("THRESHOLD", "0.75")
    monkeypatch.setattr(beam, "run_parts", run_parts)
    with pytest.raises(UserError, match=r"machine reads otherwise .*threshold was 0\.75 and is now 0\.6.* packages"):
        read_in_parts(tmp_path / "out", pictures, make_local_reader, SIZE, runner=Runner("FlinkRunner", []))
    assert not list((tmp_path / "out").glob("part-*"))


def test_runs_have_absolute_folders_on_the_machines_of_a_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def begin(*arguments: Any) -> None:
        given.append(arguments[2].args[0].paths)
        raise UserError("enough")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("svhn.reading.parts.read_in_parts", begin)
    monkeypatch.setattr(beam, "check_runner", lambda *_: None)
    flags = ("read", str(EXAMPLES), "--output=out/", "--checkpoints_dir=runs")
    for runner in ("--runner=FlinkRunner", "--norestart"):
        assert shell.run_main(main, ["svhn", *flags, runner]) == 1
    assert [Path(paths.checkpoints_dir) for paths in given] == [tmp_path / "runs", Path("runs")]
    assert given[0].results_dir == str(tmp_path / "results")


def photos(folder: Path) -> Path:
    """Thirty photos and two files that are no photos, in two folders."""
    for index in range(30):
        target = folder / f"photos/{index % 2}/{index:02}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((EXAMPLES / "208.jpg").read_bytes())
    (folder / "photos/1/07b.jpg").write_bytes(b"none")
    return folder / "photos"


def test_the_command_tells_its_counts_on_stderr_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("read", str(photos(tmp_path)), f"--output={tmp_path}/out/", "--part_size=8")
    for _ in range(2):
        assert call(tmp_path, *command) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert "30 read" in printed.err
        assert f"1 of 31 files could not be read: see {tmp_path}/out/{MERGED}" in printed.err
    assert call(tmp_path, *command, "--threshold=0.9") == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "the threshold was " in line
    assert "is now 0.9." in line


@pytest.mark.parametrize("flag", ["--part_size=0", "--runner_options=--a=b", f"--annotate={EXAMPLES}"])
def test_flags_that_don_t_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    assert call(tmp_path, "read", str(EXAMPLES), f"--output={tmp_path}/out/", flag) in (1, 2)
    assert flag.partition("=")[0] in last_line(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("flag", ["--part_size=8", "--restart", "--runner=DirectRunner"])
def test_flags_of_parts_need_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    assert call(tmp_path, "read", str(EXAMPLES), f"--output={tmp_path}/out.csv", flag) == 2
    line = last_line(capsys)
    assert flag.partition("=")[0] in line
    assert "--output" in line


def run(folder: Path, output: Path, *sabotages: str) -> subprocess.Popen[str]:
    flags = ["read", str(folder), f"--output={output}/", "--part_size=3", "--threads=1"]
    command = make_command(sabotages, "main.py", flags)
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_a_full_disk_keeps_finished_parts(tmp_path: Path) -> None:
    folder = photos(tmp_path)
    with run(folder, tmp_path / "out", "limit_files=2500") as program:
        _, errors = program.communicate()
    assert program.returncode == 1
    line = errors.splitlines()[-1]
    assert line.startswith(f"error: {tmp_path}/out/{MERGED}: ")  # no part is that large
    assert line.endswith("then run the same command again")
    parts = list((tmp_path / "out").glob("part-*.jsonl"))
    assert len(parts) == 11
    with run(folder, tmp_path / "out") as program:
        program.communicate()
    assert len((tmp_path / "out" / MERGED).read_text().splitlines()) == 31


@pytest.mark.slow
def test_kills_lose_nothing_but_the_part_in_work(tmp_path: Path) -> None:
    folder = photos(tmp_path)
    with run(folder, tmp_path / "whole") as program:
        program.communicate()
    out, delays = tmp_path / "out", random.Random(0)
    before: dict[str, tuple[int, int]] = {}
    for finished in (1, 4, 8):
        with run(folder, out) as program:
            while program.poll() is None and len(list(out.glob("part-*.jsonl"))) < finished:
                time.sleep(0.001)
            time.sleep(delays.uniform(0, 0.02))  # to be killed anywhere in a part
            program.send_signal(signal.SIGKILL)
        assert program.returncode == -signal.SIGKILL
        kept = {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in out.glob("part-*.jsonl")}
        assert len(kept) >= finished
        assert before.items() <= kept.items()
        before = kept
        assert all(path.read_bytes().count(b"\n") == 3 for path in out.glob("part-*.jsonl"))
        assert not (out / MERGED).exists()
    with run(folder, out) as program:
        program.communicate()
    assert (out / MERGED).read_bytes() == (tmp_path / "whole" / MERGED).read_bytes()
