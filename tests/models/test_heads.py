"""Where the attention heads look, with weights set by hand."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from svhn.models import MODELS
from svhn.models.layers.heads import add_attention_heads, add_map_heads


def test_each_slot_sees_the_places_it_looks_at_one_after_the_other() -> None:
    features: Any = keras.Input((2, 2, 3))
    model = keras.Model(features, add_attention_heads(features, 2, lengths=3, looks=2, keys=4))
    where, digits, length = (layer for layer in model.layers if isinstance(layer, keras.layers.Dense))
    looked_at = np.array([[0, 3], [2, 1], [1, 1]])  # by slot, the length's last; of four places
    where.set_weights([np.zeros_like(where.get_weights()[0]), 100 * np.eye(4)[looked_at].ravel()])
    digits.set_weights([np.eye(6, 10), np.zeros(10)])
    length.set_weights([np.eye(6, 3), np.zeros(3)])
    picture: Any = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
    outputs: Any = model(picture)
    places = picture.reshape(4, 3)
    for slot in range(2):
        np.testing.assert_allclose(outputs["digits"][0, slot, :6], places[looked_at[slot]].ravel(), rtol=1e-6)
    np.testing.assert_allclose(outputs["length"][0], places[1], rtol=1e-6)


def test_maps_of_unlike_layers_are_of_the_same_places() -> None:
    """Also where the coarse layer has a column that reaches past the last place."""
    image: Any = keras.Input((24, 40, 1))
    fine = keras.layers.AveragePooling2D(8, name="fine")(image)
    coarse = keras.layers.AveragePooling2D(2, padding="same", name="coarse")(fine)
    digits = keras.layers.Dense(10)(keras.layers.Flatten()(coarse))
    model = keras.Model(image, {"digits": digits})
    learner = add_map_heads(model, ("fine", "coarse"))
    for name in ("fine_map", "coarse_map"):
        kernel, bias = learner.get_layer(name).get_weights()
        learner.get_layer(name).set_weights([np.ones_like(kernel), bias])
    picture = np.zeros((1, 24, 40, 1), np.float32)
    picture[0, 16:, 32:] = 64  # the last place
    outputs: Any = learner(picture)
    np.testing.assert_array_equal(outputs["digits"], model(picture)["digits"])
    first, second = (logits.numpy() for logits in outputs["maps"])
    assert first.shape == second.shape == (1, 3, 5, 11)
    assert (first[0, ..., 3] > 0).nonzero()[0].tolist() == [2]
    np.testing.assert_allclose(first[0, 2, 4], 64)
    np.testing.assert_allclose(second[0, 2, 4], 64)


def test_a_map_of_more_columns_than_places_is_averaged_over_all_of_the_picture() -> None:
    """9 columns for 5 places: one fewer than two each."""
    image: Any = keras.Input((24, 36, 1))
    columns = keras.layers.AveragePooling2D((8, 4), name="columns")(image)
    digits = keras.layers.Dense(10)(keras.layers.Flatten()(columns))
    learner = add_map_heads(keras.Model(image, {"digits": digits}), ("columns",))
    kernel, bias = learner.get_layer("columns_map").get_weights()
    learner.get_layer("columns_map").set_weights([np.ones_like(kernel), bias])
    picture = np.zeros((1, 24, 36, 1), np.float32)
    picture[0, 16:, 32:] = 64  # the last place
    outputs: Any = learner(picture)
    (logits,) = (each.numpy() for each in outputs["maps"])
    assert logits.shape == (1, 3, 5, 11)
    assert logits[0, 2, 4, 0] == 64
    assert np.count_nonzero(logits[..., 0]) == 1


def test_one_row_of_places_has_a_map_of_them() -> None:
    model = MODELS["reader"].build((8, 40, 3), 5, 6)
    outputs: Any = add_map_heads(model, MODELS["reader"].maps)(np.zeros((2, 8, 40, 3), np.float32))
    assert [logits.shape for logits in outputs["maps"]] == [(2, 1, 5, 11)] * 2


def test_without_maps_it_is_the_model() -> None:
    model = MODELS["lenet5"].build((28, 28, 1), 1, 0)
    assert add_map_heads(model, ()) is model
