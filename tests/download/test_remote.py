from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.mirror import Mirror, serve

from svhn.download.remote import BrokenTransferError, MissingFileError, open_stream, read_remote_text, retry_attempt
from svhn.errors import UserError


def ignore(_: object) -> None:
    pass


def no_pause(seconds: float) -> None:
    pytest.fail(f"waited for {seconds} s")


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with serve(tmp_path / "mirror") as mirror:
        (mirror.folder / "a file+.txt").write_bytes(b"0123456789")
        yield mirror


def read_from(source: str, offset: int) -> tuple[int, int | None, bytes]:
    with open_stream(source, "a file+.txt", offset) as stream:
        return stream.start, stream.total, b"".join(iter(stream.read, b""))


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_server_is_read_with_and_without_a_slash(mirror: Mirror, slash: str) -> None:
    mirror.folder.joinpath("a file+.txt").rename(mirror.folder / "a.txt")
    assert read_remote_text(mirror.url + slash, "a.txt", print) == "0123456789"


def test_names_are_quoted(mirror: Mirror) -> None:
    (mirror.folder / "a%20file%2B.txt").write_bytes(b"as quoted")
    assert read_from(mirror.url, 0) == (0, 9, b"as quoted")


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}"])
@pytest.mark.parametrize(("offset", "expected"), [(0, b"0123456789"), (4, b"456789"), (10, b"")])
def test_a_folder_is_read_from_the_offset(mirror: Mirror, form: str, offset: int, expected: bytes) -> None:
    assert read_from(form.format(mirror.folder), offset) == (offset, 10, expected)


def test_a_file_address_is_unquoted(tmp_path: Path) -> None:
    (tmp_path / "two words").mkdir()
    (tmp_path / "two words" / "a.txt").write_text("found")
    assert read_remote_text(f"file://{tmp_path}/two%20words", "a.txt", print) == "found"


def test_a_folder_with_less_than_the_offset_is_read_from_its_start(mirror: Mirror) -> None:
    assert read_from(str(mirror.folder), 11) == (0, 10, b"0123456789")


def test_an_absent_text_is_none(mirror: Mirror, tmp_path: Path) -> None:
    assert read_remote_text(mirror.url, "SHA256SUMS", print) is None
    assert read_remote_text(str(tmp_path / "nowhere"), "SHA256SUMS", print) is None
    assert mirror.requests == [("SHA256SUMS", "", 404)]


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_file_that_the_server_lacks(mirror: Mirror, status: int) -> None:
    mirror.failures = [status]
    with pytest.raises(MissingFileError, match=f"a%20file%2B.txt: the server answers {status} .*: check --url"):
        read_from(mirror.url, 0)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://127.0.0.1/x", "--url=ftp://127.0.0.1/x: expected http://, https://, file:// or a folder"),
        ("http://[::1", "is not an address"),
        ("http://127.0.0.1:port", "is not an address"),
    ],
)
def test_an_impossible_address_is_not_tried_again(url: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        read_remote_text(url, "SHA256SUMS", say=pytest.fail, pause=no_pause)
    assert message in str(error.value)


def test_a_refused_connection_is_tried_five_times() -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else can answer there
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        pauses: list[float] = []
        with pytest.raises(UserError, match=r"refused: 5 tries failed: check the connection and --url"):
            read_remote_text(url, "SHA256SUMS", ignore, pauses.append)
    assert pauses == [1, 2, 4, 8]


def test_a_silent_server_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svhn.download.remote.TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lines: list[str] = []
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UserError, match="timed out: 5 tries failed"):
            read_remote_text(url, "SHA256SUMS", lines.append, ignore)
    assert lines == [f"{url}/SHA256SUMS: timed out: trying again in {seconds} s" for seconds in (1, 2, 4, 8)]


def test_patience_starts_anew_with_every_step_forward() -> None:
    reached = 0

    def attempt() -> str:
        nonlocal reached
        reached += 1
        if reached < 9:
            raise BrokenTransferError("broke off")
        return "done"

    pauses: list[float] = []
    assert retry_attempt(attempt, lambda: reached, ignore, pauses.append) == "done"
    assert pauses == [1] * 8
