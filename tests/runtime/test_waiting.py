"""The wait for the other machines of a cluster."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from svhn.errors import Say, UserError
from svhn.runtime import shell, waiting


def open_ports(count: int) -> list[socket.socket]:
    return [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """Sockets at the ports of three machines, of which this process is the second."""
    monkeypatch.setattr(waiting, "PAUSE", 0.01)
    sockets = open_ports(3)
    addresses = [f"127.0.0.1:{port_of(each)}" for each in sockets]
    config = {
        "cluster": {"chief": addresses[:1], "worker": addresses[1:]},
        "task": {"type": "worker", "index": 0},
    }
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    yield sockets
    for each in sockets:
        each.close()


def wait(minutes: float) -> list[str]:
    """Wait for the cluster; returns what was said."""
    lines: list[str] = []
    wait_and_say(minutes, lines.append)
    return lines


def wait_and_say(minutes: float, say: Say) -> None:
    waiting.wait_for_cluster.__wrapped__(minutes, say)


def test_where_all_answer_nothing_is_said_and_the_port_is_free(servers: list[socket.socket]) -> None:
    servers[1].close()
    assert wait(0) == []
    socket.create_server(("127.0.0.1", port_of_own())).close()


def port_of_own() -> int:
    return int(json.loads(os.environ["TF_CONFIG"])["cluster"]["worker"][0].rpartition(":")[2])


def test_each_missing_machine_is_named(servers: list[socket.socket]) -> None:
    ports = [port_of(each) for each in servers]
    for each in servers:
        each.close()
    with pytest.raises(
        UserError, match=rf"chief 0 \(127\.0\.0\.1:{ports[0]}\), worker 1 .*:{ports[2]}.*--wait_minutes"
    ):
        wait(0)


def test_an_address_that_no_machine_can_have_is_an_error(
    servers: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", os.environ["TF_CONFIG"].replace("127.0.0.1", "127.0.0..1", 1))
    servers[1].close()
    with pytest.raises(UserError, match=r"TF_CONFIG: '127\.0\.0\.\.1:\d+'"):
        wait(0)


def test_a_machine_that_comes_later_is_waited_for(servers: list[socket.socket]) -> None:
    late = port_of(servers[2])
    servers[1].close()
    servers[2].close()
    begun: list[socket.socket] = []

    def begin() -> None:
        with socket.create_connection(("127.0.0.1", port_of_own()), timeout=10):  # this machine answers meanwhile
            begun.append(socket.create_server(("127.0.0.1", late)))

    timer = threading.Timer(0.3, begin)
    timer.start()
    assert wait(1) == [f"Waiting for worker 1 (127.0.0.1:{late}) of TF_CONFIG"]
    timer.join()
    begun[0].close()


def test_a_port_in_use_is_named(servers: list[socket.socket]) -> None:
    with pytest.raises(UserError, match=rf"port {port_of(servers[1])} .* another port on all machines"):
        wait(0)


def test_a_signal_ends_the_wait(servers: list[socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PAUSE", 60)  # the signal comes in the pause, never while a connection is made
    for each in servers:
        each.close()
    said: list[str] = []

    def send_signal_soon(line: str) -> None:
        said.append(line)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()

    assert shell.run_main(lambda _: wait_and_say(60, send_signal_soon), ["x"]) == 143
    assert len(said) == 1  # the wait's second round never came


@pytest.mark.parametrize(
    ("address", "expected"), [("a:1", ("a", 1)), ("[::1]:2222", ("::1", 2222)), ("10.0.0.7:65535", ("10.0.0.7", 65535))]
)
def test_an_address_has_a_host_and_a_port(address: str, expected: tuple[str, int]) -> None:
    assert waiting.split_address(address) == expected


@pytest.mark.parametrize("address", ["", "host", "host:", ":1", "host:x", "host:0", "host:65536"])
def test_an_address_without_a_port_is_refused(address: str) -> None:
    with pytest.raises(UserError, match=r"TF_CONFIG: .* expected HOST:PORT"):
        waiting.split_address(address)
