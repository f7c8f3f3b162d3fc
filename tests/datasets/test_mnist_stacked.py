"""Rows of MNIST's digits: the seed decides all, splits share no digit, none touch, and labels keep the order."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from support.mnist_fixtures import packed_idx

from svhn import records
from svhn.datasets import mnist_stacked
from svhn.datasets.mnist_stacked import (
    CELL_SIZE,
    MNIST_STACKED,
    MNIST_STACKED_VARIED,
    MNIST_STACKED_VERTICAL,
    SQUARE_SIDE,
)
from svhn.errors import UserError
from svhn.labels import EMPTY, decode_slots, encode_text
from svhn.pipeline import augment
from svhn.spec import DatasetSpec, Entry
from svhn.wrangle import convert

SPECS = (MNIST_STACKED, MNIST_STACKED_VERTICAL, MNIST_STACKED_VARIED)
TRAIN, TEST = 60, 10  # digits in the small idx files
LABELS = np.arange(TRAIN, dtype=np.uint8) % 10

FAINT = 5  # of 255: what bicubic sampling may leave beyond a corner

all_specs = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist_stacked, "PICTURES", {"train": 300, "valid": 40, "test": 50})


def write_mnist(folder: Path, train: np.ndarray, test: np.ndarray) -> Path:
    """MNIST's files; each digit's label is its place's last figure."""
    for prefix, images in (("train", train), ("t10k", test)):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(packed_idx(images.astype(np.uint8)))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(packed_idx(LABELS[: len(images)]))
    return folder


def blocks(count: int, height: int = 20, width: int = 20) -> np.ndarray:
    """Filled rectangles as digits; the brightness tells the label, see `read_blocks`."""
    images = np.zeros((count, 28, 28), np.uint8)
    top, left = (28 - height) // 2, (28 - width) // 2
    images[:, top : top + height, left : left + width] = 25 * (1 + LABELS[:count, None, None])
    return images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_mnist(tmp_path, blocks(TRAIN), blocks(TEST))


def draw(spec: DatasetSpec, entry: Entry) -> np.ndarray:
    return left_to_right(spec, spec.load(entry, spec.size, 0.0))


def left_to_right(spec: DatasetSpec, pixels: np.ndarray) -> np.ndarray:
    """The picture with its digits from left to right, uint8 (height, width)."""
    assert (pixels.dtype, pixels.shape) == (np.uint8, (*spec.size, 1))
    return pixels[..., 0].T if spec is MNIST_STACKED_VERTICAL else pixels[..., 0]


def runs(picture: np.ndarray) -> list[tuple[int, int]]:
    """Where columns with ink begin and end."""
    inked = np.concatenate([[0], (picture > FAINT).any(axis=0).astype(int), [0]])
    return list(zip(*(np.flatnonzero(np.diff(inked) == step).tolist() for step in (1, -1)), strict=True))


def read_blocks(picture: np.ndarray) -> str:
    digits = [picture[:, start:stop] for start, stop in runs(picture)]
    return "".join(str(round(float(np.median(digit[digit > FAINT])) / 25) - 1) for digit in digits)


def content(spec: DatasetSpec, folder: Path, source: str, seed: int) -> list[tuple[str, str, bytes]]:
    return [(e.name, e.label, draw(spec, e).tobytes()) for e in spec.entries(folder, source, seed)]


@all_specs
def test_the_seed_decides_every_picture(spec: DatasetSpec, folder: Path) -> None:
    first = content(spec, folder, "test", 0)
    assert first == content(spec, folder, "test", 0)
    assert [name for name, _, _ in first] == [f"test/{index}" for index in range(1, 51)]
    assert len({pixels for _, _, pixels in first}) == 50
    for other in (content(spec, folder, "test", 1), content(spec, folder, "valid", 0)):
        assert not {pixels for _, _, pixels in first} & {pixels for _, _, pixels in other}
        assert [label for _, label, _ in first][:40] != [label for _, label, _ in other][:40]


@all_specs
def test_no_digit_is_in_two_splits(spec: DatasetSpec, tmp_path: Path) -> None:
    train, test = blocks(TRAIN), blocks(TEST)
    train[:, 0, 0], test[:, 0, 0] = np.arange(TRAIN), 100 + np.arange(TEST)  # tells one digit from another
    write_mnist(tmp_path, train, test)
    splits = convert.draw_splits(
        spec, tmp_path, list(spec.sources), convert.Options(spec.size, spec.margin, seed=3), convert.Tally()
    )
    used = {split: {int(d[0, 0]) for e in entries for d in e.source.digits} for split, entries in splits.items()}
    assert used == {"train": set(range(55)), "valid": set(range(55, 60)), "test": set(range(100, 110))}
    assert {split: len(entries) for split, entries in splits.items()} == {"train": 300, "valid": 40, "test": 50}


