"""MNIST from idx files and from Kaggle's CSV: exact pixels down to the records, and every way to be damaged."""

from __future__ import annotations

import gzip
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from support.mnist_fixtures import COUNTS, digits, packed_idx, write_csv, write_idx

from svhn import records
from svhn.datasets.mnist import IDX_FILES, MNIST, read_digits
from svhn.errors import UserError
from svhn.spec import Entry
from svhn.wrangle import convert

TRAIN_IMAGES, TRAIN_LABELS = IDX_FILES["train"]
PUBLISHED = Path(__file__).parents[3] / "shared/data/mnist"
WRITERS = pytest.mark.parametrize("write", [write_idx, write_csv])


def entries(folder: Path, source: str = "train") -> list[Entry]:
    return list(MNIST.entries(folder, source, 0))


def failure(call: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@WRITERS
def test_entries_are_the_digits_in_the_files_order(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    found = entries(write(tmp_path))
    images, labels = digits("train")
    assert [entry.name for entry in found] == [f"train/{index}" for index in range(1, COUNTS["train"] + 1)]
    assert [entry.label for entry in found] == [str(label) for label in labels]
    assert not any(entry.problem for entry in found)
    np.testing.assert_array_equal([MNIST.load(entry, (28, 28), 0.0) for entry in found], images[..., np.newaxis])


@WRITERS
def test_an_entry_is_small_to_send_to_another_process(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    entry = entries(write(tmp_path))[3]
    assert entry.source.shape == (28, 28)
    assert len(pickle.dumps(entry)) < 28 * 28 + 500
    assert pickle.loads(pickle.dumps(entry)).source.tobytes() == digits("train")[0][3].tobytes()


def test_pictures_are_resized_to_another_size(tmp_path: Path) -> None:
    entry = entries(write_idx(tmp_path))[0]
    assert MNIST.load(entry, (32, 20), 0.0).shape == (32, 20, 1)
    flat = entry._replace(source=np.full((28, 28), 200, np.uint8))
    assert (MNIST.load(flat, (14, 40), 0.0) == 200).all()


@pytest.mark.parametrize("dotted", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_all_names_the_files_go_by_are_found(tmp_path: Path, dotted: bool, packed: bool) -> None:
    write_idx(tmp_path)
    plain = MNIST.checksum(tmp_path, "test"), [entry.label for entry in entries(tmp_path, "test")]
    for path in list(tmp_path.iterdir()):
        name = path.name.replace("-idx", ".idx") if dotted else path.name
        content = path.read_bytes()
        path.unlink()
        (tmp_path / (name + ".gz" * packed)).write_bytes(gzip.compress(content) if packed else content)
    assert all(MNIST.present(tmp_path, source) for source in MNIST.sources)
    assert (MNIST.checksum(tmp_path, "test"), [entry.label for entry in entries(tmp_path, "test")]) == plain


def test_digits_come_as_arrays(tmp_path: Path) -> None:
    for source in MNIST.sources:
        for found, expected in zip(read_digits(write_idx(tmp_path), source), digits(source), strict=True):
            assert found.dtype == np.uint8
            np.testing.assert_array_equal(found, expected)


def test_an_empty_folder_has_neither_source(tmp_path: Path) -> None:
    assert not MNIST.present(tmp_path, "train")
    assert not MNIST.present(tmp_path / "absent", "test")
    assert "train-images-idx3-ubyte (or .gz) is missing: run `svhn download --dataset=mnist" in failure(
        lambda: entries(tmp_path)
    )


@pytest.mark.parametrize(("source", "kind"), [("train", 0), ("train", 1), ("test", 0), ("test", 1)])
def test_half_a_source_says_which_file_is_missing(tmp_path: Path, source: str, kind: int) -> None:
    missing = write_idx(tmp_path) / IDX_FILES[source][kind]
    missing.unlink()
    assert MNIST.present(tmp_path, source)
    for call in (entries, MNIST.checksum):
        assert failure(lambda call=call: call(tmp_path, source)) == (
            f"{missing} (or .gz) is missing: run `svhn download --dataset=mnist --data_dir={tmp_path}`"
        )


def test_kaggle_has_no_test_source(tmp_path: Path) -> None:
    write_csv(tmp_path)
    assert MNIST.present(tmp_path, "train")
    assert not MNIST.present(tmp_path, "test")
    assert failure(lambda: entries(tmp_path, "test")) == (
        f"{tmp_path} has Kaggle's train.csv, expected t10k-images-idx3-ubyte: run "
        "`svhn download --dataset=mnist --data_dir=FOLDER` with a folder of its own"
    )


@pytest.mark.parametrize("name", [*IDX_FILES["train"], *IDX_FILES["test"]])
@pytest.mark.parametrize("source", ["train", "test"])
def test_both_kinds_in_one_folder_are_refused(tmp_path: Path, source: str, name: str) -> None:
    write_csv(tmp_path)
    (tmp_path / f"{name}.gz").touch()
    for call in (MNIST.present, entries, MNIST.checksum):
        message = failure(lambda call=call: call(tmp_path, source))
        assert message.startswith(f"{tmp_path} has both train.csv and {name}.gz: ")
        assert message.endswith("name one with --data_dir")


def test_kaggles_test_csv_alone_does_not_disturb(tmp_path: Path) -> None:
    (write_csv(tmp_path) / "train.csv").unlink()
    assert len(entries(write_idx(tmp_path), "test")) == COUNTS["test"]


@pytest.mark.parametrize(
    ("name", "values", "problem"),
    [
        (TRAIN_LABELS, np.zeros(59, np.uint8), "60 images and {path} 59 labels, expected the same number: "),
        (TRAIN_LABELS, np.zeros(61, np.uint8), "60 images and {path} 61 labels, expected the same number: "),
        (TRAIN_IMAGES, np.zeros((60, 28, 27), np.uint8), "{path} holds 60 x 28 x 27 values, expected n x 28 x 28"),
        (TRAIN_IMAGES, np.zeros((60, 32, 32), np.uint8), "{path} holds 60 x 32 x 32 values, expected n x 28 x 28"),
        (TRAIN_IMAGES, np.zeros(60, np.uint8), "{path} holds 60 values, expected n x 28 x 28"),
        (TRAIN_LABELS, np.zeros((60, 28, 28), np.uint8), "{path} holds 60 x 28 x 28 values, expected n:"),
        (TRAIN_LABELS, np.arange(60, dtype=np.uint8) % 11, "{path} has 10 as label 11, expected 0 to 9"),
    ],
)
def test_files_that_are_not_mnists_are_refused(tmp_path: Path, name: str, values: np.ndarray, problem: str) -> None:
    path = write_idx(tmp_path) / name
    path.write_bytes(packed_idx(values))
    message = failure(lambda: read_digits(tmp_path, "train"))
    assert problem.format(path=path) in message
    assert "published file:" not in message  # the published files are packed: nothing is compared
    assert message.endswith("`svhn download --dataset=mnist --data_dir=FOLDER`")


def test_a_packed_file_is_compared_with_the_published_one(tmp_path: Path) -> None:
    path = write_idx(tmp_path) / f"{TRAIN_LABELS}.gz"
    (tmp_path / TRAIN_LABELS).unlink()
    path.write_bytes(gzip.compress(packed_idx(digits("train")[1]))[:-9])
    message = failure(lambda: read_digits(tmp_path, "train"))
    assert message.startswith(f"{path} can't be unpacked (")
    assert f"it differs from the published file: it has {path.stat().st_size} bytes, expected 28,881: " in message


def test_the_csvs_odd_rows_are_named_with_their_line_and_the_others_are_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path) / "train.csv"
    with path.open("a") as file:
        file.write("11" + ",0" * 784 + "\n5,0\n\n7" + ",9" * 784 + "\n")
    *others, label, short, last = entries(tmp_path)
    assert not any(entry.problem for entry in (*others, last))
    assert (last.name, last.label) == ("train/63", "7")
    assert label.problem.startswith("line 62, column label: '11', expected a digit")
    assert short.problem.startswith("line 63 has 2 values, expected 785")


@pytest.mark.parametrize(
    ("write", "name"), [(write_idx, TRAIN_IMAGES), (write_idx, TRAIN_LABELS), (write_csv, "train.csv")]
)
def test_the_checksum_tells_one_state_from_another(tmp_path: Path, write: Callable[[Path], Path], name: str) -> None:
    before = MNIST.checksum(write(tmp_path), "train")
    assert re.fullmatch("(idx|kaggle):[0-9a-f]{64}", before)
    assert MNIST.checksum(tmp_path, "train") == before
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert MNIST.checksum(tmp_path, "train") != before


def converted(data_dir: Path, target: Path) -> dict[str, dict[str, tuple[int, np.ndarray]]]:
    """Digit and pixels of each example of the records, by split and name."""
    sources = [source for source in MNIST.sources if MNIST.present(data_dir, source)]
    convert.convert_dataset(MNIST, data_dir, target, sources, convert.Options(MNIST.size, MNIST.margin))
    info = records.read_info(target, "mnist")
    assert (info.channels, info.max_length, info.fixed_length, info.image_format) == (1, 1, True, "png")
    found = {}
    for split in info.splits:
        paths = [str(path) for path in records.open_split(target, info, split).paths]
        examples = [records.parse_example(record, 1) for record in tf.data.TFRecordDataset(paths)]
        found[split] = {
            bytes(example["name"].numpy()).decode(): (
                int(example["digits"][0]),
                tf.io.decode_png(example["image"]).numpy(),
            )
            for example in examples
        }
    return found


@WRITERS
def test_records_hold_every_digit_once_and_exactly(
    tmp_path: Path, write: Callable[[Path], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = converted(write(tmp_path), tmp_path / "records")
    capsys.readouterr()  # the progress bars
    assert len(found["valid"]) == 3
    assert not found["valid"].keys() & found["train"].keys()
    assert ("test" in found) == (write is write_idx)
    together = {**found["train"], **found["valid"], **found.get("test", {})}
    assert len(together) == sum(len(examples) for examples in found.values())
    for source in {name.partition("/")[0] for name in together}:
        for index, (image, label) in enumerate(zip(*digits(source), strict=True), start=1):
            digit, pixels = together[f"{source}/{index}"]
            assert digit == label
            np.testing.assert_array_equal(pixels, image[..., np.newaxis])


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="../shared/data, with MNIST, is not there")
def test_the_published_files_are_read() -> None:
    images, labels = read_digits(PUBLISHED, "test")
    assert images.shape == (10000, 28, 28)
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]


IDX, KAGGLE = ("idx", ["train", "test"]), ("csv", ["train"])


@pytest.mark.parametrize(
    ("first", "then", "kept"),
    [
        (KAGGLE, ("idx", ["test"]), {"test"}),
        (IDX, KAGGLE, {"train", "valid"}),
        (("idx", ["test"]), KAGGLE, {"train", "valid"}),
        (("idx", ["train"]), ("idx", ["test"]), {"train", "valid", "test"}),
    ],
)
def test_kaggles_train_and_mnists_test_are_kept_apart(
    tmp_path: Path, first: tuple[str, list[str]], then: tuple[str, list[str]], kept: set[str]
) -> None:
    """Kaggle shuffled both together: what is tested would be what was trained on."""
    for form, sources in (first, then):
        folder = tmp_path / f"{form}-{'-'.join(sources)}"
        folder.mkdir()
        {"csv": write_csv, "idx": write_idx}[form](folder)
        for stem in (stem for source, stems in IDX_FILES.items() if source not in sources for stem in stems):
            (folder / stem).unlink(missing_ok=True)  # what is not there can't be compared
        convert.convert_dataset(MNIST, folder, tmp_path / "records", sources, convert.Options(MNIST.size, MNIST.margin))
    assert records.read_info(tmp_path / "records", "mnist").splits.keys() == kept
