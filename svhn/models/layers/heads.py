"""The heads that every model of whole numbers ends in: logits of the length and of each slot's digit, in float32."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
from keras import layers, ops

from svhn.labels import NUM_CLASSES
from svhn.models.layers.normalization import add_convolution
from svhn.pipeline.digit_maps import compute_grid_size
from svhn.spec import Size

HeadOutputs = dict[str, keras.KerasTensor]
SLOTS_LAYER, LOOKS_LAYER, LENGTHS_LAYER = (
    "slots",
    "looks",
    "lengths",
)  # layers that say something of each slot, of each and the length


def add_dense_heads(features: keras.KerasTensor, max_length: int, fixed_length: bool) -> HeadOutputs:
    """Each slot and the length by weights of their own, from features (batch, units)."""
    digits = layers.Dense(max_length * NUM_CLASSES, name=SLOTS_LAYER)(features)
    digits = layers.Reshape((max_length, NUM_CLASSES))(digits)
    return cast_outputs(digits, None if fixed_length else add_length_head(features, max_length))


def add_attention_heads(
    features: keras.KerasTensor, max_length: int, fixed_length: bool, looks: int = 1, keys: int = 64
) -> HeadOutputs:
    """Each slot looks at the places of a map (batch, height, width, channels) where it expects its digit.

    What a digit looks like is learnt by all slots together, so that the rare fourth and fifth digits gain from the
    first two; only where to look is a slot's own. The length has places to look at of its own.

    Args:
        looks: places that a slot looks at.
        keys: channels that say where to look.
    """
    height, width, channels = features.shape[1:]
    places = add_convolution(features, keys)
    slots = max_length if fixed_length else max_length + 1
    places = layers.Dense(slots * looks * height * width, name=LOOKS_LAYER)(layers.Flatten()(places))
    places = layers.Softmax()(layers.Reshape((slots * looks, height * width))(places))
    seen: Any = ops.matmul(places, layers.Reshape((height * width, channels))(features))
    seen = layers.Reshape((slots, looks * channels))(seen)
    digits = layers.Dense(NUM_CLASSES)(seen[:, :max_length])
    return cast_outputs(digits, None if fixed_length else add_length_head(seen[:, max_length], max_length))


def add_length_head(features: keras.KerasTensor, max_length: int) -> keras.KerasTensor:
    """Logits of every length from 0, from features (batch, units)."""
    return layers.Dense(max_length + 1, name=LENGTHS_LAYER)(features)


def add_box_head(features: keras.KerasTensor) -> HeadOutputs:
    """Where in the picture its one number lies: left, top, right and bottom, in shares of its width and height."""
    places = layers.Flatten()(add_convolution(features, 64))
    hidden = layers.Dense(128, activation="relu")(places)
    centre, size = (layers.Dense(2, dtype="float32", activation="sigmoid")(hidden) for _ in range(2))
    return {"box": layers.Concatenate(dtype="float32", name="box")([centre - size / 2, centre + size / 2])}


def add_map_heads(model: keras.Model, names: Iterable[str]) -> keras.Model:
    """The model, sharing its weights, with a further output `maps`: a list, one `_add_map_head` a layer."""
    places = compute_grid_size(model.input_shape[1:3])
    maps = [_add_map_head(model.get_layer(name).output, places, f"{name}_map") for name in names]
    outputs: Any = model.output
    return keras.Model(model.input, {**outputs, "maps": maps}) if maps else model


def _add_map_head(features: keras.KerasTensor, places: Size, name: str) -> keras.KerasTensor:
    """Logits (batch, rows, columns, CLASSES + 1) of which digit, or none, covers each place of a picture.

    Args:
        features: a map (batch, height, width, channels) that is no finer than the places.
        places: rows and columns.
    """
    finer = [-(-count // side) for count, side in zip(places, features.shape[1:3], strict=True)]
    logits = layers.Conv2DTranspose(NUM_CLASSES + 1, finer, strides=finer, name=name)(features)
    return logits[:, : places[0], : places[1]]


def cast_outputs(digits: keras.KerasTensor, length: keras.KerasTensor | None) -> HeadOutputs:
    """Whatever the policy: a softmax in bfloat16 loses what tells two good answers apart."""
    logits = {"digits": digits} if length is None else {"digits": digits, "length": length}
    return {name: layers.Activation("linear", dtype="float32", name=name)(tensor) for name, tensor in logits.items()}
