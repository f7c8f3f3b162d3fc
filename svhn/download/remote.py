"""Where files come from: a server or a folder, read from any byte on, with patience for what may pass."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from svhn.errors import Say, UserError

CHUNK = 1 << 16  # bytes
TIMEOUT = 30.0  # seconds without a byte
TRIES = 5  # in a row, none of which brought anything new
TEMPORARY_STATUS = {408, 429, 500, 502, 503, 504}
ABSENT_STATUS = {403, 404, 410}  # 403 is what object stores answer for a file that isn't there
CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")  # RFC 9110, 14.4
Pause = Callable[[float], None]
T = TypeVar("T")


class MissingFileError(UserError):
    """The source doesn't have this file."""


class BrokenTransferError(Exception):
    """A transfer that failed for a reason that may pass."""


class Stream(NamedTuple):
    """Bytes of a source's file: `read()` gives the next ones, b"" at the end; `total` counts from the file's start."""

    read: Callable[[], bytes]
    start: int
    total: int | None


@contextmanager
def open_stream(source: str, filename: str, offset: int) -> Iterator[Stream]:
    """A source's file from the byte `offset` on, or from its start where that can't be.

    Args:
        source: http, https or file address of a folder, or the folder's path.
        filename: the file's name in it.
        offset: bytes that are there already.

    Raises:
        MissingFileError: the source doesn't have the file.
        BrokenTransferError: another try may succeed.
    """
    folder = _get_local_folder(source)
    if folder is None:
        with _open_url(f"{source.rstrip('/')}/{urllib.parse.quote(filename)}", offset) as stream:
            yield stream
        return
    path = folder / filename
    if not path.is_file():
        raise MissingFileError(f"{path}: there is no such file: check --url")
    with path.open("rb") as file:
        size = path.stat().st_size
        start = file.seek(offset if offset <= size else 0)
        yield Stream(partial(file.read, CHUNK), start, size)


def retry_attempt(attempt: Callable[[], T], reached: Callable[[], int], say: Say, pause: Pause) -> T:
    """Repeat an attempt that breaks off, with growing pauses, until `TRIES` in a row get no further than before."""
    furthest, failures = reached(), 0
    while True:
        try:
            return attempt()
        except BrokenTransferError as error:
            failures = failures + 1 if reached() <= furthest else 1
            furthest = max(furthest, reached())
            if failures == TRIES:
                remedy = "check the connection and --url; the same command goes on from here"
                raise UserError(f"{error}: {TRIES} tries failed: {remedy}") from error
            delay = 2.0 ** (failures - 1)
            say(f"{error}: trying again in {delay:.0f} s")
            pause(delay)


def read_remote_text(source: str, filename: str, say: Say, pause: Pause = time.sleep) -> str | None:
    """A small text file of a source, or None where the source doesn't have it."""

    def attempt() -> str:
        with open_stream(source, filename, 0) as stream:
            return b"".join(iter(stream.read, b"")).decode("utf-8", errors="replace")

    try:
        return retry_attempt(attempt, lambda: 0, say, pause)
    except MissingFileError:
        return None


def _get_local_folder(source: str) -> Path | None:
    """The folder that a source names, or None where it is a server."""
    scheme, separator, _ = source.partition("://")
    if not separator:
        return Path(source)
    if scheme == "file":
        return Path(urllib.request.url2pathname(urllib.parse.urlsplit(source).path))
    if scheme not in ("http", "https"):
        raise UserError(f"--url={source}: expected http://, https://, file:// or a folder")
    return None


@contextmanager
def _open_url(url: str, offset: int) -> Iterator[Stream]:
    with _send_request(url, offset) as answer:
        start, total = _parse_content_range(answer)
        if answer.status == 200:
            yield Stream(partial(_receive_chunk, answer, url), 0, total)
        elif answer.status == 206 and start == offset:
            yield Stream(partial(_receive_chunk, answer, url), offset, total)
        elif answer.status == 416 and total == offset:  # all of it is there already
            yield Stream(lambda: b"", offset, total)
        elif offset and answer.status in (206, 416):
            with _open_url(url, 0) as stream:
                yield stream
        else:
            raise _make_status_error(url, answer.status, answer.reason)


def _send_request(url: str, offset: int) -> Any:
    """The server's answer, whatever its status: an `HTTPResponse`, or an `HTTPError`, which is read like one."""
    try:
        request = urllib.request.Request(url, headers={"Range": f"bytes={offset}-"} if offset else {})
        return urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as answer:
        return answer
    except (ValueError, http.client.InvalidURL) as error:
        raise UserError(f"{url}: this is no address ({error}): check --url") from error
    except (OSError, http.client.HTTPException) as error:
        raise BrokenTransferError(f"{url}: {getattr(error, 'reason', error)}") from error


def _parse_content_range(answer: Any) -> tuple[int | None, int | None]:
    """The answer's first byte and the length of the whole file, as far as its headers tell."""
    match = CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if match is not None:
        start, total = (int(text) if text and text != "*" else None for text in match.groups())
        return start, total
    length = answer.headers.get("Content-Length", "")
    return None, int(length) if answer.status == 200 and length.isdecimal() else None


def _receive_chunk(answer: Any, url: str) -> bytes:
    try:
        return answer.read(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise BrokenTransferError(f"{url}: {error}") from error


def _make_status_error(url: str, status: int, reason: str) -> Exception:
    if status in TEMPORARY_STATUS:
        return BrokenTransferError(f"{url}: the server answers {status} {reason}")
    kind = MissingFileError if status in ABSENT_STATUS else UserError
    return kind(f"{url}: the server answers {status} {reason}: check --url")
