"""A small web server for the tests of downloads, with the faults that real ones have, and archives to serve."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from svhn.spec import Archive

PIECE = 4096  # bytes


class Request(NamedTuple):
    filename: str
    range: str
    status: int


@dataclass
class Mirror:
    """What a server serves, its faults, and what it was asked.

    Args:
        folder: its files.
        ranges: whether it goes on from the byte that it is asked for.
        shift: bytes by which its answers to a Range are wrong.
        lengths: whether it tells how long its files are.
        failures: status codes of its next answers.
        cuts: bytes after which its next answers break off.
        pause: seconds before each `PIECE`.
    """

    folder: Path
    ranges: bool = True
    shift: int = 0
    lengths: bool = True
    failures: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    pause: float = 0.0
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    def asked(self, filename: str) -> list[tuple[str, int]]:
        """Range and status of each request for a file."""
        return [(request.range, request.status) for request in self.requests if request.filename == filename]


@contextmanager
def serve(folder: Path) -> Iterator[Mirror]:
    folder.mkdir(parents=True, exist_ok=True)
    mirror = Mirror(folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, mirror)) as server:
        mirror.url = f"http://127.0.0.1:{server.server_port}/files"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield mirror
        finally:
            mirror.pause = 0.0
            server.shutdown()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    def __init__(self, mirror: Mirror, *args: object) -> None:
        self.mirror = mirror
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = self.mirror.folder / Path(self.path).name
        if self.mirror.failures:
            self.answer(self.mirror.failures.pop(0), {}, b"fault")
        elif Path(self.path).parent != Path("/files") or not path.is_file():
            self.answer(404, {}, b"absent")
        else:
            self.answer_file(path.read_bytes())

    def answer_file(self, content: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked is None or not self.mirror.ranges:
            self.answer(200, {}, content)
        elif int(asked[1]) >= len(content):
            self.answer(416, {"Content-Range": f"bytes */{len(content)}"}, b"no such range")
        else:
            start = int(asked[1]) + self.mirror.shift
            extent = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.answer(206, {"Content-Range": extent}, content[start:])

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.mirror.requests.append(Request(Path(self.path).name, self.headers.get("Range", ""), status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.mirror.lengths:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = self.mirror.cuts.pop(0) if self.mirror.cuts and status in (200, 206) else len(body)
        self.send_slowly(body[:cut])

    def send_slowly(self, body: bytes) -> None:
        for start in range(0, len(body), PIECE):
            time.sleep(self.mirror.pause)
            try:
                self.wfile.write(body[start : start + PIECE])
            except ConnectionError:  # the client was killed
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives
        pass


def pack(path: Path, files: dict[str, bytes]) -> Archive:
    """Make `<split>.tar.gz` of the files; returns what is to be published about it."""
    split = path.name.partition(".")[0]
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{split}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    content = path.read_bytes()
    return Archive(path.name, len(content), hashlib.sha256(content).hexdigest())


def publish(folder: Path, *archives: Archive) -> None:
    lines = [f"{archive.sha256}  {archive.filename}\n" for archive in archives]
    (folder / "SHA256SUMS").write_text("".join(lines))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
