"""The download command for sources of several files that stay as they are: MNIST's and the cropped digits'."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.mirror import Mirror, publish, serve, tree
from support.mnist_fixtures import COUNTS, write_csv, write_idx

from svhn.datasets import mnist
from svhn.datasets.mnist import MNIST
from svhn.datasets.mnist_stacked import MNIST_STACKED
from svhn.datasets.svhn_cropped import SVHN_CROPPED
from svhn.download import __main__ as command
from svhn.download.archives import download_dataset
from svhn.errors import UserError
from svhn.runtime import shell
from svhn.runtime.files import compute_sha256
from svhn.spec import Archive, DatasetSpec
from svhn.wrangle import __main__

TRAIN = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]
TEST = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
APART = "to fetch them, choose another folder with --data_dir"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """Serves MNIST's four files, smaller than the real ones, with their checksums."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve(tmp_path / "mirror") as mirror:
        for path in list(write_idx(mirror.folder).iterdir()):
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
            path.unlink()
        publish(mirror.folder, *(described(mirror, name) for name in TRAIN + TEST))
        yield mirror


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def described(mirror: Mirror, name: str) -> Archive:
    path = mirror.folder / name
    return Archive(name, path.stat().st_size, compute_sha256(path))


def published_at(mirror: Mirror) -> DatasetSpec:
    """MNIST as if the mirror, which has no SHA256SUMS then, were its publisher."""
    (mirror.folder / "SHA256SUMS").unlink()
    sources = {"train": TRAIN, "test": TEST}
    own = {split: tuple(described(mirror, name) for name in names) for split, names in sources.items()}
    return dataclasses.replace(MNIST, sources=own, url=mirror.url)


def fetched(mirror: Mirror) -> list[str]:
    return [request.filename for request in mirror.requests if request.filename != "SHA256SUMS"]


def kaggle(data: Path) -> None:
    write_csv(data)


def dotted(data: Path) -> None:
    """The names that some other publishers give the files."""
    for path in list(write_idx(data).iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))


def gunzip(data: Path, name: str) -> Path:
    path = data / name
    path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    path.unlink()
    return path.with_suffix("")


def test_images_and_labels_of_both_splits_arrive(mirror: Mirror, data: Path) -> None:
    lines: list[str] = []
    download_dataset(published_at(mirror), data, "", [], lines.append)
    assert fetched(mirror) == TRAIN + TEST
    assert tree(data) == tree(mirror.folder)
    assert {split: len(list(mnist.list_entries(data, split))) for split in COUNTS} == COUNTS
    assert lines[:4] == [
        line
        for name in TRAIN
        for line in (f"train: fetching {name} from {mirror.url}", f"train: {data / name} is complete")
    ]


def test_complete_files_are_verified_and_left(mirror: Mirror, data: Path) -> None:
    download_dataset(MNIST, data, mirror.url, [], print)
    mirror.requests.clear()
    lines: list[str] = []
    download_dataset(MNIST, data, mirror.url, [], lines.append)
    assert fetched(mirror) == []
    assert lines == [f"{s}: {data / n} is complete" for s, names in (("train", TRAIN), ("test", TEST)) for n in names]


def test_a_splits_missing_file_alone_is_fetched(mirror: Mirror, data: Path) -> None:
    download_dataset(MNIST, data, mirror.url, ["train"], print)
    assert sorted(tree(data)) == TRAIN
    mirror.requests.clear()
    (data / TRAIN[1]).unlink()
    download_dataset(MNIST, data, mirror.url, ["train"], print)
    assert fetched(mirror) == [TRAIN[1]]


@pytest.mark.parametrize("name", TRAIN)
def test_either_file_damaged_on_its_way_is_refused(mirror: Mirror, data: Path, name: str) -> None:
    spec = published_at(mirror)
    content = (mirror.folder / name).read_bytes()
    (mirror.folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UserError, match=f"^{name}: sha256 is .* run the same command again"):
        download_dataset(spec, data, "", ["train"], print)
    assert name not in tree(data)


def test_the_mirrors_checksums_replace_the_publishers(mirror: Mirror, data: Path) -> None:
    download_dataset(MNIST, data, mirror.url, ["test"], print)
    assert sorted(tree(data)) == TEST
    publish(mirror.folder, *(Archive(name, sha256="0" * 64) for name in TRAIN))
    with pytest.raises(UserError, match=f"{TRAIN[0]}: sha256 is .*, expected {'0' * 64}"):
        download_dataset(MNIST, data, mirror.url, ["train"], print)
    (mirror.folder / "SHA256SUMS").unlink()
    with pytest.raises(UserError, match=rf"{TRAIN[0]}: .* has [\d,]+ bytes of it, expected 9,912,422"):
        download_dataset(MNIST, data, mirror.url, ["train"], print)


