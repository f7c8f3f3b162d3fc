from __future__ import annotations

import errno
import hashlib
import os
import random
import resource
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.mirror import Mirror, serve

from svhn.download.transfer import fetch_file, parse_checksums
from svhn.errors import UserError
from svhn.runtime.files import atomic_write, compute_sha256, describe_mismatch
from svhn.spec import Archive

CONTENT = random.Random(0).randbytes(300_000)
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()
PUBLISHED = Archive("a.bin", len(CONTENT), CHECKSUM)
UNKNOWN = Archive("a.bin")


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve(tmp_path / "mirror") as mirror:
        (mirror.folder / "a.bin").write_bytes(CONTENT)
        yield mirror


class Call:
    """One `fetch_file` into `data`, and what it told."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.part = self.data / "a.bin.part"
        self.moves: list[tuple[int, int | None]] = []
        self.lines: list[str] = []
        self.pauses: list[float] = []
        self.data.mkdir()

    def __call__(self, source: str, archive: Archive = PUBLISHED) -> None:
        fetch_file(
            source, archive, self.data, lambda *move: self.moves.append(move), self.lines.append, self.pauses.append
        )

    def contents(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.data.iterdir()}


@pytest.fixture
def call(tmp_path: Path) -> Call:
    return Call(tmp_path)


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")  # FIPS 180-2, B.1
    assert compute_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_atomic_write_keeps_the_old_file_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with atomic_write(path, "w") as file:
        file.write("née\r\n1\n")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == "née\r\n1\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_write_of_bytes(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a") as file:
        file.write(b"\x00\n\xff")
    assert (tmp_path / "a").read_bytes() == b"\x00\n\xff"


def write_and_raise(path: Path, interruption: type[BaseException]) -> None:
    with atomic_write(path) as file:
        file.write(b"new")
        raise interruption


@pytest.mark.parametrize("interruption", [ValueError, KeyboardInterrupt])
def test_atomic_write_leaves_the_old_file_on_an_error(tmp_path: Path, interruption: type[BaseException]) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(interruption):
        write_and_raise(path, interruption)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_write_where_nothing_can_be_written_names_the_file(tmp_path: Path) -> None:
    """By the name that the user gave, not by the temporary one."""
    path = tmp_path / "missing" / "table.csv"
    with pytest.raises(FileNotFoundError) as raised, atomic_write(path):
        raise AssertionError("there is no such folder")
    assert raised.value.filename == str(path)


def test_atomic_write_on_a_full_disk_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as error, atomic_write(path) as file:
            file.write(CONTENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert error.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["open", "fsync"])
def test_a_folder_that_refuses_to_be_flushed_ends_no_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    own, refused = getattr(os, call), []

    def refuse(target: Any, *rest: Any) -> Any:
        """As folders that may only be written, and as network file systems."""
        if stat.S_ISDIR(os.stat(target).st_mode):  # noqa: PTH116 - the target may be a number
            refused.append(target)
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return own(target, *rest)

    monkeypatch.setattr(os, call, refuse)
    with atomic_write(tmp_path / "a") as file:
        file.write(b"new")
    assert len(refused) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_read_checksums_reads_what_sha256sum_writes() -> None:
    text = f"{'a' * 64}  train.tar.gz\r\n\n{'B' * 64} *two words.bin\n{'c' * 64}  ./test.tar.gz\n"
    assert parse_checksums(text) == {"train.tar.gz": "a" * 64, "two words.bin": "b" * 64, "test.tar.gz": "c" * 64}


@pytest.mark.parametrize("line", ["<html>", f"{'a' * 63}  x", f"{'g' * 64}  x", f"{'a' * 64} ", f"{'a' * 64}\tx"])
def test_read_checksums_names_a_malformed_line(line: str) -> None:
    with pytest.raises(UserError, match=r"SHA256SUMS, line 2: .*: expected 64 hexadecimal digits"):
        parse_checksums(f"{'a' * 64}  x\n{line}\n")


def test_mismatch(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert describe_mismatch(path, Archive("a", 3, compute_sha256(path))) == ""
    assert describe_mismatch(path, Archive("a")) == ""
    assert describe_mismatch(path, Archive("a", 4_000)) == "it has 3 bytes, expected 4,000"
    assert (
        describe_mismatch(path, Archive("a", 3, "0" * 64)) == f"sha256 is {compute_sha256(path)}, expected {'0' * 64}"
    )


@pytest.mark.parametrize("archive", [PUBLISHED, UNKNOWN])
def test_fetch_brings_the_whole_file(mirror: Mirror, call: Call, archive: Archive) -> None:
    call(mirror.url, archive)
    assert call.contents() == {"a.bin": CONTENT}
    assert mirror.asked("a.bin") == [("", 200)]
    assert (call.moves[0], call.moves[-1]) == ((0, 300_000), (300_000, 300_000))
    assert call.lines == []


def test_fetch_from_a_server_that_tells_no_length(mirror: Mirror, call: Call) -> None:
    mirror.lengths = False
    call(mirror.url)
    assert call.contents() == {"a.bin": CONTENT}
    assert call.moves[-1] == (300_000, None)


def test_fetch_resumes(mirror: Mirror, call: Call) -> None:
    call.part.write_bytes(CONTENT[:123_456])
    call(mirror.url)
    assert call.contents() == {"a.bin": CONTENT}
    assert mirror.asked("a.bin") == [("bytes=123456-", 206)]
    assert call.moves[0] == (123_456, 300_000)


def test_fetch_resumes_from_a_folder(mirror: Mirror, call: Call) -> None:
    call.part.write_bytes(CONTENT[:123_456])
    call(str(mirror.folder))
    assert call.contents() == {"a.bin": CONTENT}
    assert call.moves[0] == (123_456, 300_000)


@pytest.mark.parametrize(
    ("fault", "length", "asked"),
    [
        ({"ranges": False}, 1000, [("bytes=1000-", 200)]),
        ({"shift": 1}, 1000, [("bytes=1000-", 206), ("", 200)]),
        ({}, 300_001, [("bytes=300001-", 416), ("", 200)]),
    ],
)
def test_fetch_starts_over_where_it_must(
    mirror: Mirror, call: Call, fault: dict[str, int], length: int, asked: list[tuple[str, int]]
) -> None:
    for name, value in fault.items():
        setattr(mirror, name, value)
    call.part.write_bytes(b"?" * length)
    call(mirror.url)
    assert call.contents() == {"a.bin": CONTENT}
    assert mirror.asked("a.bin") == asked


@pytest.mark.parametrize(("archive", "asked"), [(PUBLISHED, []), (UNKNOWN, [("bytes=300000-", 416)])])
def test_fetch_takes_a_complete_part(
    mirror: Mirror, call: Call, archive: Archive, asked: list[tuple[str, int]]
) -> None:
    call.part.write_bytes(CONTENT)
    call(mirror.url, archive)
    assert call.contents() == {"a.bin": CONTENT}
    assert mirror.asked("a.bin") == asked


def test_fetch_goes_on_where_the_server_broke_off(mirror: Mirror, call: Call) -> None:
    mirror.cuts = [1000] * 6
    call(mirror.url)
    assert call.contents() == {"a.bin": CONTENT}
    ranges = [f"bytes={start}-" for start in (1000, 2000, 3000, 4000, 5000, 6000)]
    assert mirror.asked("a.bin") == [("", 200), *((text, 206) for text in ranges)]
    assert call.pauses == [1] * 6
    assert call.lines[0] == "a.bin: broke off after 1,000 of 300,000 bytes: trying again in 1 s"


def test_fetch_gives_up_on_a_server_that_gets_no_further(mirror: Mirror, call: Call) -> None:
    mirror.ranges, mirror.cuts = False, [1000] * 9
    with pytest.raises(UserError, match="broke off after 1,000 of 300,000 bytes: 5 tries failed"):
        call(mirror.url)
    assert call.pauses == [1, 2, 4, 8]
    assert call.contents() == {"a.bin.part": CONTENT[:1000]}


def test_fetch_waits_longer_each_time_for_a_server_that_is_down(mirror: Mirror, call: Call) -> None:
    mirror.failures = [503, 503]
    call(mirror.url)
    assert call.contents() == {"a.bin": CONTENT}
    assert mirror.asked("a.bin") == [("", 503), ("", 503), ("", 200)]
    assert call.pauses == [1, 2]


def test_fetch_does_not_repeat_a_404(mirror: Mirror, call: Call) -> None:
    with pytest.raises(UserError, match=r"/files/b.bin: the server answers 404 Not Found: check --url"):
        call(mirror.url, Archive("b.bin"))
    assert mirror.asked("b.bin") == [("", 404)]
    assert call.pauses == []


def test_fetch_refuses_a_wrong_checksum(mirror: Mirror, call: Call) -> None:
    (call.data / "a.bin").write_bytes(b"old")
    with pytest.raises(UserError) as error:
        call(mirror.url, Archive("a.bin", len(CONTENT), "0" * 64))
    assert str(error.value).startswith(f"a.bin: sha256 is {CHECKSUM}, expected {'0' * 64}: ")
    assert str(error.value).endswith("run the same command again, or check the mirror")
    assert call.contents() == {"a.bin": b"old"}


def test_fetch_refuses_a_damaged_part_and_then_starts_anew(mirror: Mirror, call: Call) -> None:
    call.part.write_bytes(b"?" * 1000)
    with pytest.raises(UserError, match=r"sha256 is .*, expected"):
        call(mirror.url)
    assert call.contents() == {}
    call(mirror.url)
    assert call.contents() == {"a.bin": CONTENT}


def test_fetch_refuses_a_wrong_size_before_it_starts(mirror: Mirror, call: Call) -> None:
    with pytest.raises(UserError, match=r"a.bin: http.* has 300,000 bytes of it, expected 7: check --url"):
        call(mirror.url, Archive("a.bin", 7))
    assert call.contents() == {}
    assert call.moves == []


def test_fetch_refuses_a_wrong_size_that_it_was_not_told(mirror: Mirror, call: Call) -> None:
    mirror.lengths = False
    with pytest.raises(UserError, match=r"a.bin: it has 300,000 bytes, expected 7: run the same command again"):
        call(mirror.url, Archive("a.bin", 7))
    assert call.contents() == {}
