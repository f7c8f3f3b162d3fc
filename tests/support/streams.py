"""A camera on loopback: it streams a file to one client after another, by RTSP or as it is by TCP, and breaks.

    python tests/support/streams.py tcp|rtsp FILE.ts CLIENTS SECONDS

It prints its port, sends the file within so many seconds to each of so many clients, closes each connection, and ends.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PACKET = 7 * 188  # bytes: the most packets of MPEG-TS that a packet of RTP holds
SESSION = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track\r\n"
ANSWERS = {
    "OPTIONS": ("Public: DESCRIBE, SETUP, PLAY", ""),
    "DESCRIBE": ("Content-Type: application/sdp", SESSION),
    "SETUP": ("Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1", ""),
    "PLAY": ("Session: 1", ""),
}


@contextmanager
def start_camera(kind: str, clip: Path, clients: int, seconds: float) -> Iterator[str]:
    """The address of a camera in a process of its own."""
    command = [sys.executable, __file__, kind, str(clip), str(clients), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as camera:
        assert camera.stdout
        port = int(camera.stdout.readline())
        try:
            yield f"{kind}://127.0.0.1:{port}/door" if kind == "rtsp" else f"{kind}://127.0.0.1:{port}"
        finally:
            camera.kill()


def _send(client: socket.socket, kind: str, content: bytes, seconds: float) -> None:
    if kind == "rtsp":
        _agree(client)
    packets = [content[start : start + PACKET] for start in range(0, len(content), PACKET)]
    for number, packet in enumerate(packets):
        if kind == "rtsp":
            header = struct.pack(">BBHII", 0x80, 33, number, int(90_000 * seconds * number / len(packets)), 1)
            packet = struct.pack(">cBH", b"$", 0, len(header) + len(packet)) + header + packet
        client.sendall(packet)
        time.sleep(seconds / len(packets))


def _agree(client: socket.socket) -> None:
    """Answer the requests until the client asks for the packets."""
    method = ""
    with client.makefile("rb") as lines:
        while method != "PLAY":
            method = lines.readline().decode().split(" ")[0]
            fields = {}
            while line := lines.readline().decode().strip():
                name, _, value = line.partition(":")
                fields[name] = value.strip()
            header, body = ANSWERS[method]
            answer = (
                f"RTSP/1.0 200 OK\r\nCSeq: {fields['CSeq']}\r\n{header}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            )
            client.sendall(answer.encode())


def main() -> None:
    kind, clip, clients, seconds = sys.argv[1:]
    content = Path(clip).read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        for _ in range(int(clients)):
            client, _ = server.accept()
            with client, suppress(ConnectionError):
                _send(client, kind, content, float(seconds))


if __name__ == "__main__":
    main()
