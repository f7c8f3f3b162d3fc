"""Format 2: digits of MATLAB 5 files, every file that is none of them, and the way into records."""

from __future__ import annotations

import hashlib
import io
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import sparse
from scipy.io import savemat

from svhn import records
from svhn.datasets import svhn_cropped
from svhn.datasets.formats import matlab5
from svhn.datasets.svhn_cropped import SVHN_CROPPED, list_entries, load_picture
from svhn.download.archives import download_dataset
from svhn.errors import UserError
from svhn.runtime.processes import ProcessEndedError
from svhn.spec import Entry
from svhn.wrangle.convert import Options, Tally, convert_dataset, draw_splits

ROOT = Path(__file__).parents[2]
LABELS = (1, 10, 9, 10, 2)  # 10: the digit 0
DIGITS = ["1", "0", "9", "0", "2"]
FILE = "train_32x32.mat"


def pixels(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3, count), np.uint8)


def column(labels: Iterable[int]) -> np.ndarray:
    return np.array([*labels], np.uint8)[:, None]


X, Y = pixels(5), column(LABELS)


def write(path: Path, labels: Sequence[int] = LABELS, compressed: bool = True) -> None:
    savemat(path, {"X": pixels(len(labels)), "y": column(labels)}, do_compression=compressed)


