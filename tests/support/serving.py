"""Servers: a real process with the bundled networks, and one in a thread with a reader of one's own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from PIL import Image
from support.stub_reader import SeeingReader

from svhn.labels import Reading
from svhn.serving.app import build_app
from svhn.serving.desk import Desk
from svhn.serving.limits import Limits

ROOT = Path(__file__).parents[2]


@contextmanager
def start_process(folder: Path, token: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`svhn serve`, which may write only into a folder, and its address."""
    command = [sys.executable, "main.py", "serve", "--port=0", f"--checkpoints_dir={folder / 'none'}"]
    environment = {**os.environ, "TMPDIR": str(folder), **({"SVHN_TOKEN": token} if token else {})}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as server:  # type: ignore[call-overload]
        assert server.stdout
        line = server.stdout.readline()
        assert line.startswith("Reading numbers at http://"), line
        try:
            yield server, line.split()[3].removesuffix("/v1/read")
        finally:
            server.terminate()


class GatedReader(SeeingReader):
    """Reads `SEVERAL` everywhere, as soon as its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def _read_picture(self, image: Image.Image, each: Any, threshold: float | None = None) -> Reading:
        assert self.gate.wait(30)
        return super()._read_picture(image, each, threshold)


@contextmanager
def start_thread(reader: SeeingReader, limits: Limits) -> Iterator[httpx.Client]:
    """A client of a server in a thread of this process."""
    config = uvicorn.Config(build_app(Desk(reader, limits)), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
        try:
            yield client
        finally:
            server.should_exit = True
            thread.join()


def encode_picture(size: tuple[int, int] = (60, 40)) -> bytes:
    """The content of a PNG of one color."""
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, "PNG")
    return buffer.getvalue()
