"""The download command, called in this process."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.mirror import Mirror, pack, publish, serve, tree

from svhn.datasets import DATASETS
from svhn.datasets.synthetic import dataset
from svhn.download import __main__ as command
from svhn.download.archives import download_dataset
from svhn.errors import UserError
from svhn.runtime import shell
from svhn.runtime.files import compute_sha256
from svhn.spec import Archive, DatasetSpec

PUBLISHED = DATASETS["svhn"]
PICTURES = {"1.png": random.Random(0).randbytes(200_000), "digitStruct.mat": b"boxes"}
SMALL = {"1.png": b"one", "digitStruct.mat": b"box"}


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """Serves train and test, with their checksums."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve(tmp_path / "mirror") as mirror:
        train = pack(mirror.folder / "train.tar.gz", PICTURES)
        publish(mirror.folder, train, pack(mirror.folder / "test.tar.gz", SMALL))
        yield mirror


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def own_spec(mirror: Mirror, **changes: object) -> DatasetSpec:
    """A data set that the mirror publishes, without any SHA256SUMS."""
    (mirror.folder / "SHA256SUMS").unlink()
    path = mirror.folder / "train.tar.gz"
    train = Archive(path.name, path.stat().st_size, compute_sha256(path))
    return dataclasses.replace(PUBLISHED, **{"sources": {"train": (train,)}, "url": mirror.url} | changes)


UNPACKED = {f"train/{name}": content for name, content in PICTURES.items()} | {
    f"test/{name}": content for name, content in SMALL.items()
}


def test_all_that_the_mirror_names_is_fetched_and_unpacked(mirror: Mirror, data: Path) -> None:
    lines: list[str] = []
    download_dataset(PUBLISHED, data, mirror.url, [], lines.append)
    archives = tree(mirror.folder)
    del archives["SHA256SUMS"]
    assert tree(data) == UNPACKED | archives
    assert lines == [
        f"train: fetching train.tar.gz from {mirror.url}",
        f"train: {data}/train is complete",
        f"test: fetching test.tar.gz from {mirror.url}",
        f"test: {data}/test is complete",
    ]


def test_a_folder_is_a_mirror_too(mirror: Mirror, data: Path) -> None:
    download_dataset(PUBLISHED, data, str(mirror.folder), ["test"], print)
    assert sorted(tree(data)) == ["test.tar.gz", "test/1.png", "test/digitStruct.mat"]
    assert mirror.requests == []


def test_what_is_unpacked_is_skipped_even_without_its_archive(mirror: Mirror, data: Path) -> None:
    download_dataset(PUBLISHED, data, mirror.url, [], print)
    (data / "train.tar.gz").unlink()
    before, mirror.requests[:] = tree(data), []
    lines: list[str] = []
    download_dataset(PUBLISHED, data, mirror.url, [], lines.append)
    assert tree(data) == before
    assert [request.filename for request in mirror.requests] == ["SHA256SUMS"]
    assert lines == [f"train: {data}/train is there already", f"test: {data}/test is there already"]


def test_drawn_pictures_are_not_taken_for_published_ones(mirror: Mirror, data: Path) -> None:
    dataset.render_split(data / "train", 1, seed=0)
    before = tree(data)
    with pytest.raises(UserError, match=r"data/train holds drawn pictures.*choose another --data_dir"):
        download_dataset(PUBLISHED, data, mirror.url, ["train"], print)
    assert tree(data) == before


def test_a_folder_of_something_else_is_not_taken_for_the_split(mirror: Mirror, data: Path) -> None:
    (data / "train").mkdir(parents=True)
    with pytest.raises(UserError, match=r"data/train exists.*: move it away, or choose another --data_dir"):
        download_dataset(PUBLISHED, data, mirror.url, ["train"], print)


def test_a_complete_archive_is_unpacked_and_not_fetched(mirror: Mirror, data: Path) -> None:
    data.mkdir()
    (data / "test.tar.gz").write_bytes((mirror.folder / "test.tar.gz").read_bytes())
    download_dataset(PUBLISHED, data, mirror.url, ["test"], print)
    assert tree(data)["test/1.png"] == b"one"
    assert mirror.asked("test.tar.gz") == []


def test_a_wrong_archive_is_fetched_again(mirror: Mirror, data: Path) -> None:
    data.mkdir()
    (data / "test.tar.gz").write_bytes(b"other")
    lines: list[str] = []
    download_dataset(PUBLISHED, data, mirror.url, ["test"], lines.append)
    assert tree(data)["test/1.png"] == b"one"
    assert lines[0].startswith(f"{data}/test.tar.gz does not match: sha256 is ")
    assert lines[0].endswith(": fetching it again")


@pytest.mark.parametrize("split", ["extra", "valid"])
def test_a_split_that_is_not_offered_is_answered_with_those_that_are(mirror: Mirror, data: Path, split: str) -> None:
    with pytest.raises(UserError) as error:
        download_dataset(PUBLISHED, data, mirror.url, ["train", split], print)
    assert str(error.value) == f"--splits: {mirror.url} has no {split!r}: expected train or test"
    assert not data.exists()


def test_a_mirror_of_something_else_is_refused(mirror: Mirror, data: Path) -> None:
    publish(mirror.folder, Archive("cats.zip", 1, "0" * 64))
    with pytest.raises(
        UserError, match=r"names no split of svhn: expected train.tar.gz, or test.tar.gz, or extra.tar.gz$"
    ):
        download_dataset(PUBLISHED, data, mirror.url, [], print)


def test_the_mirrors_checksum_is_held_against_it(mirror: Mirror, data: Path) -> None:
    publish(mirror.folder, Archive("test.tar.gz", 1, "0" * 64))
    with pytest.raises(UserError, match=f"test.tar.gz: sha256 is .*, expected {'0' * 64}: run the same command again"):
        download_dataset(PUBLISHED, data, mirror.url, [], print)
    assert tree(data) == {}


