"""Several models on one data set, each trained by its own recipe, in one table."""

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
from svhn.runs.stored import begin_run, read_history
from svhn.spec import Info
from svhn.training import loop


class Result(NamedTuple):
    """A trained model: accuracies of whole numbers, 0 to 1, its parameters, and the seconds its training took."""

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
) -> list[Result]:
    """Train each model as the run `{name}-{model}`, or go on with it, and score the checkpoint that is best on valid.

    Raises:
        UserError: as `train.train`; or the records have no split `test`.
    """
    records.open_split(paths.records_dir, info, "test")  # said before hours of training
    results = []
    for model in models:
        own = make_model_paths(paths, model)
        say(f"Model {model}:")
        run = begin_run(own.run_folder, {**given, "dataset": info.dataset, "model": model}, info)
        loop.train_model(run, own, say)
        results.append(_measure_model(run, own))
    return results


def make_model_paths(paths: Paths, model: str) -> Paths:
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
    """For a person to read."""
    lines = [f"{'model':<12}   train    test  parameters  seconds"]
    for row in results:
        accuracies = f"{100 * row.train_accuracy:7.2f}%{100 * row.test_accuracy:7.2f}%"
        lines.append(f"{row.model:<12}{accuracies}{row.parameters:>12,}{row.seconds:>9.0f}")
    return "\n".join(lines)
