"""Plans of parts: what is kept after a kill, what is refused, and what is removed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from svhn.errors import UserError
from svhn.runtime import holding
from svhn.runtime.parts import Plan, check_complete, complete_plan, discard_plan, name_parts, open_plan

ROOT = Path(__file__).parents[2]
NAMES = name_parts(4, ".txt")
MERGED = "all.txt"
WHOLE = "".join(f"{name}\n" for name in NAMES).encode()


def make_plan(folder: Path, names: tuple[str, ...] = NAMES, **identity: Any) -> Plan:
    return Plan(folder, {"size": [1, 2], **identity}, names, MERGED)


def work(plan: Plan, restart: bool = False) -> list[str]:
    """Make the missing parts, each of which holds its own name; returns their names."""
    made = []
    with open_plan(plan, restart) as opened:
        if opened.result is None:
            for name in opened.list_missing():
                opened.place.write_part(name, [name.encode(), b"\n"])
                made.append(name)
            check_complete(opened)
            complete_plan(opened, {"lines": len(NAMES)})
    return made


def begin(plan: Plan, names: tuple[str, ...]) -> None:
    """Make some parts and no more."""
    with open_plan(plan) as opened:
        for name in names:
            opened.place.write_part(name, [name.encode(), b"\n"])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_parts_are_merged_in_order_and_done_once(tmp_path: Path) -> None:
    plan = make_plan(tmp_path / "deep/out")
    assert work(plan) == list(NAMES)
    assert {*contents(plan.folder)} == {"plan.json", MERGED}
    assert (plan.folder / MERGED).read_bytes() == WHOLE
    before = contents(plan.folder)
    assert work(plan) == []
    assert contents(plan.folder) == before
    with open_plan(plan) as opened:
        assert opened.result == {"lines": 4}


def test_a_merged_file_that_the_user_removed_is_made_again(tmp_path: Path) -> None:
    work(make_plan(tmp_path))
    (tmp_path / MERGED).unlink()
    assert work(make_plan(tmp_path)) == list(NAMES)
    assert (tmp_path / MERGED).read_bytes() == WHOLE


def test_only_missing_parts_are_made_and_leftovers_are_cleared_away(tmp_path: Path) -> None:
    begin(make_plan(tmp_path), NAMES[1:2])
    killed, other = tmp_path / f"{NAMES[2]}.{'0' * 32}.tmp", tmp_path / f"mine.{'0' * 32}.tmp"
    killed.write_bytes(b"par")
    other.write_bytes(b"mine")
    assert work(make_plan(tmp_path)) == [NAMES[0], *NAMES[2:]]
    assert (tmp_path / MERGED).read_bytes() == WHOLE
    assert {*contents(tmp_path)} == {"plan.json", MERGED, other.name}


def test_other_work_is_refused_and_what_differs_is_named(tmp_path: Path) -> None:
    work(make_plan(tmp_path, name="a", threshold=0.5))
    before = contents(tmp_path)
    with pytest.raises(UserError) as caught:
        work(make_plan(tmp_path, threshold=0.75, checkpoint="9" * 64))
    for text in (
        "name was a and is now absent",
        "threshold was 0.5 and is now 0.75",
        "checkpoint was absent",
        "--restart",
    ):
        assert text in str(caught.value)
    assert "size" not in str(caught.value)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"\xff", b'{"mine": 1}', b'{"schema": 2}', b'{"schema": 1, "parts": []}'),
        *(
            b'{"schema": 1, "identity": {}, "merged": "%b", "parts": ["%b"]}' % names
            for names in ((MERGED.encode(), b"../mine"), (b"/mine", b"part"), (MERGED.encode(), b".."))
        ),
    ],
)
def test_a_file_that_is_no_plan_is_kept_with_all_beside_it(tmp_path: Path, content: bytes) -> None:
    for name in (MERGED, "part", "mine"):
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / "plan.json").write_bytes(content)
    before = contents(tmp_path)
    for restart in (False, True):
        with pytest.raises(UserError, match=r"plan\.json is no plan .*: move it") as caught:
            work(make_plan(tmp_path), restart)
        assert "--restart" not in str(caught.value)
    assert contents(tmp_path) == before


def test_a_plan_of_another_schema_can_be_removed(tmp_path: Path) -> None:
    begin(make_plan(tmp_path, name_parts(9, ".txt")), name_parts(9, ".txt")[:3])
    plan = json.loads((tmp_path / "plan.json").read_text())
    (tmp_path / "plan.json").write_text(json.dumps({**plan, "schema": 2, "new": 1}))
    with pytest.raises(UserError, match=r"schema 2, expected 1: .*--restart"):
        work(make_plan(tmp_path))
    assert work(make_plan(tmp_path), restart=True) == list(NAMES)
    assert {*contents(tmp_path)} == {"plan.json", MERGED}


def test_restart_removes_what_the_plan_made_and_nothing_else(tmp_path: Path) -> None:
    begin(make_plan(tmp_path, name_parts(9, ".txt")), name_parts(9, ".txt")[:3])
    (tmp_path / "mine.txt").write_bytes(b"mine")
    assert work(make_plan(tmp_path, seed=1), restart=True) == list(NAMES)
    assert contents(tmp_path).keys() == {"plan.json", MERGED, "mine.txt"}
    assert (tmp_path / MERGED).read_bytes() == WHOLE


def test_restart_of_nothing_begins(tmp_path: Path) -> None:
    assert work(make_plan(tmp_path / "out"), restart=True) == list(NAMES)


@pytest.mark.parametrize("name", [MERGED, NAMES[2]])
def test_a_file_of_no_plan_is_not_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    for restart in (False, True):
        with pytest.raises(UserError, match=f"{name} exists"):
            work(make_plan(tmp_path), restart)
    assert contents(tmp_path) == {name: b"mine"}


def test_a_discarded_plan_leaves_no_file(tmp_path: Path) -> None:
    plan = make_plan(tmp_path / "out")
    with open_plan(plan) as opened:
        opened.place.write_part(NAMES[0], [b"x"])
        discard_plan(opened)
    assert not plan.folder.exists()


def test_parts_that_no_machine_left_here_are_named(tmp_path: Path) -> None:
    with open_plan(make_plan(tmp_path)) as plan:
        plan.place.write_part(NAMES[0], [b"x"])
        with pytest.raises(UserError, match=f"3 of 4 files are missing .*{NAMES[1]}"):
            check_complete(plan)


def test_two_may_make_the_same_part_at_once(tmp_path: Path) -> None:
    with open_plan(make_plan(tmp_path)) as plan:

        def content() -> Iterator[bytes]:
            yield b"a"
            plan.place.write_part(NAMES[0], [b"ab"])
            yield b"b"

        plan.place.write_part(NAMES[0], content())
        assert contents(tmp_path)[NAMES[0]] == b"ab"
        assert not list(tmp_path.glob("*.tmp"))


def test_a_process_of_an_earlier_plan_writes_no_part_of_the_next(tmp_path: Path) -> None:
    """It is still at work, on another machine for example, when the work is begun anew or removed."""
    with open_plan(make_plan(tmp_path, name="a")) as plan:
        earlier = plan.place
    with open_plan(make_plan(tmp_path, name="b"), restart=True) as plan:
        before = contents(tmp_path)
        for write in (earlier.write_part, lambda name, _: earlier.note_failure(name, "late")):
            with pytest.raises(UserError, match=rf"{NAMES[0]}\S* is not written: .*plan\.json .*Repeat the command"):
                write(NAMES[0], [b"late"])
        assert contents(tmp_path) == before
        discard_plan(plan)
        with pytest.raises(UserError, match=f"{NAMES[1]} is not written"):
            plan.place.write_part(NAMES[1], [b"late"])
    assert work(make_plan(tmp_path, name="b")) == list(NAMES)


def test_a_plan_that_an_earlier_version_began_is_ended(tmp_path: Path) -> None:
    begin(make_plan(tmp_path), NAMES[:2])
    plan = json.loads((tmp_path / "plan.json").read_text())
    del plan["plan_id"]
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    assert work(make_plan(tmp_path)) == list(NAMES[2:])
    assert (tmp_path / MERGED).read_bytes() == WHOLE


def test_parts_that_could_not_be_made_are_counted_and_made_by_the_next_call(tmp_path: Path) -> None:
    with open_plan(make_plan(tmp_path)) as plan:
        plan.place.write_part(NAMES[0], [NAMES[0].encode(), b"\n"])
        for name in NAMES[1:3]:
            plan.place.note_failure(name, "the network is down")
        with pytest.raises(UserError, match=f"2 of 4 files .* {NAMES[1]}: the network is down. Run the same command"):
            check_complete(plan)
    assert work(make_plan(tmp_path)) == list(NAMES[1:])
    assert {*contents(tmp_path)} == {"plan.json", MERGED}


def test_an_empty_folder_of_the_user_s_stays(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), holding.hold_folder(tmp_path, "plan", "wait"):
        raise ZeroDivisionError
    with holding.hold_folder(tmp_path / "own", "plan", "wait"):
        pass
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("moves", range(7))  # plan.json, four parts, the merged file, plan.json with the result
def test_killed_anywhere_the_next_call_ends_the_same(tmp_path: Path, moves: int) -> None:
    """The kill comes before a file takes its name; nothing is cleared away after it."""
    with pytest.MonkeyPatch.context() as patch:
        done, replace = [], Path.replace

        def move(source: Path, target: Path) -> Path:
            if len(done) == moves:
                raise KeyboardInterrupt
            done.append(source)
            return replace(source, target)

        patch.setattr(Path, "replace", move)
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            work(make_plan(tmp_path))
    assert work(make_plan(tmp_path)) == list(NAMES[max(0, moves - 1) :])
    assert (tmp_path / MERGED).read_bytes() == WHOLE
    assert contents(tmp_path).keys() - {"plan.json.tmp", f"{MERGED}.tmp"} == {"plan.json", MERGED}


HOLD = """import sys, time
from pathlib import Path
from svhn.runtime.parts import Plan, name_parts, open_plan
with open_plan(Plan(Path(sys.argv[1]), {"size": [1, 2]}, name_parts(4, ".txt"), "all.txt")):
    print("open", flush=True)
    time.sleep(60)"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_second_process_is_refused_and_told_who_is_at_work(tmp_path: Path, end: signal.Signals) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "open\n"
        for restart in (False, True):
            with pytest.raises(UserError, match=rf"{tmp_path} is in use by process {holder.pid} on "):
                work(make_plan(tmp_path), restart)
        holder.send_signal(end)
    assert work(make_plan(tmp_path)) == list(NAMES)
    assert "plan.holder" not in contents(tmp_path)


