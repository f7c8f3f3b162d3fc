"""Fetch a data set's archives, verify and unpack them: python -m svhn.download [--splits=train,test] [--url=MIRROR]"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from absl import flags
from tqdm import tqdm

from svhn import shell
from svhn.config import Config, Paths, UserError, lookup
from svhn.files import Progress, fetch, mismatch, read_checksums, unpack
from svhn.sources import Report, read_text
from svhn.spec import Archive, DatasetSpec

PACKED = ".tar.gz"


def download(spec: DatasetSpec, data_dir: Path, url: str, splits: Sequence[str], report: Report) -> None:
    """Bring a data set's sources into `data_dir`; what is complete already is left as it is.

    Args:
        spec: the data set.
        data_dir: folder of the sources.
        url: mirror or local folder; "" for the publisher.
        splits: which sources; none for all that there are.
        report: called with a line for each thing done.

    Raises:
        UserError: what is asked for isn't offered, or isn't what was published.
    """
    if spec.render is not None:
        draw(spec, data_dir, url, splits, report)
        return
    for split, archive in chosen(offered(spec, url, report), splits, url or spec.url or spec.name).items():
        bring(spec, split, archive, data_dir, url or spec.url, report)


def draw(spec: DatasetSpec, data_dir: Path, url: str, splits: Sequence[str], report: Report) -> None:
    if url or splits or spec.render is None:
        raise UserError(f"{spec.name} is drawn here, all of it: leave out --url and --splits")
    report(f"{spec.name}: drawing it into {data_dir}")
    spec.render(data_dir)


def offered(spec: DatasetSpec, url: str, report: Report) -> Mapping[str, Archive]:
    """The splits that a source has, with what is known of their archives: a mirror's SHA256SUMS goes before `spec`."""
    text = read_text(url, "SHA256SUMS", report) if url else None
    if text is None:
        return spec.sources
    checksums = read_checksums(text)
    named = {split: archive.filename for split, archive in spec.sources.items() if archive.filename in checksums}
    if not named:
        expected = ", ".join(archive.filename for archive in spec.sources.values())
        raise UserError(f"{url}: SHA256SUMS names no file of {spec.name}: expected one or more of {expected}")
    return {split: Archive(filename, sha256=checksums[filename]) for split, filename in named.items()}


def chosen(sources: Mapping[str, Archive], splits: Sequence[str], source: str) -> Mapping[str, Archive]:
    for split in splits:
        if split not in sources:
            raise UserError(f"--splits: {source} has no {split!r}: expected some of {', '.join(sources)}")
    return {split: sources[split] for split in splits} if splits else sources


def bring(spec: DatasetSpec, split: str, archive: Archive, data_dir: Path, source: str, report: Report) -> None:
    """Fetch one split's archive and unpack it, each only where that is still to do."""
    folder, path = data_dir / split, data_dir / archive.filename
    packed = archive.filename.endswith(PACKED)
    if packed and spec.present(data_dir, split):
        report(f"{split}: {folder} is complete")
        return
    if packed and folder.exists():
        raise UserError(
            f"{folder} is there, but holds nothing of {spec.name}: move it away, or choose another --data_dir"
        )
    if not complete(path, archive, report):
        if not source:
            raise UserError(no_source(spec, data_dir))
        report(f"{split}: fetching {archive.filename} from {source}")
        with bar(archive.filename) as progress:
            fetch(source, archive, data_dir, progress, report)
    if packed:
        with bar(f"unpacking {split}") as progress:
            unpack(path, folder, progress)
    report(f"{split}: {folder if packed else path} is complete")


def complete(path: Path, archive: Archive, report: Report) -> bool:
    """Whether the archive is there as published."""
    if archive.sha256 is None:
        extent = ": its size is verified only" if archive.size else ", nor its size: it is not verified"
        report(f"no checksum is published for {archive.filename}{extent}")
    problem = mismatch(path, archive) if path.exists() else "absent"
    if problem not in ("", "absent"):
        report(f"{path} does not match: {problem}: fetching it again")
    return not problem


def no_source(spec: DatasetSpec, data_dir: Path) -> str:
    names = ", ".join(archive.filename for archive in spec.sources.values())
    return f"{spec.name} has no address to be fetched from: put {names} into {data_dir}, or name a mirror with --url"


@contextmanager
def bar(title: str) -> Iterator[Progress]:
    """A progress bar with bytes, rate and time left."""
    with tqdm(desc=title, unit="B", unit_scale=True) as shown:
        started = False

        def move(done: int, total: int | None) -> None:
            nonlocal started
            shown.total = total
            if not started or done < shown.n:  # what was there before counts for no rate
                shown.initial = shown.n = done
            shown.update(done - shown.n)
            started = True

        yield move


def main(argv: list[str]) -> None:
    from svhn.datasets import DATASETS

    options = flags.FlagValues()
    flags.DEFINE_string("dataset", Config.dataset, f"one of {', '.join(sorted(DATASETS))}", flag_values=options)
    flags.DEFINE_list("splits", [], "which of its sources; all that there are unless given", flag_values=options)
    flags.DEFINE_string("url", "", "mirror or local folder instead of the publisher", flag_values=options)
    flags.DEFINE_string("data_dir", Paths.data_dir, "folder that they go to", flag_values=options)
    shell.parse(options, argv, str(__doc__))
    spec = lookup("data set", DATASETS, options.dataset)
    download(spec, Path(options.data_dir), options.url, options.splits, report=tqdm.write)


if __name__ == "__main__":
    sys.exit(shell.run(main, sys.argv))
