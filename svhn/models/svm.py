"""Linear support vector machines, one for each pair of digits, that vote on the digit."""

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

PAIRS = np.array(list(combinations(range(NUM_CLASSES), 2)))  # (45, 2): the two digits that each machine tells apart
SEARCH_EXAMPLES = 6000  # most examples that the search for C uses; the final fit uses all
FOLDS = 5  # of the cross-validation
DRAWS = 8  # values of C that are tried


def build(image_shape: tuple[int, int, int], max_length: int, lengths: int) -> keras.Model:
    """The model as `ModelSpec.build` describes it.

    A digit's logit is the number of pairs it wins minus the number it loses. The sum of its margins, squashed to below
    one vote, breaks ties.
    """
    image = keras.Input(image_shape, name="image")
    x = layers.Flatten()(layers.Rescaling(1 / 255)(image))
    margins = layers.Reshape((max_length, len(PAIRS)))(layers.Dense(max_length * len(PAIRS), name="margins")(x))

    first, second = np.eye(NUM_CLASSES, dtype=np.float32)[PAIRS.T]
    margins = ops.cast(margins, "float32")
    won: Any = ops.matmul(ops.sign(margins), second - first)
    digits = won + ops.softsign(ops.matmul(margins, second - first))
    length = add_length_head(x, lengths) if lengths else None
    return keras.Model(image, cast_outputs(digits, length), name="svm")


def fit_svm(model: keras.Model, images: np.ndarray, digits: np.ndarray, seed: int) -> str:
    """Search for the regularization C by cross-validation on a part of the data, then fit the model on all of it.

    Args:
        model: the model of `build`; its layer `margins` gets the weights.
        images: float32 (examples, height, width, channels) in 0…255.
        digits: int32 (examples, 1).
        seed: the search and the machines depend on it.

    Returns:
        A line for the user: the C that was chosen, and its accuracy.

    Raises:
        UserError: the numbers have several digits, a digit has too few examples, or scikit-learn is not installed.
    """
    try:
        from joblib import parallel_config
        from sklearn.multiclass import OneVsOneClassifier
        from sklearn.svm import LinearSVC
    except ImportError as error:
        raise UserError(f"--model=svm needs scikit-learn: {suggest_extra('svm')}") from error
    if digits.shape[1] != 1 or "length" in model.output:
        raise UserError("--model=svm reads single digits only: choose another --model for this data set")
    features, classes = images.reshape(len(images), -1) / 255, digits[:, 0]
    machines = OneVsOneClassifier(LinearSVC(dual=cast(Any, False), tol=1e-3, random_state=seed), n_jobs=-1)
    with parallel_config("threading"), warnings.catch_warnings(action="ignore"):  # about too few iterations
        try:
            found, score = search_regularization(machines, features, classes, seed)
            machines.set_params(estimator__C=found).fit(features, classes)
        except ValueError as error:
            raise UserError(
                f"--model=svm can't be fitted ({error}): train on at least {FOLDS} examples of each of several digits"
            ) from error
    model.get_layer("margins").set_weights(_extract_weights(machines))
    return f"C = {found:.4g}: {score:.4f} right in {FOLDS}-fold cross-validation on up to {SEARCH_EXAMPLES} examples"


def search_regularization(machines: Any, features: np.ndarray, classes: np.ndarray, seed: int) -> tuple[float, float]:
    """The best of `DRAWS` values of C and its accuracy in cross-validation, from 0 to 1.

    The values are drawn from 2^-7 … 2^6, with a uniform logarithm.

    Args:
        machines: scikit-learn's classifier, whose `estimator__C` is searched.
        features: float32 (examples, pixels) in 0…1. A stratified part of them is used.
        classes: int32 (examples,).
        seed: draws the values and the part.
    """
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
    """Kernel (pixels, pairs) and bias (pairs,) of the layer `margins`. A digit that never occurred loses every pair."""
    pixels = machines.estimators_[0].coef_.shape[1]
    occurs = np.isin(np.arange(NUM_CLASSES), machines.classes_).astype(np.float32)
    kernel, bias = np.zeros((pixels, len(PAIRS)), np.float32), occurs[PAIRS[:, 1]] - occurs[PAIRS[:, 0]]
    columns = [index for index, pair in enumerate(PAIRS) if np.isin(pair, machines.classes_).all()]
    for column, machine in zip(columns, machines.estimators_, strict=True):
        kernel[:, column], bias[column] = machine.coef_[0], machine.intercept_[0]
    return [kernel, bias]
