"""Pictures that lie on other machines: in fsspec's memory and on a web server of this machine."""

from __future__ import annotations

import http.server
import io
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import fsspec
import pytest
from PIL import Image
from reading.test_parts import read
from reading.test_stream import Fake

from svhn.errors import UserError
from svhn.reading import one_part, remote
from svhn.reading.files import find_pictures
from svhn.reading.parts import read_in_parts


def encode(level: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), (level, level, level)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def memory() -> Iterator[str]:
    """The address of a folder of pictures, of which one lies deeper, and of two other files."""
    system = fsspec.filesystem("memory")
    for name, content in {"b.png": encode(12), "a.PNG": encode(11), "deep/c.png": encode(13)}.items():
        system.pipe(f"/photos/{name}", content)
    system.pipe("/photos/notes.txt", b"none")
    system.pipe("/photos/._a.png", b"none")
    yield "memory://photos"
    system.rm("/photos", recursive=True)


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a folder of pictures on a web server."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "web"
    (folder / "deep").mkdir(parents=True)
    for name, level in {"b.png": 12, "a.png": 11, "deep/c.png": 13}.items():
        (folder / name).write_bytes(encode(level))

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the server calls it
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def names(address: str, recursive: bool = True) -> list[str]:
    """The pictures that were found, without the address's beginning."""
    return [path.rpartition(":")[2].lstrip("/0123456789") for path in find_pictures([address], recursive).paths]


def test_a_folder_is_searched_as_on_this_machine(memory: str) -> None:
    assert names(memory) == ["photos/a.PNG", "photos/b.png", "photos/deep/c.png"]
    assert names(memory, recursive=False) == ["photos/a.PNG", "photos/b.png"]
    assert names(f"{memory}/*.png") == ["photos/b.png"]
    assert find_pictures([memory]).passed_over == Counter({".txt": 1, "sidecar files": 1})


def test_a_web_server_s_folder_is_searched(web: str) -> None:
    assert names(web) == ["a.png", "b.png", "deep/c.png"]


def test_pictures_are_read_from_where_they_lie(memory: str, web: str) -> None:
    addresses = [*find_pictures([memory]).paths, *find_pictures([web]).paths, f"{memory}/none.png", f"{web}none.png"]
    found = Fake(0.9).reader().read(addresses, on_error="return")
    assert [reading.text for reading in found] == ["11", "12", "13", "11", "12", "13", "", ""]
    assert [reading.error for reading in found[6:]] == [f"{name}: the picture is missing" for name in addresses[6:]]


def test_work_with_a_changed_picture_is_refused(memory: str, tmp_path: Path) -> None:
    pictures = find_pictures([memory]).paths
    read(tmp_path / "out", pictures)
    assert read(tmp_path / "out", pictures)["read"] == 3
    fsspec.filesystem("memory").pipe("/photos/b.png", encode(12) + b" ")
    with pytest.raises(UserError, match="digest of their names, sizes and times"):
        read(tmp_path / "out", pictures)


def test_a_search_tells_the_state_of_what_it_finds(
    memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pattern in (memory, f"{memory}/*"):
        found = find_pictures([pattern])
        assert found.paths
        for path in found.paths:
            assert found.states[path].split()[0] == str(fsspec.filesystem("memory").size(path))
    monkeypatch.setattr(remote, "_request_state", pytest.fail)
    arguments = tmp_path / "out", found.paths, Fake(0.9).reader, 5
    assert read_in_parts(*arguments, states=found.states)["read"] == 2


def test_a_picture_without_access_is_a_row_with_an_error(
    memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = fsspec.filesystem("memory")

    def refuse(path: str, *_: object, **__: object) -> None:
        raise PermissionError(13, "no access", path)

    monkeypatch.setattr(type(system), "info", refuse)
    monkeypatch.setattr(type(system), "_open", refuse)
    assert read(tmp_path / "out", [f"{memory}/a.PNG", "memory2://none.png"])["unreadable"] == 2


class AnswerError(Exception):
    """As aiohttp's: it has the status of the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answers {status}")
        self.status = status


@pytest.mark.parametrize(
    "error", [TimeoutError(), AnswerError(503), AnswerError(429), ConnectionError("reset")], ids=repr
)
def test_a_network_that_may_come_back_makes_no_row(
    memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    system = type(fsspec.filesystem("memory"))

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(one_part, "PAUSES", ())
    pictures = find_pictures([memory]).paths
    with monkeypatch.context() as patch:
        patch.setattr(system, "info", refuse)
        with pytest.raises(UserError, match=pictures[0]):
            read(tmp_path / "out", pictures)
    with monkeypatch.context() as patch:
        patch.setattr(system, "_open", refuse)
        with pytest.raises(UserError, match=rf"3 of its 3 pictures .*{pictures[0]}: the picture can't be fetched"):
            read(tmp_path / "out", pictures)
    assert read(tmp_path / "out", pictures)["read"] == 3


@pytest.mark.parametrize("error", [AnswerError(403), AnswerError(410), OSError("Forbidden: a.PNG")], ids=repr)
def test_a_picture_that_a_server_refuses_is_a_row_with_an_error(
    memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    for name in ("info", "_open"):
        monkeypatch.setattr(type(fsspec.filesystem("memory")), name, refuse)
    assert read(tmp_path / "out", [f"{memory}/a.PNG"])["unreadable"] == 1


def test_an_address_that_nothing_answers_is_named() -> None:
    for address in ("gopher2://host/photos", "http://127.0.0.1:9/photos/*"):
        with pytest.raises(UserError, match=address.partition(":")[0]):
            find_pictures([address])


def test_without_fsspec_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UserError, match=r"fsspec.*remote"):
        find_pictures(["gs://bucket/photos"])
    with pytest.raises(UserError, match=r"fsspec.*remote"):
        Fake(0.9).reader().read("gs://bucket/door.jpg")