def read(folder: Path) -> list[Entry]:
    return list(list_entries(folder, "train"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads within this process."""
    monkeypatch.setattr(matlab5, "call_in_process", lambda function, *arguments: function(*arguments))


@pytest.mark.parametrize("compressed", [True, False])
def test_entries_keep_the_files_order_and_pixels(tmp_path: Path, compressed: bool) -> None:
    write(tmp_path / FILE, compressed=compressed)
    found = read(tmp_path)
    assert [entry.name for entry in found] == [f"train/{number}" for number in range(1, 6)]
    assert [entry.label for entry in found] == DIGITS
    assert [entry.problem for entry in found] == [""] * 5
    assert all((entry.source == X[:, :, :, index]).all() for index, entry in enumerate(found))


def test_rows_columns_and_channels_keep_their_order(tmp_path: Path) -> None:
    pictures = np.zeros((32, 32, 3, 2), np.uint8)
    pictures[3, 7, 2, 1] = 200
    savemat(tmp_path / FILE, {"X": pictures, "y": column([4, 5])})
    _, entry = read(tmp_path)
    picture = Image.fromarray(load_picture(entry, (32, 32), 0.0))
    assert picture.getbbox() == (7, 3, 8, 4)
    assert picture.getpixel((7, 3)) == (0, 0, 200)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("label", [0, 11, 255])
def test_a_label_that_is_no_digit_is_a_problem_of_its_entry_only(tmp_path: Path, label: int) -> None:
    write(tmp_path / FILE, (3, label, 10))
    found = read(tmp_path)
    assert [entry.label for entry in found] == ["3", "", "0"]
    expected = f"label {label}: expected a whole number from 1 to 10, which stands for 0"
    assert [entry.problem for entry in found] == ["", expected, ""]


def test_an_entry_is_a_view_that_takes_only_its_own_pixels_along(tmp_path: Path) -> None:
    write(tmp_path / FILE)
    first, *_, last = read(tmp_path)
    assert first.source.base is last.source.base is not None
    packed = pickle.dumps(last)
    assert len(packed) < 32 * 32 * 3 + 300
    assert (load_picture(pickle.loads(packed), (32, 32), 0.0) == last.source).all()


def test_pixels_are_exact_at_their_own_size_and_resized_at_another(tmp_path: Path) -> None:
    write(tmp_path / FILE)
    entry = read(tmp_path)[0]
    same, other = load_picture(entry, (32, 32), 0.0), load_picture(entry, (20, 24), 0.0)
    assert (same == entry.source).all()
    assert (same.dtype, other.dtype, other.shape) == (np.uint8, np.uint8, (20, 24, 3))
    assert (other == np.asarray(Image.fromarray(entry.source).resize((24, 20), Image.Resampling.LANCZOS))).all()


def save(**variables: object) -> Callable[[Path], None]:
    return lambda path: savemat(path, variables, do_compression=True)


def save_73(path: Path) -> None:
    """As MATLAB's `save -v7.3` does: axes in reverse, HDF5 behind a header of 512 bytes."""
    with h5py.File(path, "w", userblock_size=512) as file:
        file["X"], file["y"] = pixels(5).T, Y.T
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, HDF5 schema 1.00 .".ljust(124) + b"\x00\x02IM")


def cut(size: int, compressed: bool = True) -> Callable[[Path], object]:
    return lambda path: (write(path, LABELS, compressed), path.write_bytes(path.read_bytes()[:size]))


def inverted(position: int, compressed: bool = True) -> Callable[[Path], None]:
    def write_inverted(path: Path) -> None:
        write(path, LABELS, compressed)
        content = bytearray(path.read_bytes())
        content[position] ^= 0xFF
        path.write_bytes(content)

    return write_inverted


CLASS_BYTE = 144  # which kind of array X is, in a file that is not compressed
OTHER = "is in another layout: it has"
FORMAT_2 = r"expected X uint8 \(32, 32, 3, n\) and y, a row or a column of n numbers"
UNREADABLE = r"can't be read \(\w+: .+\)"
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "7.3": (save_73, rf"{OTHER} the HDF5 of MATLAB 7\.3, expected MATLAB 5, which MATLAB's `save -v7` writes"),
    "a page": (
        lambda path: path.write_bytes(b"<!DOCTYPE html>" * 9),
        "begins with b'<!DOCTYPE html><', expected a MATLAB 5 file",
    ),
    "empty": (cut(0), "begins with b'', expected a MATLAB 5 file"),
    "cut in the header": (cut(127), r"begins with b'MATLAB 5\.0 MAT-f', expected a MATLAB 5 file"),
    "cut behind the header": (cut(128), f"{OTHER} no X and no y, {FORMAT_2}"),
    "cut in X": (cut(5000), UNREADABLE),
    "cut in X, plain": (cut(5000, compressed=False), UNREADABLE),
    "cut in y": (cut(-3), UNREADABLE),
    "flipped": (inverted(5000), UNREADABLE),
    "of an unknown class": (inverted(CLASS_BYTE, compressed=False), UNREADABLE),
    "no X": (save(y=Y), f"{OTHER} no X, {FORMAT_2}"),
    "no y": (save(X=X, Y=Y), f"{OTHER} no y, {FORMAT_2}"),
    "X of floats": (
        save(X=X / 1, y=Y),
        rf"{OTHER} X float64 \(32, 32, 3, 5\), expected uint8 \(32, 32, 3, 5\) for 5 labels",
    ),
    "axes reversed": (
        save(X=X.T, y=Y),
        rf"{OTHER} X uint8 \(5, 3, 32, 32\), expected uint8 \(32, 32, 3, 5\) for 5 labels",
    ),
    "too few pictures": (save(X=X[..., :4], y=Y), rf"{OTHER} X uint8 \(32, 32, 3, 4\), expected uint8 .+ for 5 labels"),
    "y sparse": (save(X=X, y=sparse.csc_array(Y / 1)), rf"{OTHER} y float64 \(5, 1\) \(csc_array\), {FORMAT_2}"),
    "y a table": (save(X=X, y=np.ones((2, 3))), rf"{OTHER} y float64 \(2, 3\), {FORMAT_2}"),
    "y of text": (save(X=X, y="11111"), rf"{OTHER} y <U5 \(1,\) \(ndarray\), {FORMAT_2}"),
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_not_format_2_is_refused_with_what_to_do(tmp_path: Path, kind: str) -> None:
    write_bad, message = BAD[kind]
    write_bad(tmp_path / FILE)
    compared = r"; it differs from the published file: it has [\d,]+ bytes, expected 182,040,794: "
    remedy = re.escape("`svhn download --dataset=svhn_cropped --data_dir=FOLDER`")
    with pytest.raises(UserError, match=f"^{re.escape(str(tmp_path / FILE))} {message}{compared}.*{remedy}$"):
        read(tmp_path)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("label", [2.5, float("nan"), float("inf"), -1.0])
def test_a_label_that_is_no_whole_number_is_a_problem_of_its_entry_only(tmp_path: Path, label: float) -> None:
    savemat(tmp_path / FILE, {"X": pixels(2), "y": np.array([label, 3.0])})
    found = read(tmp_path)
    assert [entry.label for entry in found] == ["", "3"]
    assert found[0].problem.startswith(f"label {label:g}: expected a whole number")


def test_a_file_that_ends_its_reader_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a damaged file can make SciPy's native code do."""

    def call_in_process(*_: object) -> None:
        raise ProcessEndedError("a worker process ended with SIGSEGV")

    write(tmp_path / FILE)
    monkeypatch.setattr(matlab5, "call_in_process", call_in_process)
    message = r"train_32x32\.mat can't be read: a worker process ended with SIGSEGV while reading it; it differs from"
    with pytest.raises(UserError, match=message):
        read(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert not svhn_cropped.is_present(tmp_path, "train")
    with pytest.raises(UserError, match=r"train_32x32\.mat is missing: run `svhn download"):
        read(tmp_path)


def test_without_scipy_its_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / FILE)
    monkeypatch.setitem(sys.modules, "scipy", None)  # what Python keeps of a module that can't be imported
    with pytest.raises(UserError, match=r"SciPy: .*pip install -e '\.\[digits\]'"):
        read(tmp_path)


def test_neither_listing_nor_loading_needs_tensorflow(tmp_path: Path) -> None:
    write(tmp_path / FILE)
    code = f"""
import sys
from svhn.datasets.svhn_cropped import list_entries, load_picture
assert "scipy" not in sys.modules
shapes = [load_picture(entry, (32, 32), 0.0).shape for entry in list_entries({str(tmp_path)!r}, "train")]
assert shapes == [(32, 32, 3)] * 5
assert not {{"tensorflow", "keras"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_mirrors_file_is_fetched_as_it_is(tmp_path: Path) -> None:
    served, data = tmp_path / "mirror", tmp_path / "data"
    served.mkdir()
    write(served / FILE)
    checksum = hashlib.sha256((served / FILE).read_bytes()).hexdigest()
    (served / "SHA256SUMS").write_text(f"{checksum}  {FILE}\n", encoding="utf-8")
    lines: list[str] = []
    download_dataset(SVHN_CROPPED, data, str(served), [], lines.append)
    download_dataset(SVHN_CROPPED, data, str(served), [], lines.append)
    assert svhn_cropped.is_present(data, "train")
    assert svhn_cropped.compute_checksum(data, "train") == checksum
    assert lines == [f"train: fetching {FILE} from {served}", *[f"train: {data / FILE} is complete"] * 2]


def converted(data: Path, target: Path, processes: int = 1, max_skipped: float = 0.0) -> list[str]:
    options = Options(SVHN_CROPPED.size, SVHN_CROPPED.margin, max_skipped=max_skipped, processes=processes)
    return convert_dataset(SVHN_CROPPED, data, target, ["test"], options)


def examples(target: Path) -> list[tuple[str, bytes, int]]:
    """Name, image as encoded, and digit of each."""
    paths = records.open_split(target, records.read_info(target, "svhn_cropped"), "test").paths
    parsed = [records.parse_example(record, 1) for record in tf.data.TFRecordDataset([str(path) for path in paths])]
    found = [[example[name].numpy() for name in ("name", "image", "digits")] for example in parsed]
    return sorted((bytes(name).decode(), bytes(image), int(digits[0])) for name, image, digits in found)


@pytest.mark.parametrize("processes", [1, 2])
def test_records_hold_every_pixel_and_digit(tmp_path: Path, processes: int) -> None:
    write(tmp_path / "test_32x32.mat")
    converted(tmp_path, tmp_path / "records", processes)
    found = examples(tmp_path / "records")
    assert [(name, str(digit)) for name, _, digit in found] == [(f"test/{n}", DIGITS[n - 1]) for n in range(1, 6)]
    for index, (_, encoded, _) in enumerate(found):
        with Image.open(io.BytesIO(encoded)) as picture:
            assert (np.asarray(picture) == X[..., index]).all()
    info = records.read_info(tmp_path / "records", "svhn_cropped")
    assert (info.size, info.image_format, info.max_length, info.fixed_length) == ((32, 32), "png", 1, True)


def test_validation_takes_neighbors_together(tmp_path: Path) -> None:
    write(tmp_path / FILE, [1 + index % 10 for index in range(800)])
    splits = draw_splits(SVHN_CROPPED, tmp_path, ["train"], Options(SVHN_CROPPED.size, SVHN_CROPPED.margin), Tally())
    valid, train = ({int(entry.name.split("/")[1]) for entry in splits[split]} for split in ("valid", "train"))
    assert sorted([*valid, *train]) == list(range(1, 801))
    assert len(valid) == 40
    divided = sum((number in valid) != (number + 1 in valid) for number in range(1, 800))
    assert divided <= 4  # the ends of two rows of 20; some 76 if each digit were drawn on its own


def test_what_cannot_be_used_is_counted_and_named(tmp_path: Path) -> None:
    write(tmp_path / "test_32x32.mat", (1, 11, 10))
    with pytest.raises(
        UserError, match=r"1 of 3 pictures can't be used.+the first: test/2: label 11: expected a whole"
    ):
        converted(tmp_path, tmp_path / "records")
    lines = converted(tmp_path, tmp_path / "records", max_skipped=0.5)
    assert "left out: 0 numbers longer than --max_length, 1 pictures skipped" in lines
    assert [name for name, _, _ in examples(tmp_path / "records")] == ["test/1", "test/3"]
