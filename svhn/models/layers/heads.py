"""The heads that models end in: float32 logits of the number's length and of each slot's digit; its box; digit maps."""

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
# Names of the layers with one group of outputs per slot; per slot and for the length; and with one output per length.
# A run that starts from the weights of another run adapts these layers by name.
SLOTS_LAYER, LOOKS_LAYER, LENGTHS_LAYER = ("slots", "looks", "lengths")


def add_dense_heads(features: keras.KerasTensor, max_length: int, lengths: int) -> HeadOutputs:
    """One dense layer for all slots, and one for the length unless it is fixed, from features (batch, units)."""
    digits = layers.Dense(max_length * NUM_CLASSES, name=SLOTS_LAYER)(features)
    digits = layers.Reshape((max_length, NUM_CLASSES))(digits)
    return cast_outputs(digits, add_length_head(features, lengths) if lengths else None)


def add_attention_heads(
    features: keras.KerasTensor, max_length: int, lengths: int, looks: int = 1, keys: int = 64
) -> HeadOutputs:
    """Heads with attention: each slot takes weighted means of the map's features, and reads its digit from them.

    All slots share the weights that tell digits apart, so that the rare fourth and fifth digits gain from what the
    first two teach. Only the attention weights are each slot's own. The length has attention weights, too.

    Args:
        features: a map (batch, height, width, channels).
        max_length: number of slots.
        lengths: number of classes of the length; 0 if all numbers have `max_length` digits.
        looks: weighted means per slot.
        keys: channels of the map from which the attention weights are computed.
    """
    height, width, channels = features.shape[1:]
    places = add_convolution(features, keys)
    slots = max_length + 1 if lengths else max_length
    places = layers.Dense(slots * looks * height * width, name=LOOKS_LAYER)(layers.Flatten()(places))
    places = layers.Softmax()(layers.Reshape((slots * looks, height * width))(places))
    seen: Any = ops.matmul(places, layers.Reshape((height * width, channels))(features))
    seen = layers.Reshape((slots, looks * channels))(seen)
    digits = layers.Dense(NUM_CLASSES)(seen[:, :max_length])
    return cast_outputs(digits, add_length_head(seen[:, max_length], lengths) if lengths else None)


def add_length_head(features: keras.KerasTensor, lengths: int) -> keras.KerasTensor:
    """Logits (batch, lengths) of the classes of the length, from features (batch, units)."""
    return layers.Dense(lengths, name=LENGTHS_LAYER)(features)


def add_box_head(features: keras.KerasTensor) -> HeadOutputs:
    """A head for the box of the picture's one number, from a map (batch, height, width, channels).

    Its output `box` is float32 (batch, 4): left, top, right and bottom, in shares of the picture's width and height.
    """
    places = layers.Flatten()(add_convolution(features, 64))
    hidden = layers.Dense(128, activation="relu")(places)
    center, size = (layers.Dense(2, dtype="float32", activation="sigmoid")(hidden) for _ in range(2))
    return {"box": layers.Concatenate(dtype="float32", name="box")([center - size / 2, center + size / 2])}


def add_map_heads(model: keras.Model, names: Iterable[str]) -> keras.Model:
    """A model that shares the given model's weights and has a further output `maps`, for training.

    `maps` is a list of logits (batch, rows, columns, NUM_CLASSES + 1), one for each of the layers that `names` lists.
    Without names, the result is the model itself.
    """
    places = compute_grid_size(model.input_shape[1:3])
    maps = [_add_map_head(model.get_layer(name).output, places, f"{name}_map") for name in names]
    outputs: Any = model.output
    return keras.Model(model.input, {**outputs, "maps": maps}) if maps else model


def _add_map_head(features: keras.KerasTensor, places: Size, name: str) -> keras.KerasTensor:
    """Logits (batch, rows, columns, NUM_CLASSES + 1) of the digit, or of no digit, that covers each place of a picture.

    Args:
        features: a map (batch, height, width, channels). Where it has more rows or columns than the places, these are
            averaged.
        places: rows and columns.
        name: the layer's name.
    """
    coarser = [-(-side // count) for count, side in zip(places, features.shape[1:3], strict=True)]
    if coarser != [1, 1]:
        features = layers.AveragePooling2D(coarser, padding="same")(features)
    finer = [-(-count // side) for count, side in zip(places, features.shape[1:3], strict=True)]
    logits = layers.Conv2DTranspose(NUM_CLASSES + 1, finer, strides=finer, name=name)(features)
    return logits[:, : places[0], : places[1]]


def cast_outputs(digits: keras.KerasTensor, length: keras.KerasTensor | None) -> HeadOutputs:
    """The logits as float32 outputs in any precision: bfloat16 is too coarse to tell two probable numbers apart."""
    logits = {"digits": digits} if length is None else {"digits": digits, "length": length}
    return {name: layers.Activation("linear", dtype="float32", name=name)(tensor) for name, tensor in logits.items()}
