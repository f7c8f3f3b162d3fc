"""`svhn serve` as a process with the bundled networks."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.program import call, last_line
from support.serving import ROOT, start_process

import svhn
from svhn.errors import UserError
from svhn.reading.outputs import make_row
from svhn.serving.server import open_socket, read_token

PICTURES = sorted((ROOT / "svhn/examples").glob("*.jpg"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The only place where the server may write."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with start_process(folder) as (server, address):
        yield address
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 128 + signal.SIGTERM
        assert server.stderr
        assert server.stderr.read() == "terminated: run the same command again\n"  # and no picture, name or address
    assert not [file for file in folder.rglob("*") if file.is_file()]


def post(address: str, **options: object) -> httpx.Response:
    return httpx.post(f"{address}/v1/read", trust_env=False, timeout=30, **options)  # type: ignore[arg-type]


def test_it_reads_what_the_reader_reads(address: str) -> None:
    expected = [
        make_row(path.name, reading) for path, reading in zip(PICTURES, svhn.Reader.load().read(PICTURES), strict=True)
    ]
    form = post(address, files=[("file", (path.name, path.read_bytes())) for path in PICTURES])
    assert form.json()["pictures"] == expected
    for path, row in zip(PICTURES, expected, strict=True):
        raw = post(address, content=path.read_bytes(), headers={"content-type": "image/jpeg"})
        assert raw.json()["pictures"] == [{**row, "file": ""}]


def test_a_request_has_a_threshold_of_its_own(address: str) -> None:
    content = PICTURES[0].read_bytes()
    (strict,) = post(address, params={"threshold": 1}, content=content).json()["pictures"]
    assert (strict["numbers"], strict["refused"]["needed"]) == ([], 1.0)
    (usual,) = post(address, content=content).json()["pictures"]
    assert usual["numbers"]


def test_it_names_its_networks(address: str) -> None:
    models = httpx.get(f"{address}/v1/models", trust_env=False).json()["models"]
    assert [(each["role"], each["name"], each["engine"]) for each in models] == [
        ("reader", "released-large", "litert"),
        ("finder", "finder", "litert"),
    ]
    assert models[0]["threshold"] is None
    assert 0 < models[1]["threshold"] < 1


def test_a_token_is_asked_for(tmp_path: Path) -> None:
    with start_process(tmp_path, token="secret\n") as (_, address):  # as a file of one line holds it
        content = PICTURES[0].read_bytes()
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "secret"}):
            refused = post(address, content=content, headers=headers)
            assert (refused.status_code, "Bearer TOKEN" in refused.json()["error"]) == (401, True)
        for scheme in ("Bearer", "bearer"):
            assert post(address, content=content, headers={"authorization": f"{scheme} secret"}).status_code == 200
        assert httpx.get(f"{address}/v1/health", trust_env=False).status_code == 200
        assert httpx.get(f"{address}/metrics", trust_env=False).status_code == 401


def test_a_second_interrupt_ends_it_while_a_request_is_coming(tmp_path: Path) -> None:
    with start_process(tmp_path) as (server, address):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"POST /v1/read HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
            while httpx.get(f"{address}/v1/health", trust_env=False).json()["waiting"] == 0:
                pass
            server.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                server.wait(1)
            server.send_signal(signal.SIGINT)
            assert server.wait(20) == 0
        assert server.stderr
        assert not server.stderr.read()


def test_an_empty_token_is_no_open_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVHN_TOKEN", " ")
    with pytest.raises(UserError, match="SVHN_TOKEN is empty"):
        read_token()


def test_no_answer_waits_for_a_receipt() -> None:
    with open_socket("127.0.0.1", 0) as server, socket.create_connection(server.getsockname()):
        connection, _ = server.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert call(tmp_path, "serve", f"--port={port}") == 1
    assert f"--port={port}" in last_line(capsys)
