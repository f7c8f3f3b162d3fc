"""What `svhn serve` answers on this machine, beside `svhn read` on the same pictures in the same run.

    python -m benchmarks.serving --pictures=data/test [--count=1000] [--clients=1,8,32] [--long=20000]

The clients are threads of this process. Each has one connection on loopback, and sends one picture after another. The
last line sends `--long` pictures by the most clients, and prints the server's memory (PSS) on the way. The direct calls
are `Reader.read` of the same contents, one at a time. This program needs Linux.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import svhn
from benchmarks.reading import ROOT, link_pictures, list_pictures, make_command, measure_command, measure_memory

WARM_UP = 50  # pictures sent before anything is measured


class Load(NamedTuple):
    """Pictures a second, and the milliseconds of each answer."""

    rate: float
    milliseconds: list[float]

    def describe(self) -> str:
        cuts = statistics.quantiles(self.milliseconds, n=100)
        return f"{self.rate:10.1f} {cuts[49]:10.1f} {cuts[98]:10.1f}"


@contextmanager
def start_server() -> Iterator[tuple[str, int, int]]:
    """`svhn serve` with the bundled networks: its host, port and process."""
    command = [sys.executable, str(ROOT / "main.py"), "serve", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        address = urlsplit(next(word for word in server.stdout.readline().split() if word.startswith("http")))
        try:
            yield address.hostname or "", address.port or 0, server.pid
        finally:
            server.terminate()


def send_pictures(host: str, port: int, contents: Iterator[bytes], milliseconds: list[float]) -> None:
    """Send pictures over one connection, and note how long each answer took. Raises `OSError` if one is refused."""
    connection = http.client.HTTPConnection(host, port, timeout=120)
    for content in contents:
        began = time.perf_counter()
        connection.request("POST", "/v1/read", content, {"Content-Type": "application/octet-stream"})
        answer = connection.getresponse()
        answer.read()
        milliseconds.append(1000 * (time.perf_counter() - began))
        if answer.status != http.client.OK:
            raise OSError(f"the server answered {answer.status}")
    connection.close()


def measure_load(host: str, port: int, contents: Sequence[bytes], count: int, clients: int) -> Load:
    """Send so many pictures, by so many clients at once."""
    shared, lock = iter(itertools.islice(itertools.cycle(contents), count)), threading.Lock()
    milliseconds: list[float] = []

    def take() -> Iterator[bytes]:
        while True:
            with lock:
                content = next(shared, None)
            if content is None:
                return
            yield content

    threads = [threading.Thread(target=send_pictures, args=(host, port, take(), milliseconds)) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(milliseconds) != count:
        raise OSError(f"{count - len(milliseconds)} of {count} pictures were not answered")
    return Load(count / (time.perf_counter() - began), milliseconds)


def measure_calls(read: Callable[[bytes], object], contents: Sequence[bytes]) -> Load:
    """Call a function on each picture, one at a time."""
    milliseconds = []
    for content in contents:
        began = time.perf_counter()
        read(content)
        milliseconds.append(1000 * (time.perf_counter() - began))
    return Load(1000 * len(contents) / sum(milliseconds), milliseconds)


def measure_command_rate(pictures: Path, count: int) -> float:
    """Pictures a second of `svhn read` on a folder, less the seconds of its start with one picture."""
    with tempfile.TemporaryDirectory() as name:
        many, one = link_pictures(pictures, Path(name) / "many", count), link_pictures(pictures, Path(name) / "one", 1)
        start = measure_command(make_command(ROOT, one), Path(name)).wall
        return (count - 1) / (measure_command(make_command(ROOT, many), Path(name)).wall - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--count", type=int, default=1000, help="pictures of each line but the last")
    parser.add_argument("--clients", default="1,8,32", help="clients at once, comma-separated")
    parser.add_argument("--long", type=int, default=20_000, help="pictures of the last line; 0 for no last line")
    args = parser.parse_args()
    clients = [int(each) for each in args.clients.split(",")]
    contents = [path.read_bytes() for path in list_pictures(args.pictures)[: args.count]]
    if not contents:
        parser.error(f"--pictures={args.pictures}: expected a folder of .png or .jpg")
    print(f"{'':24} {'pictures/s':>10} {'p50 ms':>10} {'p99 ms':>10}")
    print(f"{'svhn read':24} {measure_command_rate(args.pictures, len(contents)):10.1f}", flush=True)
    reader = svhn.Reader.load(threads=1)
    reader.read(contents[:WARM_UP])
    print(f"{'direct calls':24} {measure_calls(reader.read, contents).describe()}", flush=True)
    with start_server() as (host, port, process):
        measure_load(host, port, contents, WARM_UP, max(clients))
        for each in clients:
            load = measure_load(host, port, contents, len(contents), each)
            print(f"{f'served, {each} clients':24} {load.describe()}", flush=True)
        for part in range(4 if args.long else 0):
            load = measure_load(host, port, contents, args.long // 4, max(clients))
            memory = measure_memory([process])
            print(f"{f'{(part + 1) * args.long // 4:,} served':24} {load.describe()} {memory:8.0f} MB", flush=True)


if __name__ == "__main__":
    main()