def test_a_second_process_is_refused_before_the_first_has_noted_its_name(tmp_path: Path) -> None:
    with open_plan(make_plan(tmp_path)):
        (tmp_path / "plan.holder").unlink()
        with pytest.raises(UserError, match=f"{tmp_path} is in use by another process"):
            work(make_plan(tmp_path))


def test_a_lock_that_was_removed_meanwhile_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process has opened the lock's file; then the holder removes the file and ends, and a third one begins."""
    import fcntl

    own, path, third = fcntl.flock, tmp_path / "plan.lock", []

    def lock(file: int, mode: int) -> None:
        if not third and mode & fcntl.LOCK_EX:
            path.unlink()
            third.append(os.open(path, os.O_CREAT | os.O_RDWR))
            own(third[0], mode)
        own(file, mode)

    monkeypatch.setattr(fcntl, "flock", lock)
    with pytest.raises(UserError, match="in use by another process"):
        work(make_plan(tmp_path))
    assert path.exists()
    os.close(third[0])
    assert work(make_plan(tmp_path)) == list(NAMES)


def test_a_full_disk_leaves_no_half_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_: int) -> None:
        raise OSError(28, os.strerror(28))

    work(make_plan(tmp_path))
    (tmp_path / MERGED).unlink()
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left") as caught:
        work(make_plan(tmp_path))
    assert str(caught.value.filename).startswith(str(tmp_path / NAMES[0]))
    assert {*contents(tmp_path)} == {"plan.json"}


def test_the_plan_is_readable(tmp_path: Path) -> None:
    work(make_plan(tmp_path, run="released"))
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert re.fullmatch("[0-9a-f]{32}", plan.pop("plan_id"))
    assert plan == {
        "schema": 1,
        "identity": {"size": [1, 2], "run": "released"},
        "parts": list(NAMES),
        "merged": MERGED,
        "result": {"lines": 4},
    }
