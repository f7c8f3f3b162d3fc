"""Several models on one data set: each is trained by its own recipe, and one table compares them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from svhn import records
from svhn.config import Paths
from svhn.errors import Say
from svhn.evaluation import score
from svhn.pipeline import splits
from svhn.run import Run
from svhn.runs import load
from svhn.runs.steps import resolve_step
from svhn.runs.stored import hold_run, read_history
from svhn.runtime.waiting import WAIT_MINUTES
from svhn.spec import Info
from svhn.training import loop


class Result(NamedTuple):
    """A trained model's name, its accuracies of whole numbers (0 to 1), its parameters, and its seconds of training."""

    model: str
    train_accuracy: float
    test_accuracy: float
    parameters: int
    seconds: float


def compare_models(
    models: Sequence[str],
    given: Mapping[str, Any],
    info: Info,
    paths: Paths,
    say: Say,
    wait_minutes: float = WAIT_MINUTES,
) -> list[Result]:
    """Train each model as the run `<name>-<model>`, or go on with it, and score its best checkpoint on train and test.

    Args:
        models: names of models.
        given: options that the user named; they hold for all models.
        info: the form of the records.
        paths: where records and runs lie; `paths.name` begins the names of the runs.
        say: prints a line.
        wait_minutes: as `train_model` takes it.

    Raises:
        UserError: as `train_model`; or the records have no split `test`.
    """
    records.open_split(paths.records_dir, info, "test")  # a missing split is reported before hours of training
    results = []
    for model in models:
        model_paths = make_model_paths(paths, model)
        say(f"Model {model}:")
        with hold_run(model_paths.run_folder, {**given, "dataset": info.dataset, "model": model}, info) as run:
            loop.train_model(run, model_paths, say, wait_minutes)
            results.append(_measure_model(run, model_paths))
    return results


def make_model_paths(paths: Paths, model: str) -> Paths:
    """The paths of the run in which `compare_models` trains a model."""
    return dataclasses.replace(paths, name=f"{paths.name}-{model}")


def _measure_model(run: Run, paths: Paths) -> Result:
    model = load.load_trained_model(run, resolve_step(run.folder))
    network = load.freeze_model(model)

    def accuracy(name: str) -> float:
        split = splits.open_run_split(run, paths, name)
        return score.make_scorer(network, run, split)(name)["sequence_accuracy"]

    seconds = sum(entry["seconds"] for entry in read_history(run.folder)[-1:])
    return Result(run.config.model, accuracy("train"), accuracy("test"), model.count_params(), seconds)


def format_comparison(results: Sequence[Result]) -> str:
    """The results as a text table with one line per model."""
    lines = [f"{'model':<12}   train    test  parameters  seconds"]
    for row in results:
        accuracies = f"{100 * row.train_accuracy:7.2f}%{100 * row.test_accuracy:7.2f}%"
        lines.append(f"{row.model:<12}{accuracies}{row.parameters:>12,}{row.seconds:>9.0f}")
    return "\n".join(lines)
