"""The contract that every model in `MODELS` keeps."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.networks import make_info, make_small, new_model, new_state, one_batch, random_images

from svhn.config import Config
from svhn.datasets import DATASETS
from svhn.errors import UserError
from svhn.evaluation.decoding import decode_outputs
from svhn.labels import NUM_CLASSES
from svhn.models import MODELS, precision
from svhn.models.layers.normalization import BatchNormalization
from svhn.pipeline.batches import Batch
from svhn.run import Run
from svhn.runs import checkpoints, load, stored
from svhn.training.step import State, make_step

NORMALIZED = ("reader", "ppocr", "finder", "kvn219", "conv6", "multihead")
ANY_SIZE = ("reader", "ppocr", "finder", "kvn219", "shallow", "multihead", "gru_rows")  # those that pool need more
every_model = pytest.mark.parametrize("name", MODELS)
every_normalized_model = pytest.mark.parametrize("name", NORMALIZED)


def assert_equal_outputs(model: keras.Model, other: Any) -> None:
    images = random_images(model)
    expected, found = model(images, training=False), other(images, training=False)
    assert found.keys() == expected.keys()
    for head, logits in expected.items():
        np.testing.assert_allclose(found[head], logits, atol=1e-5)


def move_all_weights(model: keras.Model) -> None:
    """Give every weight, moving statistics too, a value that no new model has."""
    rng = np.random.default_rng(1)
    model.set_weights([weight * rng.uniform(0.5, 1.5) + 0.01 for weight in model.get_weights()])


def reads_all(state: State, batch: Batch, losses: list[float]) -> bool:
    read = decode_outputs(state.model(batch["image"], training=False)).digits
    return bool(losses) and losses[-1] <= 0.05 * losses[0] and np.array_equal(read, batch["digits"])


@every_model
def test_a_models_name_is_its_key(name: str) -> None:
    assert MODELS[name].name == name
    assert MODELS[name].reference


@every_model
def test_no_two_layers_begin_with_the_same_weights(name: str) -> None:
    """An initializer that layers share draws the same values for each."""
    kernels = [weight for weight in new_model(name).get_weights() if np.ptp(weight) > 0]
    drawn = {(kernel.shape, kernel.tobytes()) for kernel in kernels}
    assert len(drawn) == len(kernels)


@every_model
@pytest.mark.parametrize(("max_length", "lengths", "channels"), [(1, 0, 1), (3, 5, 3), (5, 6, 3)])
def test_outputs_are_logits_of_digits_and_length(name: str, max_length: int, lengths: int, channels: int) -> None:
    keras.utils.set_random_seed(0)  # of ten logits, all are positive once in a thousand times
    shape = (24, 40, channels)
    model = new_model(name) if max_length == 5 else MODELS[name].build(shape, max_length, lengths)
    assert model.input_shape == (None, 24, 40, channels)
    assert model.inputs[0].dtype == "float32"
    outputs = model(random_images(model, batch=2), training=False)
    shapes = {"digits": (2, max_length, NUM_CLASSES), "length": (2, lengths)}
    if not lengths:
        del shapes["length"]
    if name == "finder":
        boxes = outputs.pop("box").numpy()
        assert (boxes.shape, boxes.dtype) == ((2, 4), np.float32)
    assert {head: tuple(logits.shape) for head, logits in outputs.items()} == shapes
    assert {logits.dtype for logits in outputs.values()} == {tf.float32}
    digits = outputs["digits"].numpy()
    assert digits.min() < 0  # logits, not probabilities
    assert not np.allclose(digits[0], digits[1])


@every_model
def test_the_parameter_count_is_the_published_one(name: str) -> None:
    spec = DATASETS[MODELS[name].dataset]
    fields = {"fixed_length": spec.fixed_length, "longer": spec.longer}
    info = dataclasses.replace(make_info(spec.size, spec.channels, spec.max_length), **fields)
    shape = Run(Path(), stored.make_config({"model": name}), info).input_shape
    model = MODELS[name].build(shape, info.max_length, info.length_classes)
    assert model.count_params() == MODELS[name].parameters


RESIDUAL = ("reader", "finder")
DEEP = (*RESIDUAL, "ppocr")  # which take long
learning_models = [
    pytest.param(name, marks=[pytest.mark.slow] if name in DEEP else []) for name in MODELS if not MODELS[name].fit
]


@pytest.mark.parametrize("name", RESIDUAL)
def test_two_stages_can_learn_eight_examples_by_heart(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, name, make_small(name))
    test_eight_examples_can_be_learned_by_heart(name)


@pytest.mark.parametrize("name", learning_models)
def test_eight_examples_can_be_learned_by_heart(name: str) -> None:
    """In training and, as moving statistics have to follow, in evaluation."""
    options = {"batch_size": 8, "lrate": 1e-3, "decay": "constant", "warmup_steps": 0, "label_smoothing": 0.0}
    state = new_state(name, **options)
    config = Config(model=name, **options)
    step = make_step(state, config, tf.distribute.get_strategy())
    batch = one_batch(state.model)
    losses: list[float] = []
    while len(losses) < 640 and not reads_all(state, batch, losses):
        losses += [float(step(batch).loss) for _ in range(80)]
    assert int(state.step) == len(losses)
    assert reads_all(state, batch, losses)


@every_model
def test_a_checkpoint_gives_the_averaged_weights_back(name: str, tmp_path: Path) -> None:
    state = new_state(name, average=0.9)
    move_all_weights(state.average)
    checkpoints.save_checkpoint(tmp_path, state.make_checkpoint(), 3)
    fresh = new_model(name)
    checkpoints.load_weights(tmp_path, fresh, 3)
    assert_equal_outputs(state.average, fresh)
    images = random_images(fresh)
    assert not np.allclose(fresh(images)["digits"], state.model(images)["digits"], atol=1e-3)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")  # Keras
@every_model
def test_a_keras_file_gives_the_model_back(name: str, tmp_path: Path) -> None:
    model = new_model(name)
    move_all_weights(model)
    model.save(tmp_path / "model.keras")
    assert_equal_outputs(model, keras.models.load_model(tmp_path / "model.keras"))


def test_a_finder_sees_whole_pictures() -> None:
    with pytest.raises(UserError, match=r"^--model=finder .*--norandom_crop$"):
        load.build_model(Run(Path(), stored.make_config({"model": "finder", "random_crop": True}), make_info()))


def test_a_finder_needs_pictures_whose_box_is_known() -> None:
    with pytest.raises(UserError, match=r"^--model=finder .* svhn .*--dataset=svhn_full or --dataset=svhn_scenes$"):
        load.build_model(Run(Path(), stored.make_config({"model": "finder", "dataset": "svhn"}), make_info()))


def normalizations(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    found = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert found
    return found


def test_no_normalized_model_is_left_out() -> None:
    for name in MODELS:
        layers = new_model(name).layers
        kinds = {type(layer) for layer in layers if isinstance(layer, keras.layers.BatchNormalization)}
        assert kinds == ({BatchNormalization} if name in NORMALIZED else set())


@every_normalized_model
def test_batch_normalization_learns_statistics_in_training_only(name: str) -> None:
    """The reference had it the wrong way round: active in training, where it learned nothing, and absent afterwards."""
    model = new_model(name)
    layers = normalizations(model)
    before = [layer.get_weights() for layer in layers]
    model(random_images(model), training=False)
    assert all(np.array_equal(a, b) for layer, old in zip(layers, before, strict=True) for a, b in pairs(layer, old))
    model(random_images(model), training=True)
    for layer, (_, _, mean, variance) in zip(layers, before, strict=True):
        assert not np.allclose(layer.moving_mean, mean, atol=1e-7)
        assert not np.allclose(layer.moving_variance, variance, atol=1e-7)


def pairs(layer: keras.layers.Layer, weights: list[np.ndarray]) -> zip[tuple[np.ndarray, np.ndarray]]:
    return zip(layer.get_weights(), weights, strict=True)


@every_normalized_model
def test_batch_normalization_uses_the_batch_in_training_and_what_it_learned_afterwards(name: str) -> None:
    model = new_model(name)
    first: Any = normalizations(model)[0]
    features = keras.Model(model.input, first.output)  # before any dropout, which would differ too
    images = random_images(model)
    in_training = features(images, training=True).numpy()
    np.testing.assert_allclose(in_training.mean(axis=(0, 1, 2)), 0, atol=1e-3)
    in_use = features(images, training=False).numpy()
    assert not np.allclose(in_training, in_use, atol=1e-2)
    first.moving_mean.assign(first.moving_mean + 1)
    assert not np.allclose(features(images, training=False), in_use, atol=1e-2)
    np.testing.assert_allclose(features(images, training=True), in_training, atol=1e-2)


@every_model
def test_mixed_precision_computes_in_bfloat16_and_answers_in_float32(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_fast_bfloat16", lambda: True)
    state = new_state(name, mixed_precision=True, average=0.9)
    assert {weight.dtype for weight in state.model.trainable_variables} == {"float32"}
    for model in (state.model, state.average):
        assert "bfloat16" in {layer.compute_dtype for layer in model.layers}
    outputs = state.model(random_images(state.model, batch=2), training=True)
    assert {head: logits.dtype for head, logits in outputs.items()} == dict.fromkeys(state.model.output, tf.float32)
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("name", [name for name in MODELS if not MODELS[name].fit and name not in ANY_SIZE])
def test_pictures_too_small_for_a_model_are_said(name: str) -> None:
    config = stored.make_config({"model": name, "random_crop": False})
    with pytest.raises(UserError, match=rf"^--model={name} can't be built for 2x2 pixels: choose another"):
        load.build_model(Run(Path(), config, make_info((2, 2), max_length=1)))


@pytest.mark.parametrize("name", ANY_SIZE)
def test_the_smallest_pictures_are_read(name: str) -> None:
    load.build_model(
        Run(Path(), stored.make_config({"model": name, "random_crop": False}), make_info((2, 2), max_length=1))
    )


def test_the_recurrent_network_begins_with_a_long_memory() -> None:
    model = MODELS["gru_rows"].build((64, 208, 1), 4, 0)
    (layer,) = (layer for layer in model.layers if isinstance(layer, keras.layers.GRU))
    update, reset, candidate = np.split(layer.get_weights()[2], 3)
    assert (update == 3).all()
    assert not reset.any()
    assert not candidate.any()


@every_model
def test_the_seed_decides_the_first_weights(name: str) -> None:
    one, same = (new_state(name, seed=4).model.get_weights() for _ in range(2))
    other = new_model(name).get_weights()  # of seed 0
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))