def test_digits_are_dealt_equally_often(folder: Path) -> None:
    entries = list(MNIST_STACKED.entries(folder, "train", 0))
    times = Counter(label for entry in entries for label in entry.label)  # 1,200 of 55 digits
    used, of_each = 4 * len(entries) // 55, Counter(LABELS[:55].tolist())
    for label, times_used in times.items():
        assert used * of_each[int(label)] <= times_used <= (used + 1) * of_each[int(label)]
    numbers = [entry.label for entry in entries]
    assert len(set(numbers)) > 250  # in another order each time


@all_specs
def test_digits_stay_in_their_cells(spec: DatasetSpec, tmp_path: Path) -> None:
    write_mnist(tmp_path, np.full((TRAIN, 28, 28), 255), np.full((TEST, 28, 28), 255))  # nothing takes more room
    across = CELL_SIZE[1 if spec is not MNIST_STACKED_VERTICAL else 0]
    for entry in spec.entries(tmp_path, "train", 0):
        picture = draw(spec, entry)
        found = runs(picture)
        assert len(found) == len(entry.label)
        assert not picture[[0, -1]].any()
        assert not picture[:, [0, -1]].any()
        if spec.fixed_length:
            assert not picture[:, ::across].any()
            assert not picture[:, across - 1 :: across].any()
            assert [start // across for start, _ in found] == list(range(len(found)))


@pytest.mark.parametrize("degrees", [-45, 45, 0])
def test_no_angle_cuts_a_digit_off(degrees: float) -> None:
    turned = np.asarray(mnist_stacked.rotate_digit(np.full((28, 28), 255, np.uint8), degrees), np.float32)
    assert turned.shape == (SQUARE_SIDE, SQUARE_SIDE)
    assert turned.sum() / 255 == pytest.approx(28 * 28, rel=0.02)


@all_specs
def test_the_label_keeps_the_order_of_the_digits(spec: DatasetSpec, folder: Path) -> None:
    for entry in spec.entries(folder, "train", 0):
        assert read_blocks(draw(spec, entry)) == entry.label


@all_specs
def test_cells_that_change_places_hold_a_digit_each(spec: DatasetSpec, folder: Path) -> None:
    rows, columns = spec.augmentation.cells
    assert rows * columns == (spec.max_length if spec.fixed_length else 1) <= augment.MAX_CELLS
    for index, entry in enumerate(islice(spec.entries(folder, "train", 0), 20)):
        digits = tf.constant([encode_text(entry.label, spec.max_length)])
        picture = tf.constant(spec.load(entry, spec.size, 0.0)[None], tf.float32)
        noise = augment.draw_example_noise(0, tf.constant(index, tf.int64))[None]
        moved, following = augment.rearrange_cells(picture, digits, noise, spec.augmentation)
        assert read_blocks(left_to_right(spec, moved[0].numpy().astype(np.uint8))) == decode_slots(following[0].numpy())


def test_places_along_both_axes_are_spread(folder: Path) -> None:
    middles = []
    for entry in MNIST_STACKED.entries(folder, "train", 0):
        for cell in np.split(draw(MNIST_STACKED, entry), 4, axis=1):
            inked = [np.flatnonzero(cell.any(axis=axis)) for axis in (1, 0)]
            middles.append([(span[0] + span[-1] + 1) / 2 for span in inked])
    for places, side in zip(np.transpose(middles), CELL_SIZE, strict=True):
        room = (side - SQUARE_SIDE) / 2 - 1
        found = np.histogram(places - side / 2, 3, (-room - 0.5, room + 0.5))[0]
        assert found.sum() > 1150  # within the room, of which a third each
        assert found == pytest.approx(400, abs=110)
    assert abs(np.corrcoef(np.transpose(middles))[0, 1]) < 0.1


def test_all_lengths_and_no_place_that_gives_them_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist_stacked, "PICTURES", {"train": 900})
    width = MNIST_STACKED_VARIED.size[1]
    starts, stops = ({length: [] for length in range(1, 7)} for _ in range(2))
    for entry in MNIST_STACKED_VARIED.entries(folder, "train", 0):
        found = runs(draw(MNIST_STACKED_VARIED, entry))
        starts[len(entry.label)].append(found[0][0])
        stops[len(entry.label)].append(found[-1][1])
    for length in range(1, 7):
        assert len(starts[length]) == pytest.approx(150, abs=50)
        assert min(starts[length]) < CELL_SIZE[1] / 2
        assert max(stops[length]) > width - CELL_SIZE[1] / 2
        middle = (np.mean(starts[length]) + np.mean(stops[length])) / 2
        assert middle == pytest.approx(width / 2, abs=20)
    for length in (1, 3, 5):  # not in steps of a cell
        assert len({start % CELL_SIZE[1] for start in starts[length]}) > CELL_SIZE[1] / 2


