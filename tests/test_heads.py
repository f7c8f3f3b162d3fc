"""Where the attention heads look, with weights set by hand."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from svhn.models.heads import attention_heads


def test_each_slot_sees_the_places_it_looks_at_one_after_the_other() -> None:
    features: Any = keras.Input((2, 2, 3))
    model = keras.Model(features, attention_heads(features, 2, fixed_length=False, looks=2, keys=4))
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
