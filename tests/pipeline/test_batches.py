"""What reaches the network: which examples, in which order, which pixels of them."""

from __future__ import annotations

import dataclasses
import itertools
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from support.numbered_records import (
    BATCH,
    EXAMPLES,
    INFO,
    LABELS,
    PIXELS,
    SIZE,
    Batch,
    assert_same,
    by_label,
    config,
    labels,
    training,
    write_split,
)

from svhn.config import Config
from svhn.errors import UserError
from svhn.pipeline.batches import make_evaluation_batches, make_training_batches, prepare_input
from svhn.records import Split
from svhn.run import Run
from svhn.spec import Augmentation

WINDOW = (14, 27)  # 27/32 of the pictures' sides, rounded


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    return write_split(tmp_path_factory.mktemp("records"))


def evaluation(split: Split, options: Config) -> list[Batch]:
    return list(make_evaluation_batches(Run(Path(), options, INFO), split).as_numpy_iterator())


def differ(found: list[Batch], expected: list[Batch]) -> bool:
    return any(
        not np.allclose(one["image"], other["image"], atol=5) for one, other in zip(found, expected, strict=True)
    )


@pytest.fixture(scope="module")
def whole(split: Split) -> list[Batch]:
    """Three epochs, uninterrupted."""
    return training(split, 3 * EXAMPLES // BATCH)


def test_a_training_batch_is_pictures_and_slots(whole: list[Batch]) -> None:
    for batch in whole:
        assert (batch["image"].shape, batch["image"].dtype) == ((BATCH, *SIZE, 3), np.float32)
        assert (batch["digits"].shape, batch["digits"].dtype) == ((BATCH, 3), np.int32)
        assert batch["image"].min() >= 0
        assert 1 < batch["image"].max() <= 255


def test_magnitude_says_how_far_pictures_are_varied(split: Split, whole: list[Batch]) -> None:
    assert differ(training(split, 2, config(magnitude=2.0)), whole[:2])
    still = training(split, 2, config(magnitude=0.0))
    for pixels, label in ((p, t) for batch in still for p, t in zip(batch["image"], labels([batch]), strict=True)):
        exact = PIXELS[int(label)].astype(np.float32)
        assert min(np.abs(pixels - exact).max(), np.abs(pixels - (255 - exact)).max()) < 1  # a negative stays one


def test_cells_that_do_not_divide_the_picture_are_refused(split: Split) -> None:
    for cells, expected in (((1, 5), "16x32 pixels .* 1 x 5 cells"), ((3, 1), "16x32 pixels .* 3 x 1 cells")):
        with pytest.raises(UserError, match=f"{expected}.*`svhn wrangle` with another --size"):
            make_training_batches(Run(Path(), config(), INFO), split, Augmentation(cells=cells))


def test_each_epoch_holds_every_example_once_in_an_order_of_its_own(whole: list[Batch]) -> None:
    stream = labels(whole)
    epochs = [stream[start : start + EXAMPLES] for start in (0, EXAMPLES, 2 * EXAMPLES)]
    assert len(epochs[2]) >= EXAMPLES - BATCH
    for order, following in pairwise([LABELS, *epochs]):
        assert order != following
        assert len(set(following)) == len(following)
    assert all(sorted(order) == sorted(LABELS) for order in epochs[:2])


def test_the_order_mixes_the_shards(whole: list[Batch]) -> None:
    shards = np.repeat([0, 1, 2], INFO.splits["train"])[[int(label) for label in labels(whole)[:EXAMPLES]]]
    assert np.count_nonzero(np.diff(shards)) > EXAMPLES // 4


def test_the_same_seed_gives_the_same_batches(split: Split, whole: list[Batch]) -> None:
    assert_same(training(split, 12), whole[:12])
    assert_same(training(split, 12, config(num_threads=1)), whole[:12])


def test_another_seed_gives_other_batches(split: Split, whole: list[Batch]) -> None:
    assert labels(training(split, 12, config(seed=1))) != labels(whole[:12])


def test_an_example_is_varied_anew_in_each_epoch_and_with_each_seed(split: Split, whole: list[Batch]) -> None:
    other = training(split, 10, config(seed=1))
    first, second, other_seed = (by_label(batches) for batches in (whole[:9], whole[10:18], other))
    for again in (second, other_seed):
        shared = first.keys() & again.keys()
        assert len(shared) > EXAMPLES / 2
        assert all(not np.allclose(first[label], again[label], atol=5) for label in shared)


@pytest.mark.parametrize("start", [1, 8, 9, 10, 19])
def test_a_run_that_goes_on_sees_what_it_would_have_seen(split: Split, whole: list[Batch], start: int) -> None:
    """An epoch ends within step 10, the second within step 19."""
    assert_same(training(split, 4, start=start), whole[start : start + 4])


def test_augmentation_can_be_switched_off(split: Split, whole: list[Batch]) -> None:
    plain = training(split, 10, config(augment=False))
    assert labels(plain) == labels(whole[:10])
    assert differ(plain, whole[:10])
    for label, image in by_label(plain).items():
        np.testing.assert_allclose(image, PIXELS[int(label)], atol=1e-2)


def test_a_batch_may_be_larger_than_the_data(split: Split) -> None:
    (batch,) = training(split, 1, config(batch_size=EXAMPLES + 10))
    assert set(labels([batch])) == set(LABELS)


@pytest.mark.parametrize("start", [0, 7])
def test_two_workers_share_the_batch_of_one(split: Split, whole: list[Batch], start: int) -> None:
    contexts = [tf.distribute.InputContext(2, index, num_replicas_in_sync=2) for index in range(2)]
    workers = [training(split, 8, start=start, context=context) for context in contexts]
    for step, halves in enumerate(zip(*workers, strict=True), start=start):
        assert [len(half["digits"]) for half in halves] == [BATCH // 2] * 2
        shared, alone = by_label(list(halves)), by_label([whole[step]])
        assert shared.keys() == alone.keys()
        for label, image in shared.items():
            np.testing.assert_allclose(image, alone[label], atol=0.01)


@pytest.mark.parametrize("batch_size", [1, 7, 32, EXAMPLES, 100])
def test_evaluation_sees_every_example_once(split: Split, batch_size: int) -> None:
    batches = evaluation(split, config(batch_size=batch_size))
    assert {len(batch["image"]) for batch in batches} == {batch_size}
    weight = np.concatenate([batch["weight"] for batch in batches])
    assert weight.dtype == np.float32
    assert weight.tolist() == [1.0] * EXAMPLES + [0.0] * (-EXAMPLES % batch_size)
    names = np.concatenate([batch["name"] for batch in batches])[:EXAMPLES]
    assert [name.decode() for name in names] == [f"{label}.png" for label in LABELS]
    assert labels(batches)[:EXAMPLES] == LABELS
    images = np.concatenate([batch["image"] for batch in batches])[:EXAMPLES]
    np.testing.assert_array_equal(images, PIXELS)


def gray(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([[0.2989], [0.5870], [0.1140]])  # the weights of tf.image.rgb_to_grayscale


CENTERS = PIXELS[:, 1:15, 2:29]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"random_crop": True}, CENTERS),
        ({"grayscale": True}, gray(PIXELS)),
        ({"random_crop": True, "grayscale": True}, gray(CENTERS)),
    ],
    ids=["crop", "gray", "both"],
)
def test_a_network_sees_the_center_and_gray_if_the_run_does(options: dict[str, bool], expected: np.ndarray) -> None:
    chosen = config(**options)
    images = prepare_input(tf.constant(PIXELS), Run(Path(), chosen, INFO))
    np.testing.assert_allclose(images, expected, atol=1e-2)
    assert images.dtype == tf.float32
    assert Run(Path(), chosen, INFO).input_shape == expected.shape[1:]


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"random_crop": True}, (*WINDOW, 3)),
        ({"grayscale": True}, (*SIZE, 1)),
        ({"random_crop": True, "grayscale": True}, (*WINDOW, 1)),
    ],
    ids=["crop", "gray", "both"],
)
def test_training_has_the_shape_that_evaluation_has(
    split: Split, options: dict[str, bool], shape: tuple[int, int, int]
) -> None:
    chosen = config(**options)
    batches = training(split, 3, chosen)
    assert {batch["image"].shape for batch in batches} == {(BATCH, *shape)}
    assert Run(Path(), chosen, INFO).input_shape == shape