def test_a_mirror_without_checksums_is_held_to_the_publishers(mirror: Mirror, data: Path) -> None:
    spec = own_spec(mirror)
    train = spec.sources["train"][0]
    (mirror.folder / train.filename).write_bytes(b"?" * (train.size or 0))
    with pytest.raises(UserError, match=f"expected {train.sha256}"):
        download_dataset(spec, data, mirror.url, [], print)
    assert tree(data) == {}


def test_the_publisher_is_the_default_and_its_checksums_are_ours(mirror: Mirror, data: Path) -> None:
    download_dataset(own_spec(mirror), data, "", [], print)
    assert sorted(tree(data)) == ["train.tar.gz", "train/1.png", "train/digitStruct.mat"]
    assert [request.filename for request in mirror.requests] == ["train.tar.gz"]


@pytest.mark.parametrize(
    ("size", "extent"), [(True, ": only its size is verified"), (False, " and no size: it is not verified")]
)
def test_an_unknown_checksum_is_reported(mirror: Mirror, data: Path, size: bool, extent: str) -> None:
    length = (mirror.folder / "train.tar.gz").stat().st_size
    spec = own_spec(mirror, sources={"train": (Archive("train.tar.gz", length if size else None),)})
    lines: list[str] = []
    download_dataset(spec, data, "", [], lines.append)
    assert lines[0] == f"no checksum is published for train.tar.gz{extent}"


def test_a_file_that_is_no_archive_is_only_fetched(mirror: Mirror, data: Path) -> None:
    (mirror.folder / "train_32x32.mat").write_bytes(b"matrix")
    spec = own_spec(mirror, sources={"train": (Archive("train_32x32.mat", 6),)})
    download_dataset(spec, data, "", [], print)
    assert tree(data) == {"train_32x32.mat": b"matrix"}


def test_a_drawn_data_set_is_drawn(data: Path) -> None:
    drawn: list[tuple[Path, int]] = []
    spec = dataclasses.replace(PUBLISHED, name="drawn", url="", render=lambda *how: drawn.append(how))
    download_dataset(spec, data, "", [], print)
    download_dataset(spec, data, "", [], print, pictures=7)
    assert drawn == [(data, 0), (data, 7)]
    for url, splits in (("http://127.0.0.1", []), ("", ["train"])):
        with pytest.raises(UserError, match="leave out --url and --splits"):
            download_dataset(spec, data, url, splits, print)
    assert len(drawn) == 2
    with pytest.raises(UserError, match="leave out --pictures"):
        download_dataset(PUBLISHED, data, "", [], print, pictures=7)


def test_a_data_set_without_address_names_the_files_it_needs(mirror: Mirror, data: Path) -> None:
    spec = own_spec(mirror, url="")
    with pytest.raises(UserError) as error:
        download_dataset(spec, data, "", [], print)
    assert "no known address: put train.tar.gz into" in str(error.value)
    data.mkdir()
    (mirror.folder / "train.tar.gz").rename(data / "train.tar.gz")
    download_dataset(spec, data, "", [], print)
    assert tree(data)["train/digitStruct.mat"] == b"boxes"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--data-dir=x"], 2, "error: unknown flag --data-dir: did you mean --data_dir?"),
        (["--dataset=svnh"], 1, "error: unknown data set 'svnh': expected one of "),
        (["--url=gopher://x"], 1, "error: --url=gopher://x: expected http://, https://, file:// or a folder"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run_main(command.main, ["download", *arguments]) == code
    line = capsys.readouterr().err
    assert line.startswith(message)
    assert line.count("\n") == 1


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def hostile(path: Path) -> None:
    pack(path, {"../../x": b"!"})


def other(path: Path) -> None:
    pack(path.with_name("valid.tar.gz"), {"1.png": b"1"})
    path.with_name("valid.tar.gz").rename(path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (truncated, "can't be unpacked beyond train/1.png (Compressed file ended"),
        (hostile, "'train/../../x' is a path that leads outside"),
        (other, "expected a folder train/ in it, found valid"),
    ],
)
def test_a_bad_archive_is_one_line_and_leaves_good_files(
    mirror: Mirror, data: Path, spoil: Callable[[Path], None], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    download_dataset(PUBLISHED, data, mirror.url, ["test"], print)
    before = tree(data)
    archive = mirror.folder / "train.tar.gz"
    spoil(archive)
    publish(mirror.folder, Archive("train.tar.gz", sha256=compute_sha256(archive)))
    assert shell.run_main(command.main, ["download", f"--url={mirror.url}", f"--data_dir={data}"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {data}/train.tar.gz: {message}")
    assert tree(data) == before | {"train.tar.gz": archive.read_bytes()}


def test_a_file_in_the_folders_place_is_one_line(
    mirror: Mirror, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.write_bytes(b"mine")
    assert shell.run_main(command.main, ["download", f"--url={mirror.url}", f"--data_dir={data}"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"error: {data}: File exists: a file has the name of a folder")
    assert data.read_bytes() == b"mine"


def test_what_another_process_unpacked_meanwhile_is_taken(
    mirror: Mirror, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process ends between the first look and the lock."""

    @contextmanager
    def hold(path: Path, _: str) -> Iterator[None]:
        split = path.name.partition(".")[0]
        (data / split).mkdir(parents=True)
        for name, content in (PICTURES if split == "train" else SMALL).items():
            (data / split / name).write_bytes(content)
        yield

    monkeypatch.setattr("svhn.download.archives.hold_file", hold)
    download_dataset(PUBLISHED, data, mirror.url, [], print)
    assert tree(data) == UNPACKED  # no archive was fetched
