"""Archives unpacked into a temporary folder that takes its name only when it is complete."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from svhn.download.remote import CHUNK
from svhn.download.transfer import Progress
from svhn.errors import UserError
from svhn.runtime.files import attach_filename


def unpack_archive(archive: Path, folder: Path, progress: Progress) -> None:
    """Unpack the folder `<folder.name>/` of a .tar.gz as `folder`, which appears only when it is complete.

    Args:
        archive: the file.
        folder: the result. Other members of the archive are left out.
        progress: called with the archive's bytes done and its bytes in all.

    Raises:
        UserError: the archive is damaged, lacks the folder, or has a member that is a link, a device or outside.
    """
    unfinished = folder.with_name(folder.name + ".partial")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(parents=True)
    try:
        with attach_filename(unfinished):
            _extract_folder(archive, unfinished, folder.name, progress)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _extract_folder(archive: Path, unfinished: Path, root: str, progress: Progress) -> None:
    total = archive.stat().st_size
    name, tops = "its start", set()
    try:
        with archive.open("rb") as packed, gzip.open(packed) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # pyright: ignore[reportAttributeAccessIssue] - or it keeps every member in memory
                name = member.name
                top, *rest = _split_safe_path(archive, member)
                tops.add(top)
                if top == root and rest:
                    tar.extract(member.replace(name="/".join(rest), deep=False), unfinished, filter="data")
                progress(packed.tell(), total)
            while plain.read(CHUNK):  # gzip compares its checksum only at the end
                pass
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError) as error:
        raise UserError(
            f"{archive}: can't be unpacked beyond {name} ({error}): move it away and run the same command again"
        ) from error
    if root not in tops:
        raise UserError(f"{archive}: expected a folder {root}/ in it, found {', '.join(sorted(tops)[:5]) or 'nothing'}")


def _split_safe_path(archive: Path, member: tarfile.TarInfo) -> tuple[str, ...]:
    """The parts of a member's path. Raises `UserError` for a member that could write outside its folder.

    The filter of `tarfile` is not enough: it makes absolute paths relative, and CVE-2025-4517 evaded it with links.
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
    remedy = "expected only files and folders inside it; nothing was unpacked: get the archive from its publisher"
    raise UserError(f"{archive}: {member.name!r} is {problem}: {remedy}")