def test_a_random_crop_is_a_window_anywhere_in_the_picture(split: Split) -> None:
    crops = by_label(training(split, 9, config(random_crop=True, augment=False)))
    places = set()
    for label, crop in crops.items():
        likeness, place = nearest_window(PIXELS[int(label)], crop)
        assert likeness > 0.4  # between four pixels: half of their variance is left, a quarter is the nearest one's
        places.add(place)
    assert {top for top, _ in places} == {0, 1, 2}
    assert {left for _, left in places} == {0, 1, 2, 3, 4, 5}


def nearest_window(pixels: np.ndarray, crop: np.ndarray) -> tuple[float, tuple[int, int]]:
    """The place of the window that is most like the crop, and their correlation."""
    places = itertools.product(range(SIZE[0] - WINDOW[0] + 1), range(SIZE[1] - WINDOW[1] + 1))
    windows = ((place, pixels[place[0] : place[0] + WINDOW[0], place[1] : place[1] + WINDOW[1]]) for place in places)
    return max((float(np.corrcoef(window.ravel(), crop.ravel())[0, 1]), place) for place, window in windows)


def test_gray_records_stay_gray() -> None:
    info = dataclasses.replace(INFO, channels=1)
    for grayscale in (False, True):
        chosen = config(grayscale=grayscale, random_crop=True)
        images = tf.constant(PIXELS[..., :1])
        np.testing.assert_array_equal(prepare_input(images, Run(Path(), chosen, info)), CENTERS[..., :1])
        assert Run(Path(), chosen, info).input_shape == (*WINDOW, 1)
