"""The pictures in a request: a file as the whole body, or the files of a form. They stay in memory, never on disk."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import FormParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from svhn.errors import shorten
from svhn.serving.limits import Limits

logging.getLogger("python_multipart").propagate = False  # it would print bytes of broken forms
logging.getLogger("python_multipart").addHandler(logging.NullHandler())

MEGABYTE = 1_000_000
FORM = "multipart/form-data"
MOST_FIELDS = 16  # of a form, besides its files
RAW = ("image/", "application/octet-stream")  # beginnings of the types of a body that is one picture


class Upload(NamedTuple):
    """A picture as it was sent: the name of its file, "" without one, and its content."""

    name: str
    content: bytes


class RefusedError(Exception):
    """A request that is refused: the status to answer, and the reason as the message."""

    def __init__(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status, self.headers = status, headers or {}


async def take_pictures(request: Request, limits: Limits, deadline: float) -> list[Upload]:
    """The pictures of a request.

    Args:
        request: the request.
        limits: what it may hold.
        deadline: the latest moment to have it, as `Desk.take_request` yields it.

    Raises:
        RefusedError: the body is too large, too slow, of another type, incomplete or no form, or holds no picture or
            too many.
    """
    try:
        async with asyncio.timeout_at(deadline):
            return await _take_body(request, limits)
    except TimeoutError as error:
        raise RefusedError(408, f"the body did not come within {limits.seconds:g} seconds") from error


async def _take_body(request: Request, limits: Limits) -> list[Upload]:
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith(FORM):
        return await _take_form(request, limits)
    if kind and not kind.startswith(RAW):
        raise RefusedError(415, f"a body of type {kind[:80]}: expected image/*, application/octet-stream or {FORM}")
    content = b"".join([chunk async for chunk in _stream_body(request, limits)])
    if not content:
        raise RefusedError(400, "the body is empty: send a picture, or a form with pictures")
    return [Upload("", content)]


async def _take_form(request: Request, limits: Limits) -> list[Upload]:
    boundary = parse_options_header(request.headers["content-type"])[1].get(b"boundary")
    fields: list[Any] = []
    files: list[Any] = []
    ends: list[None] = []  # one, once the last boundary was seen
    try:
        options = fields.append, files.append, lambda: ends.append(None), boundary
        parser = FormParser(FORM, *options, config={"MAX_MEMORY_FILE_SIZE": math.inf})  # a larger file goes to disk
        async for chunk in _stream_body(request, limits):
            parser.write(chunk)
            if len(files) > limits.pictures:
                raise RefusedError(400, f"the form holds more than {limits.pictures} files: send fewer at once")
            if len(fields) > MOST_FIELDS:
                raise RefusedError(
                    400, f"the form holds more than {MOST_FIELDS} fields besides its files: leave them out"
                )
    except FormParserError as error:
        raise RefusedError(400, f"the form can't be read: {shorten(error)}") from error
    if not ends:
        raise RefusedError(400, "the form ends before its last boundary: send it whole")
    if not files:
        raise RefusedError(400, "the form holds no file: send each picture as a file")
    return [Upload((file.file_name or b"").decode(errors="replace"), file.file_object.getvalue()) for file in files]


async def _stream_body(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    """The body's parts as they come. Raises `RefusedError` as soon as the body is too large, or if it ends early."""
    declared = request.headers.get("content-length", "")
    _check_size(int(declared) if declared.isdecimal() else 0, limits)
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            _check_size(size, limits)
            yield chunk
    except ClientDisconnect as error:
        raise RefusedError(400, "the body ended early") from error


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.megabytes * MEGABYTE:
        raise RefusedError(
            413, f"the body is larger than {limits.megabytes:g} MB: send smaller or fewer pictures at once"
        )
