"""The archives of a data set: chosen, fetched, verified and unpacked, each only if it has to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from svhn.download.remote import read_remote_text
from svhn.download.transfer import Progress, fetch_file, parse_checksums
from svhn.download.unpack import unpack_archive
from svhn.errors import Say, UserError, quote
from svhn.runtime.bars import make_bar
from svhn.runtime.files import describe_mismatch
from svhn.runtime.holding import hold_file
from svhn.spec import DRAWN, Archive, DatasetSpec

PACKED_SUFFIX = ".tar.gz"  # files of other suffixes are not unpacked

Sources = Mapping[str, tuple[Archive, ...]]  # archives by split


def download_dataset(
    spec: DatasetSpec, data_dir: Path, url: str, splits: Sequence[str], say: Say, pictures: int = 0
) -> None:
    """Fetch or draw a data set's sources into `data_dir`. Sources that are complete already are left as they are.

    Args:
        spec: the data set.
        data_dir: folder of the sources.
        url: address of a mirror, or a local folder; "" for the publisher.
        splits: names of sources; empty for all.
        say: called with a line for each step.
        pictures: number of training pictures to draw; 0 stands for the data set's own number.

    Raises:
        UserError: the source lacks a split, a file differs from the published one, or an option does not apply.
    """
    if spec.render is not None:
        if url or splits:
            raise UserError(f"{spec.name} is drawn as a whole and not fetched: leave out --url and --splits")
        say(f"{spec.name}: drawing it into {data_dir}")
        spec.render(data_dir, pictures)
        return
    if not any(spec.sources.values()):
        raise UserError(f"{spec.name} is not published: put your own pictures into {data_dir}")
    if pictures:
        raise UserError(f"{spec.name} is fetched and not drawn: leave out --pictures")
    _refuse_other_form(spec, data_dir)
    for split, archives in _select_splits(
        _list_available(spec, url, say), splits, url or spec.url or spec.name
    ).items():
        for archive in archives:
            _fetch_archive(spec, split, archive, data_dir, url or spec.url, say)


def _refuse_other_form(spec: DatasetSpec, data_dir: Path) -> None:
    """Raises `UserError` for a folder that holds a source in another form, such as MNIST as Kaggle's CSV."""
    for split, archives in spec.sources.items():
        paths = [data_dir / archive.filename for archive in archives]
        published = any(_is_packed(path) or path.exists() or _strip_gz_suffix(path).exists() for path in paths)
        if spec.present(data_dir, split) and not published:
            held = f"{data_dir} holds {split} of {spec.name}, but not as {_join_filenames(archives)}"
            raise UserError(f"{held}: to fetch them, choose another folder with --data_dir")


def _is_packed(path: Path) -> bool:
    return path.name.endswith(PACKED_SUFFIX)


def _strip_gz_suffix(path: Path) -> Path:
    """The path at which gunzip leaves the content of a .gz file; the same path for any other file."""
    return path.with_suffix("") if path.suffix == ".gz" else path


def _join_filenames(archives: Sequence[Archive]) -> str:
    return " and ".join(archive.filename for archive in archives)


def _list_available(spec: DatasetSpec, url: str, say: Say) -> Sources:
    """The splits that can be fetched, with their archives. A mirror's SHA256SUMS replaces the checksums of `spec`."""
    text = read_remote_text(url, "SHA256SUMS", say) if url else None
    if text is None:
        return spec.sources
    checksums = parse_checksums(text)
    sources = {
        split: tuple(Archive(archive.filename, sha256=checksums[archive.filename]) for archive in archives)
        for split, archives in spec.sources.items()
        if all(archive.filename in checksums for archive in archives)
    }
    if not sources:
        expected = ", or ".join(dict.fromkeys(map(_join_filenames, spec.sources.values())))
        raise UserError(f"{url}: SHA256SUMS names no split of {spec.name}: expected {expected}")
    return sources


def _select_splits(sources: Sources, splits: Sequence[str], source: str) -> Sources:
    for split in splits:
        if split not in sources:
            raise UserError(f"--splits: {source} has no {quote(split)}: expected {' or '.join(sources)}")
    return {split: sources[split] for split in splits} if splits else sources


def _fetch_archive(spec: DatasetSpec, split: str, archive: Archive, data_dir: Path, source: str, say: Say) -> None:
    """Fetch an archive, and unpack a .tar.gz, unless this is done already."""
    path = data_dir / archive.filename
    result = data_dir / split if _is_packed(path) else path
    if there := _find_unpacked(spec, path, result):
        say(f"{split}: {there} is there already")
        return
    verified = _is_verified(path, archive, say)
    if not verified and not source:
        raise UserError(_explain_no_source(spec, data_dir))
    if not verified or _is_packed(path):
        with hold_file(path, "choose another --data_dir"):  # of two processes, one would cut the other's file short
            if not _find_unpacked(spec, path, result):  # another process may have unpacked it since
                if not verified:
                    _fetch_with_progress(split, archive, data_dir, source, say)
                if _is_packed(path):
                    with _show_progress(f"unpacking {split}") as progress:
                        unpack_archive(path, result, progress)
    say(f"{split}: {result} is complete")


def _fetch_with_progress(split: str, archive: Archive, data_dir: Path, source: str, say: Say) -> None:
    say(f"{split}: fetching {archive.filename} from {source}")
    with _show_progress(archive.filename) as progress:
        fetch_file(source, archive, data_dir, progress, say)


def _find_unpacked(spec: DatasetSpec, path: Path, folder: Path) -> Path | None:
    """The unpacked content of an archive, if it is present: the folder of a .tar.gz, or the file that gunzip makes."""
    if not _is_packed(path):
        return _strip_gz_suffix(path) if _strip_gz_suffix(path) != path and _strip_gz_suffix(path).exists() else None
    if folder.exists() and not spec.present(folder.parent, folder.name):
        raise UserError(f"{folder} exists, but does not hold {spec.name}: move it away, or choose another --data_dir")
    if (folder / DRAWN).exists():
        raise UserError(f"{folder} holds drawn pictures, not {spec.name}: choose another --data_dir")
    return folder if folder.exists() else None


def _is_verified(path: Path, archive: Archive, say: Say) -> bool:
    """Whether the archive is present and as published. Raises `UserError` for another file that is not a .tar.gz.

    A damaged .tar.gz is fetched again, but a file of data may be the user's own and is never overwritten.
    """
    if archive.sha256 is None:
        extent = ": only its size is verified" if archive.size else " and no size: it is not verified"
        say(f"no checksum is published for {archive.filename}{extent}")
    if not path.exists():
        return False
    problem = describe_mismatch(path, archive)
    if problem and not _is_packed(path):
        raise UserError(f"{path} is not as published: {problem}: move it away, or choose another --data_dir")
    if problem:
        say(f"{path} does not match: {problem}: fetching it again")
    return not problem


def _explain_no_source(spec: DatasetSpec, data_dir: Path) -> str:
    names = ", ".join(dict.fromkeys(map(_join_filenames, spec.sources.values())))
    return f"{spec.name} has no known address: put {names} into {data_dir}, or name a mirror with --url"


@contextmanager
def _show_progress(title: str) -> Iterator[Progress]:
    """A progress bar with bytes, rate and remaining time."""
    with make_bar(desc=title, unit="B", unit_scale=True) as shown:
        started = False

        def move(done: int, total: int | None) -> None:
            nonlocal started
            shown.total = total
            if not started or done < shown.n:  # bytes of an earlier call don't count for the rate
                shown.initial = shown.n = done
            shown.update(done - shown.n)
            started = True

        yield move
