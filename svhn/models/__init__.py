"""The registry of models: names and recipes. A network's own file, and Keras, are imported when the network is built.

To add a model: write `build(image_shape, max_length, lengths)` in a file of this folder, and add its spec here.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from svhn.spec import ModelSpec

PRETRAINED = "pretrained"  # how the names of layers begin whose weights a model has from elsewhere
RESIDUAL = "He et al. 2015 (arXiv 1512.03385), Goodfellow et al. 2014 (arXiv 1312.6082)"


def _defer_import(target: str) -> Callable[..., Any]:
    """A function that, when called, imports `target`, a "file:function" of this folder, and calls it."""
    file, _, function = target.partition(":")

    def call(*args: Any) -> Any:
        return getattr(import_module(f"svhn.models.{file}"), function)(*args)

    return call


_SPECS = (
    ModelSpec(
        name="reader",
        build=_defer_import("residual:build_reader"),
        parameters=2_840_971,
        reference=RESIDUAL,
        maps=("stage3", "stage4"),
        defaults={"num_epochs": 70, "magnitude": 1.5, "weight_decay": 0.05},
    ),
    ModelSpec(
        name="ppocr",
        build=_defer_import("ppocr:build"),
        parameters=2_966_245,
        reference="PP-OCRv6's small recognizer (PaddleOCR, Apache-2.0), as the wheel of rapidocr 3.10.0 holds it",
        maps=("block9", "pooled"),
        pretrain=_defer_import("ppocr_weights:load_weights"),
        defaults={"num_epochs": 18, "magnitude": 1.5, "weight_decay": 0.05, "pretrained_rate": 0.1},
    ),
    ModelSpec(  # for whole pictures: predicts the number's box, and a length of 0 where there is no number
        name="finder",
        build=_defer_import("residual:build_finder"),
        parameters=2_138_237,
        reference=RESIDUAL,
        dataset="svhn_full",
        defaults={"random_crop": False, "num_epochs": 15},
    ),
    ModelSpec(
        name="kvn219",
        build=_defer_import("kvn219:build"),
        parameters=2_594_217,
        reference="https://github.com/kvn219/multi-number-recognition",
        defaults={  # its own recipe: nothing but Adam at a constant rate
            "batch_size": 36,
            "num_epochs": 10,
            "lrate": 1e-4,
            "decay": "constant",
            "warmup_steps": 0,
            "weight_decay": 0.0,
            "clip_norm": 0.0,
            "label_smoothing": 0.0,
            "average": 0.0,
            "random_crop": False,
            "mixed_precision": False,
        },
    ),
    ModelSpec(
        name="conv6",
        build=_defer_import("conv6:build"),
        parameters=551_466,
        reference="the usual small network for SVHN's cropped digits, "
        "after Simonyan and Zisserman 2014 (arXiv 1409.1556)",
        dataset="svhn_cropped",
        defaults={
            "random_crop": False,
            "batch_size": 128,
            "num_epochs": 22,
            "optimizer": "amsgrad",
            "lrate": 2e-3,
            "weight_decay": 0.01,
            "average": 0.998,
            "checkpoint_every": 440,
            "early_stopping": 8,
        },
    ),
    ModelSpec(
        name="svm",
        build=_defer_import("svm:build"),
        parameters=35_325,
        reference="Cortes and Vapnik 1995, Support-Vector Networks; voting as in LIBSVM (Chang and Lin 2011)",
        dataset="mnist",
        fit=_defer_import("svm:fit_svm"),
        defaults={"random_crop": False, "augment": False, "average": 0.0, "mixed_precision": False},
    ),
    ModelSpec(
        name="shallow",
        build=_defer_import("shallow:build"),
        parameters=318_010,
        reference="LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition, section III.C",
        dataset="mnist",
        defaults={
            "random_crop": False,
            "batch_size": 128,
            "num_epochs": 40,
            "weight_decay": 0.0,
            "label_smoothing": 0.0,
            "mixed_precision": False,
        },
    ),
    ModelSpec(
        name="lenet5",
        build=_defer_import("lenet5:build"),
        parameters=61_706,
        reference="LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition, section II.B",
        dataset="mnist",
        defaults={
            "random_crop": False,
            "batch_size": 128,
            "num_epochs": 25,
            "weight_decay": 0.0,
            "label_smoothing": 0.0,
            "mixed_precision": False,
        },
    ),
    ModelSpec(
        name="kaggle",
        build=_defer_import("kaggle:build"),
        parameters=887_530,
        reference="the network of Kaggle's introductory notebooks on https://www.kaggle.com/c/digit-recognizer",
        dataset="mnist",
        defaults={
            "random_crop": False,
            "batch_size": 128,
            "num_epochs": 32,
            "optimizer": "rmsprop",
            "lrate": 1e-3,
            "decay": "constant",
            "reduce_on_plateau": 3,
            "weight_decay": 0.0,
            "label_smoothing": 0.0,
            "average": 0.998,
            "checkpoint_every": 450,  # an epoch of MNIST has 445 steps
        },
    ),
    ModelSpec(
        name="multihead",
        build=_defer_import("multihead:build"),
        parameters=2_000_218,
        reference="Goodfellow et al. 2014 (arXiv 1312.6082): several digits from shared convolutions",
        dataset="mnist_stacked",
        defaults={
            "random_crop": False,
            "batch_size": 16,
            "num_epochs": 6,
            "warmup_steps": 200,
            "average": 0.998,
            "views": 6,
            "checkpoint_every": 1250,  # an epoch
        },
    ),
    ModelSpec(
        name="gru_rows",
        build=_defer_import("gru_rows:build"),
        parameters=29_990,
        reference="Cho et al. 2014 (arXiv 1406.1078)",
        dataset="mnist_stacked",
        defaults={
            "random_crop": False,
            "num_epochs": 60,
            "magnitude": 0.0,  # the digits' cells are shuffled, and nothing else is varied
            "lrate": 5e-3,
            "weight_decay": 0.0,
            "label_smoothing": 0.0,
            "mixed_precision": False,
        },
    ),
)
MODELS: dict[str, ModelSpec] = {spec.name: spec for spec in _SPECS}