def test_a_split_without_its_labels_is_not_offered(mirror: Mirror, data: Path) -> None:
    publish(mirror.folder, *(described(mirror, name) for name in (*TRAIN, TEST[0])))
    download_dataset(MNIST, data, mirror.url, [], print)
    assert sorted(tree(data)) == TRAIN
    publish(mirror.folder, described(mirror, TEST[0]))
    for spec in (MNIST, MNIST_STACKED):
        with pytest.raises(UserError) as error:
            download_dataset(spec, data, mirror.url, [], print)
        expected = f"expected {' and '.join(TRAIN)}, or {' and '.join(TEST)}"
        assert str(error.value) == f"{mirror.url}: SHA256SUMS names no split of {spec.name}: {expected}"


@pytest.mark.parametrize(
    ("splits", "names"), [([], TRAIN + TEST), (["valid"], TRAIN), (["train", "valid"], TRAIN), (["test"], TEST)]
)
def test_splits_that_share_files_fetch_each_once(
    mirror: Mirror, data: Path, splits: list[str], names: list[str]
) -> None:
    download_dataset(MNIST_STACKED, data, mirror.url, splits, print)
    assert sorted(fetched(mirror)) == sorted(tree(data)) == sorted(names)


def test_the_command_brings_them(mirror: Mirror, data: Path) -> None:
    arguments = ["--dataset=mnist_stacked_varied", "--splits=valid", f"--url={mirror.url}", f"--data_dir={data}"]
    assert shell.run_main(command.main, ["download", *arguments]) == 0
    assert sorted(tree(data)) == TRAIN


def test_an_address_that_is_lacking_names_each_file_once(data: Path) -> None:
    with pytest.raises(UserError, match=f": put {' and '.join(TRAIN)}, {' and '.join(TEST)} into {data}, or name"):
        download_dataset(dataclasses.replace(MNIST_STACKED, url=""), data, "", [], print)


def test_unpacked_files_are_left_and_what_is_missing_is_fetched(mirror: Mirror, data: Path) -> None:
    download_dataset(MNIST, data, mirror.url, ["train"], print)
    images = gunzip(data, TRAIN[0])
    (data / TRAIN[1]).unlink()
    mirror.requests.clear()
    lines: list[str] = []
    download_dataset(MNIST, data, mirror.url, ["train"], lines.append)
    assert fetched(mirror) == [TRAIN[1]]
    assert sorted(tree(data)) == [images.name, TRAIN[1]]
    assert lines[0] == f"train: {images} is there already"
    assert len(list(mnist.list_entries(data, "train"))) == COUNTS["train"]


@pytest.mark.parametrize("spec", [MNIST, MNIST_STACKED], ids=lambda spec: spec.name)
@pytest.mark.parametrize("splits", [[], ["train"], ["test"]])
@pytest.mark.parametrize("fill", [kaggle, dotted])
def test_a_folder_of_another_form_is_left_alone(
    mirror: Mirror, data: Path, spec: DatasetSpec, splits: list[str], fill: Callable[[Path], None]
) -> None:
    fill(data)
    before = tree(data)
    with pytest.raises(UserError) as error:
        download_dataset(spec, data, mirror.url, splits, print)
    assert str(error.value) == f"{data} holds train of {spec.name}, but not as {' and '.join(TRAIN)}: {APART}"
    assert tree(data) == before
    assert mirror.requests == []


@pytest.mark.parametrize(("spec", "name"), [(MNIST, TRAIN[1]), (SVHN_CROPPED, "train_32x32.mat")])
def test_a_file_of_the_users_own_is_never_replaced(mirror: Mirror, data: Path, spec: DatasetSpec, name: str) -> None:
    (mirror.folder / name).write_bytes(b"published")
    publish(mirror.folder, *(described(mirror, each) for each in {*TRAIN, name}))
    (data / name).write_bytes(b"mine")
    with pytest.raises(UserError) as error:
        download_dataset(spec, data, mirror.url, ["train"], print)
    message = str(error.value)
    assert message.startswith(f"{data / name} is not as published: sha256 is ")
    assert message.endswith(": move it away, or choose another --data_dir")
    assert (data / name).read_bytes() == b"mine"


def test_wrangle_sends_kaggles_folder_to_another_one(data: Path) -> None:
    write_csv(data)
    with pytest.raises(UserError) as error:
        __main__.select_sources(MNIST, data, ["test"])
    command = f"svhn download --dataset=mnist --data_dir={data}"
    assert str(error.value).startswith(f"{data} has no test of mnist: run `{command}`, with another folder if")
