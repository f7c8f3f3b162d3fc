"""A wait for the other machines of a cluster, before TensorFlow waits for them: TensorFlow prints nothing meanwhile,
and no signal ends its wait.
"""

from __future__ import annotations

import errno
import functools
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from svhn.errors import Say, UserError, quote, shorten
from svhn.runtime.cluster import list_addresses

WAIT_MINUTES = 10.0  # how long to wait for the other machines, unless told otherwise
PAUSE = 1.0  # seconds between two tries
PATIENCE = 3.0  # seconds until an address that does not answer counts as missing


@functools.cache  # TensorFlow's server has this machine's port from then on, until the process ends
def wait_for_cluster(minutes: float, say: Say) -> None:
    """Return once all machines of `TF_CONFIG` answer. A signal ends the wait.

    Args:
        minutes: how long to wait.
        say: prints a line when other machines are missing than before.

    Raises:
        UserError: machines are still missing after so many minutes; or this machine's own port is in use.
    """
    own, others = list_addresses()
    with _listen(own) as server:
        _wait_for_answers(server, others, time.monotonic() + 60 * minutes, say)


def _listen(address: str) -> socket.socket:
    """Answer the other machines at this machine's port until TensorFlow does."""
    host, port = split_address(address)
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        server = socket.create_server(("", port), family=family, backlog=128, dualstack_ipv6=both)
    except OSError as error:
        other = "end the program that uses it, or " if error.errno == errno.EADDRINUSE else ""
        raise UserError(
            f"TF_CONFIG: this machine's port {port} ({host}) can't be used ({error.strerror}): {other}name another "
            "port on all machines"
        ) from error
    server.setblocking(False)
    return server


def _wait_for_answers(server: socket.socket, others: Mapping[str, str], deadline: float, say: Say) -> None:
    """Try all addresses until each of them answers in the same round: a machine can give up while others wait."""
    named: list[str] = []
    while missing := [f"{name} ({address})" for name, address in others.items() if not _answers(address)]:
        if time.monotonic() >= deadline:
            raise UserError(
                f"TF_CONFIG: no answer from {', '.join(missing)}: start the same command there, correct the address "
                "in TF_CONFIG on all machines, or wait longer with --wait_minutes"
            )
        if missing != named:
            say(f"Waiting for {', '.join(missing)} of TF_CONFIG")
            named = missing
        _hang_up(server)
        time.sleep(PAUSE)


def _hang_up(server: socket.socket) -> None:
    """Close the connections by which the others tried this machine, before too many of them wait."""
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()


def _answers(address: str) -> bool:
    try:
        socket.create_connection(split_address(address), timeout=PATIENCE).close()
    except UnicodeError as error:  # of the codec for international names
        raise UserError(f"TF_CONFIG: {quote(address)} is no address ({shorten(error)}): correct it") from error
    except OSError:
        return False
    return True


def split_address(address: str) -> tuple[str, int]:
    """Host and port of an address such as `10.0.0.7:2222` or `[::1]:2222`. Raises `UserError` if it has no port."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise UserError(f"TF_CONFIG: {address!r} is no address: expected HOST:PORT, such as 10.0.0.7:2222")
    return host.strip("[]"), int(port)
