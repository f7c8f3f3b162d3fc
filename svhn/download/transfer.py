"""Files from a source to this machine: whole or absent, resumed, checked against their sha256."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path

from svhn.download.remote import CHUNK, BrokenTransferError, Pause, Stream, open_stream, retry_attempt
from svhn.errors import Say, UserError
from svhn.runtime.files import attach_filename, compute_sha256, flush_to_disk
from svhn.spec import Archive

CHECKSUM_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](?:\./)?(.+)")

Progress = Callable[[int, int | None], None]  # bytes done, and in all where that is known


def parse_checksums(text: str) -> dict[str, str]:
    """The sha256 of each file that the output of `sha256sum` names."""
    checksums = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = CHECKSUM_LINE.fullmatch(line.rstrip())
        if match is None:
            expected = "64 hexadecimal digits, two spaces and a file's name, as `sha256sum *` writes them"
            raise UserError(f"SHA256SUMS, line {number}: {line[:80]!r}: expected {expected}")
        checksums[match[2]] = match[1].lower()
    return checksums


def describe_mismatch(path: Path, archive: Archive, checksum: str | None = None) -> str:
    """How a file differs from what is published about it, or "" where it doesn't.

    Args:
        path: the file.
        archive: its published size and sha256.
        checksum: the file's own sha256, where it has been computed already.
    """
    size = path.stat().st_size
    if archive.size is not None and archive.size != size:
        return f"it has {size:,} bytes, expected {archive.size:,}"
    if archive.sha256 is None:
        return ""
    checksum = checksum or compute_sha256(path)
    return "" if checksum == archive.sha256 else f"sha256 is {checksum}, expected {archive.sha256}"


def fetch_file(
    source: str, archive: Archive, folder: Path, progress: Progress, say: Say, pause: Pause = time.sleep
) -> None:
    """Bring a file into `folder`, verified; go on with what an earlier call left unfinished as `<filename>.part`.

    Args:
        source: http, https or file address of a folder, or the folder's path.
        archive: the file's name, with its size and sha256 where they are known.
        folder: where it goes; made where needed.
        progress: called with the bytes done and in all; its first call in each try tells where that starts.
        say: called with a line when a try has failed and another follows.
        pause: waits for so many seconds between tries.

    Raises:
        UserError: the source can't be reached, lacks the file or has another one than is published.
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
        remedy = "the file was damaged or replaced on its way; run the same command again, or check the mirror"
        raise UserError(f"{archive.filename}: {problem}: {remedy}")
    part.replace(target)


def _get_size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _try_transfer(source: str, archive: Archive, part: Path, progress: Progress) -> str:
    """One try to complete `part`; returns its sha256."""
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
