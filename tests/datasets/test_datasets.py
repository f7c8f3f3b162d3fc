"""The contract that every data set in `DATASETS` keeps, from its sources' files to its records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from scipy.io import savemat
from support import mnist_fixtures

from svhn import records
from svhn.config import Config
from svhn.datasets import DATASETS, format1, mnist, mnist_stacked
from svhn.datasets.synthetic import dataset
from svhn.labels import TRUNCATED_TEXT, show_slots
from svhn.pipeline import batches
from svhn.run import Run
from svhn.runtime import shell
from svhn.spec import Info
from svhn.wrangle import __main__
from svhn.wrangle.convert import Options, convert_dataset

LABEL_FILES = {  # by data set; each is damaged and must be noticed
    "svhn": ("train/digitStruct.mat",),
    "svhn_full": ("train/digitStruct.mat",),
    "svhn_arranged": ("train/digitStruct.mat",),
    "svhn_scenes": ("train/digitStruct.mat",),
    "synthetic": ("train/digitStruct.mat",),
    "folder": ("labels.csv",),
    "svhn_cropped": ("train_32x32.mat",),
    **dict.fromkeys(
        ("mnist", "mnist_stacked", "mnist_stacked_vertical", "mnist_stacked_varied"), mnist.IDX_FILES["train"]
    ),
    "kaggle": ("train.csv",),  # mnist in its other form
}
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut in half": lambda content: content[: len(content) // 2],
    "cut within its last values": lambda content: content[:-9],
    "a line of another kind": lambda content: b"name;number\n" + content,
    "another kind of file": lambda _: b"\x89PNG\r\n\x1a\n" * 200,
}

every_dataset = pytest.mark.parametrize("name", DATASETS)


def write_svhn_cropped(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for split, count in {"train": 500, "test": 20}.items():
        labels = (np.arange(count, dtype=np.uint8) % 10 + 1)[:, None]
        savemat(folder / f"{split}_32x32.mat", {"X": rng.integers(0, 256, (32, 32, 3, count), np.uint8), "y": labels})


def write_mnist(folder: Path) -> None:
    mnist_fixtures.write_idx(folder)


def write_folder(folder: Path) -> None:
    """Rendered numbers, with a table in place of the publishers' file."""
    dataset.render_dataset(folder)
    lines = ["filename,label,split"]
    for source in ("train", "test"):
        for entry in format1.list_entries(folder, source):
            lines.append(f"{entry.name},{entry.label},{source}")
    (folder / "labels.csv").write_text("\n".join(lines))


def write_kaggle(folder: Path) -> None:
    mnist_fixtures.write_csv(folder)


WRITERS: dict[str, Callable[[Path], None]] = {  # a new data set needs a few files to be tried on
    "svhn": dataset.render_dataset,  # draws in the publishers' layout
    "svhn_full": dataset.render_dataset,
    "svhn_arranged": dataset.render_dataset,
    "svhn_scenes": dataset.render_dataset,
    "synthetic": dataset.render_dataset,
    "folder": write_folder,
    "svhn_cropped": write_svhn_cropped,
    "mnist": write_mnist,
    "mnist_stacked": write_mnist,
    "mnist_stacked_vertical": write_mnist,
    "mnist_stacked_varied": write_mnist,
}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "PICTURES", {"train": 40, "test": 5})
    monkeypatch.setattr(mnist_stacked, "PICTURES", {"train": 40, "valid": 20, "test": 10})


def wrangle(name: str, folder: Path, target: str, seed: int = 0) -> Info:
    """The data set's records, in the folder `target`, of its sources in `data`."""
    spec, data_dir = DATASETS[name], folder / "data"
    if not data_dir.exists():
        data_dir.mkdir()
        WRITERS[name](data_dir)
    sources = [source for source in spec.sources if spec.present(data_dir, source)]
    convert_dataset(spec, data_dir, folder / target, sources, Options(spec.size, spec.margin, seed))
    return records.read_info(folder / target, name)


