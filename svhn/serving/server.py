"""The server's process: its address, its token, and its end."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from importlib.util import find_spec
from ipaddress import ip_address

from PIL import EpsImagePlugin

from svhn.errors import Say, UserError, shorten, suggest_extra
from svhn.reading.reader import Reader
from svhn.serving.limits import Limits

PACKAGES = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")
TOKEN_VARIABLE = "SVHN_TOKEN"
GRACE = 5  # seconds beyond a request's own in which the last requests are answered


def open_socket(host: str, port: int) -> socket.socket:
    """A socket at an address of this machine, before networks are loaded.

    Raises:
        UserError: a package is not installed, the address is not one of this machine, or the port is taken.
    """
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise UserError(f"the server needs {', '.join(missing)}, which is not installed: {suggest_extra('serve')}")
    try:
        if port not in range(2**16):
            raise ValueError("ports are numbers from 0 to 65535")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, ValueError) as error:
        raise UserError(
            f"cannot serve at --host={host} --port={port} ({type(error).__name__}: {shorten(error)}): "
            "name an address of this machine and a free port, or --port=0 for any free one"
        ) from error
    # asyncio sets this only for sockets whose protocol is named (Python 3.11), and an answer's second packet would wait
    # 40 ms for the first one's receipt. Connections inherit it.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


def read_token() -> str:
    """The token that clients have to send; "" if none is asked for. Raises `UserError` for an empty variable."""
    token = os.environ.get(TOKEN_VARIABLE)
    if token is not None and not token.strip():
        raise UserError(f"{TOKEN_VARIABLE} is empty: set it to the token that clients send, or unset it")
    return (token or "").strip()


def serve(reader: Reader, server: socket.socket, limits: Limits, say: Say) -> None:
    """Answer requests until the process is asked to end. Requests that were taken are answered first.

    The environment variable `SVHN_TOKEN` holds the token that clients have to send, if they have to send one. Nothing
    is logged but faults of this program.

    Args:
        reader: reads the pictures.
        server: the socket to serve at.
        limits: what one client may ask.
        say: prints the address.

    Raises:
        UserError: as `read_token`.
    """
    import uvicorn

    from svhn.serving.app import build_app
    from svhn.serving.desk import Desk

    token = read_token()
    EpsImagePlugin.gs_binary = False  # a picture in PostScript would be run by Ghostscript, which writes to disk
    host, port = server.getsockname()[:2]
    config = uvicorn.Config(
        build_app(Desk(reader, limits), token),
        log_level="error",
        access_log=False,
        lifespan="off",  # on a second Ctrl-C it would print a trace
        server_header=False,
        timeout_graceful_shutdown=int(limits.seconds) + GRACE,
    )
    shown = f"[{host}]" if ":" in host else host
    audience = "this machine alone" if ip_address(host).is_loopback else "all machines that reach it"
    key = f"who send the token of {TOKEN_VARIABLE}" if token else "without a token"
    address = f"http://{shown}:{port}/v1/read"
    line = f"Reading numbers at {address} for {audience}, {key}; described at /openapi.json; until Ctrl-C"

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            say(line)  # from here on, signals are heard

    with suppress(KeyboardInterrupt):  # which is how it is meant to end
        Server(config).run(sockets=[server])