def steepness(cell: np.ndarray) -> float:
    """Degrees from upright of the ink's principal axis, -90 to 90, positive counter-clockwise."""
    weights = cell / cell.sum()
    down, right = (grid - np.sum(weights * grid) for grid in np.indices(cell.shape))
    moments = [np.sum(weights * product) for product in (down * down, right * right, down * right)]
    return math.degrees(0.5 * math.atan2(2 * moments[2], moments[0] - moments[1]))


def test_digits_turn_up_to_45_degrees_to_both_sides(tmp_path: Path) -> None:
    write_mnist(tmp_path, blocks(TRAIN, height=26, width=3), blocks(TEST))
    pictures = [draw(MNIST_STACKED, entry) for entry in MNIST_STACKED.entries(tmp_path, "train", 0)]
    angles = [steepness(cell.astype(float)) for picture in pictures for cell in np.split(picture, 4, axis=1)]
    assert 43 < max(angles) < 45.5
    assert -45.5 < min(angles) < -43
    assert np.histogram(angles, 6, (-45.5, 45.5))[0] == pytest.approx(200, abs=50)


@all_specs
def test_becomes_records(spec: DatasetSpec, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"train": 60, "valid": 20, "test": 30}
    monkeypatch.setattr(mnist_stacked, "PICTURES", counts)
    assert all(spec.present(folder, source) for source in spec.sources)
    options = convert.Options(spec.size, spec.margin, seed=5)
    convert.convert_dataset(spec, folder, tmp_path, list(spec.sources), options)
    info = records.read_info(tmp_path, spec.name)
    assert {split: sum(shards) for split, shards in info.splits.items()} == counts
    assert (info.size, info.channels, info.fixed_length) == (spec.size, 1, spec is not MNIST_STACKED_VARIED)
    assert set(info.lengths["train"]) == ({"4"} if spec.fixed_length else set("123456"))
    for raw in tf.data.TFRecordDataset([str(p) for p in records.open_split(tmp_path, info, "valid").paths]):
        record = records.parse_example(raw, spec.max_length)
        picture = left_to_right(spec, tf.io.decode_png(record["image"]).numpy())
        slots = record["digits"].numpy().tolist()
        assert read_blocks(picture) == "".join(str(digit) for digit in slots if digit != EMPTY)


@all_specs
def test_an_entry_is_small_and_travels_to_a_worker(spec: DatasetSpec, folder: Path) -> None:
    for entry in spec.entries(folder, "valid", 0):
        packed = pickle.dumps((spec.load, entry))
        assert len(packed) < 1000 + 28 * 28 * spec.max_length
        load, unpacked = pickle.loads(packed)
        assert (load(unpacked, spec.size, 0.0) == spec.load(entry, spec.size, 0.0)).all()


def test_natural_sizes() -> None:
    assert [spec.size for spec in SPECS] == [(64, 208), (256, 52), (64, 312)]
    assert [(spec.max_length, spec.fixed_length) for spec in SPECS] == [(4, True), (4, True), (6, False)]


@all_specs
def test_another_size_is_the_natural_one_resized(spec: DatasetSpec, folder: Path) -> None:
    height, width = (side // 4 for side in spec.size)
    for entry in spec.entries(folder, "valid", 0):
        small, natural = spec.load(entry, (height, width), 0.0), spec.load(entry, spec.size, 0.0)
        assert (small.dtype, small.shape) == (np.uint8, (height, width, 1))
        means = natural[..., 0].reshape(height, 4, width, 4).mean(axis=(1, 3))
        assert np.abs(small[..., 0] - means).mean() < 5


def test_valid_depends_on_the_file_of_train(folder: Path) -> None:
    assert MNIST_STACKED.checksum(folder, "valid") == MNIST_STACKED.checksum(folder, "train")
    assert MNIST_STACKED.checksum(folder, "valid") != MNIST_STACKED.checksum(folder, "test")
    for path in folder.glob("train-*"):
        path.unlink()
    assert {s: MNIST_STACKED.present(folder, s) for s in MNIST_STACKED.sources} == {
        "train": False,
        "valid": False,
        "test": True,
    }


def test_too_few_digits_to_divide(tmp_path: Path) -> None:
    write_mnist(tmp_path, blocks(1), blocks(1))
    assert len(list(MNIST_STACKED.entries(tmp_path, "valid", 0))) == 40
    with pytest.raises(UserError, match=r"MNIST's train has too few digits for train: .*--dataset=mnist"):
        list(MNIST_STACKED.entries(tmp_path, "train", 0))
