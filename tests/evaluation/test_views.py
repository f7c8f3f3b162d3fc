"""Readings averaged over variations of a picture: which pictures, what average, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from svhn import records
from svhn.config import Config
from svhn.datasets import DATASETS
from svhn.errors import UserError
from svhn.evaluation import score, views
from svhn.pipeline import augment, batches
from svhn.reading import crops, engine
from svhn.records import Split
from svhn.run import Run
from svhn.spec import Augmentation, Info

SIZE = (24, 32)
INFO = Info("svhn", SIZE, 0.3, 3, 5, "png", {}, {}, {}, {}, seed=0)


class Seen:
    """Stands for a network: remembers what it was shown; its logits depend on the pictures."""

    def __init__(self) -> None:
        self.images: list[np.ndarray] = []

    def __call__(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        self.images.append(images.numpy())
        mean = tf.reduce_mean(images, axis=[1, 2]) / 50
        return {"digits": tf.stack([mean, mean**2], axis=1), "length": -mean}


def pictures(count: int = 5) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(0, 255, (count, *SIZE, 3)), tf.float32)


def read(images: tf.Tensor, count: int, **options: Any) -> tuple[Seen, dict[str, tf.Tensor]]:
    model = Seen()
    config = Config(**{"dataset": "svhn_cropped", "random_crop": False, "views": count, **options})
    return model, views.average_views(model, Run(Path(), config, INFO))(images)


def test_one_view_is_the_picture_and_its_logits() -> None:
    images = pictures()
    model, found = read(images, 1)
    expected = Seen()(images)
    assert len(model.images) == 1
    for head, logits in expected.items():
        np.testing.assert_array_equal(found[head], logits)


def test_several_views_average_probabilities() -> None:
    images = pictures()
    model, found = read(images, 4)
    np.testing.assert_array_equal(model.images[0], images)
    for one in range(4):
        for other in range(one):
            assert np.abs(model.images[one] - model.images[other]).max() > 20
    for head in ("digits", "length"):
        seen = [tf.nn.softmax(Seen()(tf.constant(view))[head]) for view in model.images]
        np.testing.assert_allclose(tf.exp(found[head]), np.mean(seen, axis=0), atol=1e-5)
        np.testing.assert_allclose(tf.reduce_sum(tf.exp(found[head]), axis=-1), 1, atol=1e-5)


def test_a_view_is_the_same_whatever_else_is_in_the_batch() -> None:
    images = pictures()
    whole, alone = read(images, 3)[1], read(images[2:3], 3)[1]
    for head, logits in whole.items():
        np.testing.assert_allclose(alone[head], logits[2:3], atol=1e-5)


def test_views_move_half_as_far_as_training_and_keep_colors() -> None:
    steps = views.select_geometric_steps(DATASETS["svhn_cropped"].augmentation)
    assert (steps.rotation, steps.scale, steps.shear, steps.shift) == (8, 0.05, 0.1, (0.1, 0.0))
    assert not any((steps.saturation, steps.contrast, steps.brightness, steps.tint, steps.inversion))
    assert views.select_geometric_steps(Augmentation(blur=1, erasing=1, joining=1, cells=(1, 2))) == Augmentation()
    images = pictures()
    expected = views.augment_view(
        Run(Path(), Config(random_crop=False), INFO), augment.scale_augmentation(steps, 0.5 * 3), 1, images
    )
    np.testing.assert_allclose(read(images, 2, magnitude=3.0)[0].images[1], expected, atol=1e-3)


@pytest.mark.parametrize("dataset", ["svhn", "mnist_stacked"])
@pytest.mark.parametrize("options", [{}, {"random_crop": True}, {"grayscale": True}], ids=str)
def test_a_view_is_what_training_makes_of_the_picture(dataset: str, options: dict[str, Any]) -> None:
    """Digits of `mnist_stacked` are bent, too."""
    run = Run(Path(), Config(**{"random_crop": False, **options}), INFO)
    steps = views.select_geometric_steps(DATASETS[dataset].augmentation)
    assert (steps.elastic > 0) == (dataset == "mnist_stacked")
    noise = augment.draw_example_noise(views.SEED, tf.constant(2, tf.int64))[None]
    gray = batches.apply_grayscale(pictures(), run.config)
    expected = augment.augment_images(gray, tf.repeat(noise, 5, axis=0), steps, run.input_size)

    def make_view(images: tf.Tensor) -> tf.Tensor:
        return views.augment_view(run, steps, 2, images)

    for make in (make_view, tf.function(make_view)):
        np.testing.assert_allclose(make(pictures()), expected, atol=0.01)


def test_a_run_on_random_crops_sees_another_crop_in_each_view() -> None:
    """A picture whose every pixel says where it is, of a data set that varies none of its pictures."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    images = tf.constant(np.stack([rows, columns, 0 * rows], axis=-1)[None])
    center, *others = read(images, 4, dataset="synthetic", random_crop=True)[0].images
    np.testing.assert_array_equal(center[0, 0, 0, :2], [2, 2])
    corners = [view[0, 0, 0, :2] for view in others]
    for view, corner in zip(others, corners, strict=True):
        assert view.shape == (1, 20, 27, 3)  # 27/32 of the sides
        assert np.all((corner >= 0) & (corner <= [4, 5]))
        np.testing.assert_allclose(view - view[:, :1, :1], center - center[:, :1, :1], atol=1e-3)
    assert max(abs(corner - [2, 2.5]).max() for corner in corners) > 1
    assert len({tuple(corner) for corner in corners}) == 3


