"""Transfer of files: resumed after a break, checked against their sha256, and named only when complete."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path

from svhn.download.remote import CHUNK, BrokenTransferError, Pause, Stream, open_stream, retry_attempt
from svhn.errors import Say, UserError, quote
from svhn.runtime.files import attach_filename, compute_sha256, describe_mismatch, flush_to_disk
from svhn.spec import Archive

CHECKSUM_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](?:\./)?(.+)")

Progress = Callable[[int, int | None], None]  # called with the bytes done, and with all bytes if known


def parse_checksums(text: str) -> dict[str, str]:
    """The sha256 of each file, by name, from the output of `sha256sum`. Raises `UserError` for any other text."""
    checksums = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = CHECKSUM_LINE.fullmatch(line.rstrip())
        if match is None:
            expected = "64 hexadecimal digits, two spaces and a file's name, as `sha256sum *` writes them"
            raise UserError(f"SHA256SUMS, line {number}: {quote(line)}: expected {expected}")
        checksums[match[2]] = match[1].lower()
    return checksums


def fetch_file(
    source: str, archive: Archive, folder: Path, progress: Progress, say: Say, pause: Pause = time.sleep
) -> None:
    """Fetch a file into `folder` and verify it. A `<filename>.part` of an earlier call is continued.

    Args:
        source: address (http, https or file) or path of a folder.
        archive: the file's name, with its size and sha256 if they are known.
        folder: where the file goes; made if it is missing.
        progress: called with the bytes done and the bytes in all; first, in each try, with those done before it.
        say: called with a line when a try has failed and another follows.
        pause: waits for a number of seconds between tries.

    Raises:
        UserError: the source can't be reached, lacks the file, or has a file that differs from the published one.
    """
    target = folder / archive.filename
    part = target.with_name(target.name + ".part")
    folder.mkdir(parents=True, exist_ok=True)
    checksum = retry_attempt(
        lambda: _try_transfer(source, archive, part, progress), lambda: _get_size(part), say, pause
    )
    problem = describe_mismatch(part, archive, checksum)
    if problem:
        part.unlink()
        remedy = "run the same command again, or check the mirror"
        raise UserError(f"{archive.filename}: {problem}: {remedy}")
    part.replace(target)


def _get_size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _try_transfer(source: str, archive: Archive, part: Path, progress: Progress) -> str:
    """Try once to complete the file `part`; returns its sha256."""
    offset = _get_size(part)
    if offset and offset == archive.size:
        return compute_sha256(part)
    with open_stream(source, archive.filename, offset) as stream:
        if archive.size is not None and stream.total is not None and archive.size != stream.total:
            remedy = "check --url; a set of your own needs a SHA256SUMS beside its archives"
            sizes = f"{source} has {stream.total:,} bytes of it, expected {archive.size:,}"
            raise UserError(f"{archive.filename}: {sizes}: {remedy}")
        return _append_stream(stream, part, progress)


def _append_stream(stream: Stream, part: Path, progress: Progress) -> str:
    """Write a stream's bytes into `part` from the stream's start on; returns the sha256 of the whole file."""
    done, digest = stream.start, hashlib.sha256()
    with attach_filename(part), part.open("r+b" if done else "wb") as file:
        while file.tell() < done:
            digest.update(file.read(CHUNK))
        progress(done, stream.total)
        while chunk := stream.read():
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            progress(done, stream.total)
        flush_to_disk(file)
    if stream.total is not None and done < stream.total:
        raise BrokenTransferError(f"{part.stem}: broke off after {done:,} of {stream.total:,} bytes")
    return digest.hexdigest()