def examples(folder: Path, info: Info, split: str) -> list[tuple[str, str, bytes]]:
    """Name, number and pixels of each."""
    run = Run(folder, Config(), info)
    ds = tf.data.TFRecordDataset([str(path) for path in records.open_split(folder, info, split).paths])
    parsed = ds.map(lambda serialized: batches.decode_record(serialized, run)).as_numpy_iterator()
    return [(bytes(each["name"]).decode(), show_slots(each["digits"]), each["image"].tobytes()) for each in parsed]


@every_dataset
def test_its_name_is_its_key_and_its_numbers_fit(name: str, tmp_path: Path) -> None:
    spec, info = DATASETS[name], wrangle(name, tmp_path, "records")
    assert spec.name == name
    empty = set()
    for split in ("train", "valid", "test"):
        found = examples(tmp_path / "records", info, split)
        assert found
        assert {len(pixels) for _, _, pixels in found} == {np.prod((*spec.size, spec.channels))}
        labels = [label for _, label, _ in found if label != TRUNCATED_TEXT]
        lengths = {len(label) for label in labels}
        assert spec.longer or len(labels) == len(found)
        assert max(lengths) <= spec.max_length
        empty |= {0} & lengths
        assert not spec.fixed_length or lengths == {spec.max_length}
        assert "".join(labels).isdecimal()
    assert bool(empty) == (name in ("svhn_full", "svhn_scenes", "svhn_arranged"))


@every_dataset
def test_no_example_is_in_two_splits_or_twice_in_one(name: str, tmp_path: Path) -> None:
    info = wrangle(name, tmp_path, "records")
    found = [each for split in info.splits for each in examples(tmp_path / "records", info, split)]
    assert len({name for name, _, _ in found}) == len(found)
    assert len({pixels for _, _, pixels in found}) == len(found)


@every_dataset
def test_the_seed_alone_decides_the_records(name: str, tmp_path: Path) -> None:
    one, same, other = (wrangle(name, tmp_path, str(index), seed) for index, seed in enumerate((3, 3, 4)))
    assert one == same
    for split in one.splits:
        assert examples(tmp_path / "0", one, split) == examples(tmp_path / "1", same, split)
    assert examples(tmp_path / "0", one, "train") != examples(tmp_path / "2", other, "train")


@every_dataset
def test_a_source_is_known_by_its_checksum(name: str, tmp_path: Path) -> None:
    info = wrangle(name, tmp_path, "records")
    spec = DATASETS[name]
    stored = json.loads((tmp_path / "records" / name / "info.json").read_text())["sources"]
    assert stored == {source: spec.checksum(tmp_path / "data", source) for source in info.sources}
    assert all(len(checksum.rpartition(":")[2]) == 64 for checksum in stored.values())
    assert stored["train"] != stored["test"]


def check(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code of the command that checks a data set, and all that it prints."""
    flags = [f"--dataset={name}", f"--data_dir={folder}", f"--records_dir={folder}/records", "--splits=train"]
    code = shell.run_main(__main__.main, ["wrangle", *flags, "--processes=1", "--check"])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


@pytest.mark.parametrize("form", LABEL_FILES)
def test_every_way_in_names_the_files_it_takes_and_notices_a_damaged_one(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = form if form in DATASETS else "mnist"
    {**WRITERS, "kaggle": write_kaggle}[form](tmp_path)
    code, before = check(name, tmp_path, capsys)
    assert code == 0
    for path in (tmp_path / file for file in LABEL_FILES[form]):
        assert f"{path}: " in before.partition("usable")[0]
        content = path.read_bytes()
        for title, damage in DAMAGES.items():
            path.write_bytes(damage(content))
            code, after = check(name, tmp_path, capsys)
            assert path.name in after, title
            assert "Traceback" not in after
            assert code != 0 or "that no label names:" in after, (title, after)
        path.write_bytes(content)


def test_every_data_set_has_label_files_to_damage() -> None:
    assert set(LABEL_FILES) - {"kaggle"} == set(DATASETS)