def test_a_gray_run_has_gray_views() -> None:
    center, other = read(pictures(), 2, grayscale=True)[0].images
    assert center.shape == other.shape == (5, *SIZE, 1)


def test_a_run_without_augmentation_has_one_view() -> None:
    assert len(read(pictures(), 4, augment=False)[0].images) == 1


def test_a_run_whose_pictures_vary_by_nothing_has_one_view() -> None:
    assert len(read(pictures(), 4, magnitude=0.0)[0].images) == 1
    cropped = {"dataset": "svhn", "random_crop": True, "magnitude": 0.0}
    assert len(read(pictures(), 4, **cropped)[0].images) == 4  # of other crops


def seven(_network: object, _run: Run) -> Any:
    """Reads a 7 everywhere, and lacks the class of longer numbers."""
    return lambda images: {
        "digits": tf.repeat(100 * tf.one_hot([[7] * 5], 10), tf.shape(images)[0], axis=0),
        "length": tf.repeat(100 * tf.one_hot([1], 6), tf.shape(images)[0], axis=0),
    }


def test_a_number_that_a_network_can_not_answer_has_no_probability(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "average_views", seven)
    config, info, split = Config(batch_size=4, random_crop=False), *write_split(tmp_path, ["7", "1234567"])
    network: Any = None
    short, longer = score.predict_split(network, Run(Path(), config, info), split)
    assert (short.label, short.label_confidence) == ("7", 1)
    assert (longer.label, longer.label_confidence) == ("too long", 0)


def test_every_reading_goes_by_way_of_views(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "average_views", seven)
    config, info, split = Config(batch_size=4, random_crop=False), *write_split(tmp_path)
    network: Any = None
    assert score.make_scorer(network, Run(Path(), config, info), split)("")["sequence_accuracy"] == 1
    assert [found.reading.text for found in score.predict_split(network, Run(Path(), config, info), split)] == ["7"] * 6
    blank = np.zeros((*info.size, 3), np.uint8)
    wrapped = engine.wrap_tensorflow("demo", Run(Path(), config, info), network, locates=False)
    assert [reading.text for reading in crops.read_crops(wrapped, [blank] * 3, 4)] == ["7"] * 3


def write_split(folder: Path, numbers: Sequence[str] = ("7",) * 6) -> tuple[Info, Split]:
    """Blank pictures of numbers, as valid."""
    path = records.get_shard_paths(folder, "svhn", "valid", 1)[0]
    path.parent.mkdir()
    pixels = tf.io.encode_png(tf.zeros((*SIZE, 3), tf.uint8)).numpy()
    records.write_shard(
        path, (records.serialize_example(pixels, number, str(index)) for index, number in enumerate(numbers))
    )
    shards, sizes, lengths = {"valid": [len(numbers)]}, {"valid": [path.stat().st_size]}, {"valid": {"1": 6}}
    info = dataclasses.replace(INFO, splits=shards, sizes=sizes, lengths=lengths)
    return info, records.open_split(folder, info, "valid")


def test_at_least_the_picture_itself_is_read() -> None:
    with pytest.raises(UserError, match=r"--views=0: expected a number above 0"):
        Config(views=0)
    with pytest.raises(UserError, match=r"--views=101: expected at most 100"):
        Config(views=101)


def test_a_box_is_that_of_the_picture_as_it_is_at_any_temperature() -> None:
    first, second = ({"length": tf.constant([[0.0, value]]), "box": tf.constant([[value] * 4])} for value in (1.0, 3.0))
    outputs = views.apply_temperature(views.average_outputs([first, second]), 2.0)
    np.testing.assert_array_equal(outputs["box"], [[1.0] * 4])
    assert outputs["length"].shape == (1, 2)
