"""A linear support vector machine for each pair of digits, which vote."""

from __future__ import annotations

import warnings
from itertools import combinations
from typing import Any, cast

import keras
import numpy as np
from keras import layers, ops

from svhn.errors import UserError, suggest_extra
from svhn.labels import NUM_CLASSES
from svhn.models.layers.heads import add_length_head, cast_outputs

PAIRS = np.array(list(combinations(range(NUM_CLASSES), 2)))
SEARCH_EXAMPLES = 6000  # a stratified part of the data; the final fit takes all of it
FOLDS = 5
DRAWS = 8  # of C = 2^-7 … 2^6


def build(image_shape: tuple[int, int, int], max_length: int, fixed_length: bool) -> keras.Model:
    """The digits' logits are won less lost pairs; the sum of margins, kept below one, decides between equals."""
    image = keras.Input(image_shape, name="image")
    x = layers.Flatten()(layers.Rescaling(1 / 255)(image))
    margins = layers.Reshape((max_length, len(PAIRS)))(layers.Dense(max_length * len(PAIRS), name="margins")(x))

    first, second = np.eye(NUM_CLASSES, dtype=np.float32)[PAIRS.T]
    margins = ops.cast(margins, "float32")
    won: Any = ops.matmul(ops.sign(margins), second - first)
    digits = won + ops.softsign(ops.matmul(margins, second - first))
    length = None if fixed_length else add_length_head(x, max_length)
    return keras.Model(image, cast_outputs(digits, length), name="svm")


def fit_svm(model: keras.Model, images: np.ndarray, digits: np.ndarray, seed: int) -> str:
    """Search for C by cross-validation on a part of the data, then fit all of it.

    Raises:
        UserError: the numbers have several digits, or scikit-learn is not installed.
    """
    try:
        from joblib import parallel_config
        from sklearn.multiclass import OneVsOneClassifier
        from sklearn.svm import LinearSVC
    except ImportError as error:
        raise UserError(f"the model svm needs scikit-learn: {suggest_extra('svm')}") from error
    if digits.shape[1] != 1 or "length" in model.output:
        raise UserError("the model svm reads single digits: choose another --model for this data set")
    features, classes = images.reshape(len(images), -1) / 255, digits[:, 0]
    machines = OneVsOneClassifier(LinearSVC(dual=cast(Any, False), tol=1e-3, random_state=seed), n_jobs=-1)
    with parallel_config("threading"), warnings.catch_warnings(action="ignore"):  # that it may iterate longer
        try:
            found, score = search_regularization(machines, features, classes, seed)
            machines.set_params(estimator__C=found).fit(features, classes)
        except ValueError as error:
            raise UserError(f"the SVM can't be fitted: {error}: give it {FOLDS} or more of several digits") from error
    model.get_layer("margins").set_weights(_extract_weights(machines))
    return f"C = {found:.4g}: {score:.4f} right in {FOLDS}-fold cross-validation on up to {SEARCH_EXAMPLES} examples"


def search_regularization(machines: Any, features: np.ndarray, classes: np.ndarray, seed: int) -> tuple[float, float]:
    """The best of `DRAWS` random C in 2^-7 … 2^6, log-uniformly, and the accuracy it has in cross-validation."""
    from scipy.stats import loguniform
    from sklearn.model_selection import RandomizedSearchCV, StratifiedShuffleSplit

    part = np.arange(len(classes))
    if len(classes) > SEARCH_EXAMPLES:
        drawn = StratifiedShuffleSplit(1, train_size=SEARCH_EXAMPLES, random_state=seed).split(features, classes)
        part, _ = next(drawn)
    space = {"estimator__C": loguniform(2.0**-7, 2.0**6)}
    searched = RandomizedSearchCV(machines, space, n_iter=DRAWS, cv=FOLDS, random_state=seed, refit=False)
    searched.fit(features[part], classes[part])
    return float(searched.best_params_["estimator__C"]), float(searched.best_score_)


def _extract_weights(machines: Any) -> list[np.ndarray]:
    """Kernel (pixels, pairs) and bias (pairs,) of the layer `margins`; a digit that never occurred loses every vote."""
    pixels = machines.estimators_[0].coef_.shape[1]
    occurs = np.isin(np.arange(NUM_CLASSES), machines.classes_).astype(np.float32)
    kernel, bias = np.zeros((pixels, len(PAIRS)), np.float32), occurs[PAIRS[:, 1]] - occurs[PAIRS[:, 0]]
    columns = [index for index, pair in enumerate(PAIRS) if np.isin(pair, machines.classes_).all()]
    for column, machine in zip(columns, machines.estimators_, strict=True):
        kernel[:, column], bias[column] = machine.coef_[0], machine.intercept_[0]
    return [kernel, bias]
