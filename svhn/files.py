"""Files that are whole or not there: verified, resumable transfers, atomic writing, safe unpacking."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from svhn.config import UserError
from svhn.sources import CHUNK, BrokenTransferError, Pause, Report, Stream, opened, retried
from svhn.spec import Archive

CHECKSUM_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](?:\./)?(.+)")

Progress = Callable[[int, int | None], None]  # bytes done, and in all where that is known


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def atomic_write(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """A file that takes its name only once it is written and on the disk; on an error the old one stays.

    Args:
        path: the name to be; its folder exists.
        mode: "wb", or "w" for UTF-8 text whose line ends stay as they are given.
    """
    temporary = path.with_name(path.name + ".tmp")
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "")
    try:
        with naming(temporary), temporary.open(mode, encoding=encoding, newline=newline) as file:
            yield file
            to_disk(file)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: object, sort_keys: bool = False) -> None:
    """At once or not at all, as `atomic_write`."""
    with atomic_write(path, "w") as file:
        json.dump(content, file, indent=1, sort_keys=sort_keys)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add the file's name to an error of writing, which the system reports without one."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def read_checksums(text: str) -> dict[str, str]:
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


def mismatch(path: Path, archive: Archive, checksum: str | None = None) -> str:
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
    checksum = checksum or sha256(path)
    return "" if checksum == archive.sha256 else f"sha256 is {checksum}, expected {archive.sha256}"


def fetch(
    source: str, archive: Archive, folder: Path, progress: Progress, report: Report, pause: Pause = time.sleep
) -> None:
    """Bring a file into `folder`, verified; go on with what an earlier call left unfinished as `<filename>.part`.

    Args:
        source: http, https or file address of a folder, or the folder's path.
        archive: the file's name, with its size and sha256 where they are known.
        folder: where it goes; made where needed.
        progress: called with the bytes done and in all; its first call in each try tells where that starts.
        report: called with a line when a try has failed and another follows.
        pause: waits for so many seconds between tries.

    Raises:
        UserError: the source can't be reached, lacks the file or has another one than is published.
    """
    target = folder / archive.filename
    part = target.with_name(target.name + ".part")
    folder.mkdir(parents=True, exist_ok=True)
    checksum = retried(lambda: transfer(source, archive, part, progress), lambda: size_of(part), report, pause)
    problem = mismatch(part, archive, checksum)
    if problem:
        part.unlink()
        remedy = "the file was damaged or replaced on its way; run the same command again, or check the mirror"
        raise UserError(f"{archive.filename}: {problem}: {remedy}")
    part.replace(target)


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def transfer(source: str, archive: Archive, part: Path, progress: Progress) -> str:
    """One try to complete `part`; returns its sha256."""
    offset = size_of(part)
    if offset and offset == archive.size:
        return sha256(part)
    with opened(source, archive.filename, offset) as stream:
        if archive.size is not None and stream.total is not None and archive.size != stream.total:
            remedy = "check --url; a set of your own needs a SHA256SUMS beside its archives"
            sizes = f"{source} has {stream.total:,} bytes of it, expected {archive.size:,}"
            raise UserError(f"{archive.filename}: {sizes}: {remedy}")
        return append(stream, part, progress)


def append(stream: Stream, part: Path, progress: Progress) -> str:
    done, digest = stream.start, hashlib.sha256()
    with naming(part), part.open("r+b" if done else "wb") as file:
        while file.tell() < done:
            digest.update(file.read(CHUNK))
        progress(done, stream.total)
        while chunk := stream.read():
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            progress(done, stream.total)
        to_disk(file)
    if stream.total is not None and done < stream.total:
        raise BrokenTransferError(f"{part.stem}: broke off after {done:,} of {stream.total:,} bytes")
    return digest.hexdigest()


def unpack(archive: Path, folder: Path, progress: Progress) -> None:
    """Unpack what a .tar.gz holds under `<folder's name>/` into `folder`, which appears only when it is complete.

    Args:
        archive: the file.
        folder: the result; what the archive holds beside it is left out.
        progress: called with the archive's bytes done and in all.

    Raises:
        UserError: the archive is damaged, lacks the folder, or holds anything but files and folders with paths inside.
    """
    unfinished = folder.with_name(folder.name + ".partial")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(parents=True)
    try:
        with naming(unfinished):
            extract(archive, unfinished, folder.name, progress)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def extract(archive: Path, unfinished: Path, root: str, progress: Progress) -> None:
    total = archive.stat().st_size
    name, tops = "none", set()
    try:
        with archive.open("rb") as packed, gzip.open(packed) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # pyright: ignore[reportAttributeAccessIssue] - it would keep all that it has met
                name = member.name
                top, *rest = safe_parts(archive, member)
                tops.add(top)
                if top == root and rest:
                    tar.extract(member.replace(name="/".join(rest), deep=False), unfinished, filter="data")
                progress(packed.tell(), total)
            while plain.read(CHUNK):  # only at its end does gzip compare its own checksum
                pass
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError) as error:
        raise UserError(
            f"{archive}: damaged, last member read: {name} ({error}): delete it and run the same command again"
        ) from error
    if root not in tops:
        raise UserError(f"{archive}: expected a folder {root}/ in it, found {', '.join(sorted(tops)[:5]) or 'nothing'}")


def safe_parts(archive: Path, member: tarfile.TarInfo) -> tuple[str, ...]:
    """The parts of a member's path; a `UserError` for one that could write outside its folder.

    tarfile's own filter is not enough: it makes absolute paths relative, and CVE-2025-4517 got round it by links.
    """
    path = PurePosixPath(member.name)
    if path.is_absolute():
        problem = "an absolute path"
    elif ".." in path.parts:
        problem = "a path that leads outside"
    elif not (member.isreg() or member.isdir()):
        problem = "a link" if member.issym() or member.islnk() else "a device or pipe"
    else:
        return path.parts or (".",)
    remedy = "expected only files and folders inside; nothing was unpacked; get the archive from its publisher"
    raise UserError(f"{archive}: {member.name!r} is {problem}: {remedy}")
