"""Files of a server or a folder, read from any byte on. Failures that may pass are tried again."""

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

from svhn.errors import Say, UserError, shorten

CHUNK = 1 << 16  # bytes
TIMEOUT = 30.0  # seconds without a byte
TRIES = 5  # in a row that get no further before the transfer is given up
TEMPORARY_STATUS = {408, 429, 500, 502, 503, 504}
ABSENT_STATUS = {403, 404, 410}  # object stores answer 403 for a missing file
CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")  # RFC 9110, 14.4
Pause = Callable[[float], None]  # waits for a number of seconds
T = TypeVar("T")


class MissingFileError(UserError):
    """The source does not have the file."""


class BrokenTransferError(Exception):
    """A transfer that failed for a reason that may pass."""


class Stream(NamedTuple):
    """A source's file, open for reading.

    Args:
        read: returns the next bytes; b"" at the end.
        start: place of the first byte in the file.
        total: bytes of the whole file, from its start; None if the server sends no length.
    """

    read: Callable[[], bytes]
    start: int
    total: int | None


@contextmanager
def open_stream(source: str, filename: str, offset: int) -> Iterator[Stream]:
    """A source's file from the byte `offset` on, or from its start if the server can't do that.

    Args:
        source: address (http, https or file) or path of a folder.
        filename: the file's name in the folder.
        offset: number of bytes that were read before.

    Raises:
        MissingFileError: the source does not have the file.
        BrokenTransferError: another try may succeed.
    """
    folder = _get_local_folder(source)
    if folder is None:
        with _open_url(f"{source.rstrip('/')}/{urllib.parse.quote(filename)}", offset) as stream:
            yield stream
        return
    path = folder / filename
    if not path.is_file():
        raise MissingFileError(f"{path} is missing: check --url")
    with path.open("rb") as file:
        size = path.stat().st_size
        start = file.seek(offset if offset <= size else 0)
        yield Stream(partial(file.read, CHUNK), start, size)


def retry_attempt(attempt: Callable[[], T], reached: Callable[[], int], say: Say, pause: Pause) -> T:
    """Repeat an attempt that breaks off, with growing pauses, until `TRIES` in a row get no further.

    Args:
        attempt: raises `BrokenTransferError` if another try may succeed.
        reached: returns the number of bytes that are done.
        say: called with a line before each pause.
        pause: waits for a number of seconds.

    Raises:
        UserError: the last of `TRIES` attempts failed.
    """
    furthest, failures = reached(), 0
    while True:
        try:
            return attempt()
        except BrokenTransferError as error:
            failures = failures + 1 if reached() <= furthest else 1
            furthest = max(furthest, reached())
            if failures == TRIES:
                remedy = "check the connection and --url, then run the same command again: it resumes here"
                raise UserError(f"{error}: {TRIES} tries failed: {remedy}") from error
            delay = 2.0 ** (failures - 1)
            say(f"{error}: trying again in {delay:.0f} s")
            pause(delay)


def read_remote_text(source: str, filename: str, say: Say, pause: Pause = time.sleep) -> str | None:
    """A small text file of a source; None if the source does not have it."""

    def attempt() -> str:
        with open_stream(source, filename, 0) as stream:
            return b"".join(iter(stream.read, b"")).decode("utf-8", errors="replace")

    try:
        return retry_attempt(attempt, lambda: 0, say, pause)
    except MissingFileError:
        return None


def _get_local_folder(source: str) -> Path | None:
    """The local folder that a source names; None for a server."""
    scheme, separator, _ = source.partition("://")
    if not separator:
        return Path(source)
    if scheme == "file":
        return Path(urllib.request.url2pathname(urllib.parse.urlsplit(source).path))
    if scheme not in ("http", "https"):
        raise UserError(f"--url={shorten(source)}: expected http://, https://, file:// or a folder")
    return None


@contextmanager
def _open_url(url: str, offset: int) -> Iterator[Stream]:
    with _send_request(url, offset) as answer:
        start, total = _parse_content_range(answer)
        if answer.status == 200:
            yield Stream(partial(_receive_chunk, answer, url), 0, total)
        elif answer.status == 206 and start == offset:
            yield Stream(partial(_receive_chunk, answer, url), offset, total)
        elif answer.status == 416 and total == offset:  # the file was read to its end before
            yield Stream(lambda: b"", offset, total)
        elif offset and answer.status in (206, 416):
            with _open_url(url, 0) as stream:
                yield stream
        else:
            raise _make_status_error(url, answer.status, answer.reason)


def _send_request(url: str, offset: int) -> Any:
    """The server's answer with any status: an `HTTPResponse`, or an `HTTPError`, which has the same methods."""
    try:
        request = urllib.request.Request(url, headers={"Range": f"bytes={offset}-"} if offset else {})
        return urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as answer:
        return answer
    except (ValueError, http.client.InvalidURL) as error:
        raise UserError(f"{shorten(url)} is not an address ({shorten(error)}): check --url") from error
    except (OSError, http.client.HTTPException) as error:
        raise BrokenTransferError(f"{url}: {getattr(error, 'reason', error)}") from error


def _parse_content_range(answer: Any) -> tuple[int | None, int | None]:
    """The place of the answer's first byte, and the bytes of the whole file; None for what the headers lack."""
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
