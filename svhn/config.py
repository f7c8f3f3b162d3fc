"""The options of a run: one frozen dataclass for what it is, one for where its files lie."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from svhn.errors import UserError, quote, shorten

CHOICES = {"optimizer": ("adam", "adamw", "amsgrad", "rmsprop", "sgd"), "decay": ("cosine", "linear", "constant")}
RELEASED = Path(__file__).parent / "released"  # folder of the bundled run `released`; others are folders in it
READER = "released-large"  # the bundled run that reads pictures unless another is named
LARGEST_INTEGER = 2**63  # TensorFlow gets whole numbers as int64, which end below it


def _define_option(default: Any, description: str, group: str, fixed: str = "") -> Any:
    """A field with its flag's help.

    Args:
        default: the flag's default; its type is the flag's type.
        description: the flag's line in `--help`, a noun phrase.
        group: the heading of `--help` under which the flag stands.
        fixed: "run": no command may change it once the run has begun; "training": all may but `train`; "": all may.
    """
    return dataclasses.field(default=default, metadata={"description": description, "group": group, "fixed": fixed})


_define_run_option = partial(_define_option, group="Run")
_define_data_option = partial(_define_option, group="Data")
_define_recipe_option = partial(_define_option, group="Recipe")
_define_augmentation_option = partial(_define_option, group="Augmentation")
_define_evaluation_option = partial(_define_option, group="Evaluation")
_define_folder = partial(_define_option, group="Files")


@dataclass(frozen=True)
class Config:
    """What a run is: data, model, recipe. Written to its `config.json`, read back by every later command."""

    dataset: str = _define_data_option("svhn", "data set, the model's own unless named", fixed="run")
    model: str = _define_run_option("reader", "network", fixed="run")
    train_on: str = _define_data_option(
        "", "data sets to train on, comma-separated, with records of one form; empty: --dataset", fixed="training"
    )
    random_crop: bool = _define_data_option(
        True, "random crops of 27/32 of the height and width in training, the center in evaluation", fixed="run"
    )
    grayscale: bool = _define_data_option(False, "gray pictures in place of color", fixed="run")
    exact_jpeg: bool = _define_data_option(
        True, "JPEGs of records decoded to the pixels that Pillow gives photos when they are read", fixed="run"
    )
    seed: int = _define_run_option(
        0, "seed of weights, order and augmentation: the same one, the same run", fixed="training"
    )
    batch_size: int = _define_recipe_option(64, "examples per step, over all replicas", fixed="training")
    num_epochs: int = _define_recipe_option(36, "passes over the training split")
    num_steps: int = _define_recipe_option(0, "steps to train in place of --num_epochs; 0: --num_epochs")
    optimizer: str = _define_recipe_option(
        "adamw", "optimizer: adam, adamw, amsgrad, rmsprop or sgd (with Nesterov momentum 0.9)", fixed="training"
    )
    lrate: float = _define_recipe_option(2e-3, "peak learning rate")
    warmup_steps: int = _define_recipe_option(300, "steps in which the learning rate rises to its peak")
    decay: str = _define_recipe_option("cosine", "learning-rate schedule after the warm-up: cosine, linear or constant")
    reduce_on_plateau: int = _define_recipe_option(
        0, "checkpoints without progress on valid that halve the learning rate; 0: never"
    )
    early_stopping: int = _define_recipe_option(0, "checkpoints without progress on valid that end training; 0: never")
    weight_decay: float = _define_recipe_option(0.02, "decoupled weight decay of the kernels, for any optimizer")
    clip_norm: float = _define_recipe_option(5.0, "largest global norm of the gradient; 0: no limit")
    label_smoothing: float = _define_recipe_option(0.05, "share of the probability spread over all classes")
    init_from: str = _define_run_option("", "run whose weights a new run starts from, where they fit", fixed="training")
    map_weight: float = _define_recipe_option(
        1.0, "weight of learning where each digit lies, for models and data sets that can; 0: none", fixed="training"
    )
    pretrained_rate: float = _define_recipe_option(
        1.0, "share of the learning rate for the layers of models that have some from elsewhere"
    )
    teacher: str = _define_run_option(
        "", "run whose predictions are learned beside the labels, best a released one", fixed="training"
    )
    distillation: float = _define_recipe_option(
        0.5, "share of the teacher's predictions in what is learned; the labels have the rest"
    )
    average: float = _define_recipe_option(
        0.999, "momentum of the averaged weights that are evaluated; 0: no averaging", fixed="training"
    )
    augment: bool = _define_augmentation_option(True, "variation of the training pictures, as the data set defines it")
    magnitude: float = _define_augmentation_option(
        1.0, "strength of the augmentation: 0 none, 1 as the data set defines it, 2 twice as far; probabilities stay"
    )
    views: int = _define_evaluation_option(
        1, "variants of a picture whose predictions are averaged; 1: the picture alone", fixed="training"
    )
    temperature: float = _define_evaluation_option(
        1.0, "divisor of the logits, for honest confidences; measured on valid by `release`", fixed="training"
    )
    threshold: float = _define_evaluation_option(
        0.5, "least confidence with which a finder's number is answered in a small picture", fixed="training"
    )
    mixed_precision: bool = _define_run_option(
        True, "bfloat16 arithmetic where the machine is fast at it; weights stay float32"
    )
    checkpoint_every: int = _define_evaluation_option(1000, "steps between checkpoints; each is scored on valid")
    max_to_keep: int = _define_run_option(50, "newest checkpoints to keep, besides the best")
    log_every: int = _define_run_option(100, "steps between progress lines")
    verbose: bool = _define_run_option(True, "progress lines")
    num_threads: int = _define_data_option(2, "threads that decode pictures")

    def __post_init__(self) -> None:
        _check_types(self)
        positive = ("batch_size", "checkpoint_every", "max_to_keep", "log_every", "num_threads", "lrate")
        _check_ranges(self, (*positive, "views", "temperature"), at_least=None)
        _check_ranges(self, ("num_epochs", "num_steps", "warmup_steps", "weight_decay", "clip_norm"), at_least=0)
        _check_ranges(self, ("reduce_on_plateau", "early_stopping", "magnitude", "map_weight"), at_least=0)
        parse_train_on(self.train_on, self.dataset)
        for name, largest in (("magnitude", 10), ("views", 100)):
            if getattr(self, name) > largest:
                raise UserError(f"--{name}={getattr(self, name)}: expected at most {largest}")
        for name in ("distillation", "threshold", "pretrained_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"--{name}={getattr(self, name)}: expected a number from 0 to 1")
        for flag in ("teacher", "init_from"):
            if getattr(self, flag):
                check_folder_name(flag, getattr(self, flag))
        for name in ("label_smoothing", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"--{name}={getattr(self, name)}: expected a number from 0 up to, not including, 1")
        if not 0 <= self.seed < 2**32:
            raise UserError(f"--seed={self.seed}: expected a whole number from 0 to {2**32 - 1}")
        for name, values in CHOICES.items():
            if getattr(self, name) not in values:
                raise UserError(f"--{name}={shorten(getattr(self, name))}: expected one of {', '.join(values)}")


def list_options(config: Config) -> list[tuple[str, str, str]]:
    """The name and the value of each option, and its default where the value is another one; else ""."""
    fields = [(field.name, getattr(config, field.name), field.default) for field in dataclasses.fields(config)]
    return [(name, str(value), "" if value == default else str(default)) for name, value, default in fields]


@dataclass(frozen=True)
class Paths:
    """The folders of a run's files."""

    name: str = _define_run_option("demo", "name of the run: the folder of its checkpoints and results")
    log_name: str = _define_run_option("run1", "name of this session's TensorBoard logs")
    data_dir: str = _define_folder("data", "folder of the sources, as published")
    records_dir: str = _define_folder("records", "folder of the records")
    checkpoints_dir: str = _define_folder("checkpoints", "folder of the runs")
    results_dir: str = _define_folder("results", "folder of tables, pictures and reports")
    log_dir: str = _define_folder("logs", "folder of the TensorBoard logs")

    def __post_init__(self) -> None:
        for flag in ("name", "log_name"):
            check_folder_name(flag, getattr(self, flag))

    @property
    def run_folder(self) -> Path:
        """Folder of the run. Without one of this name in `checkpoints_dir`, a bundled run of the name is used."""
        folder = Path(self.checkpoints_dir) / self.name
        packaged = RELEASED if self.name == RELEASED.name else RELEASED / self.name
        return packaged if (packaged / "config.json").exists() and not folder.exists() else folder

    @property
    def results(self) -> Path:
        """Folder of the run's tables, pictures and reports."""
        return Path(self.results_dir) / self.name

    @property
    def logs(self) -> Path:
        """Folder of the run's TensorBoard logs in this session."""
        return Path(self.log_dir) / self.log_name / self.name


def parse_train_on(train_on: str, dataset: str) -> list[str]:
    """The names of the data sets to train on.

    Args:
        train_on: value of `--train_on`: names, separated by commas; "" for the run's own data set.
        dataset: name of the run's own data set.

    Raises:
        UserError: a name is empty or repeated.
    """
    names = [name.strip() for name in train_on.split(",")] if train_on else [dataset]
    if "" in names or len(set(names)) < len(names):
        raise UserError(
            f"--train_on={shorten(train_on)}: expected names of data sets, each once, for example svhn,synthetic"
        )
    return names


def check_folder_name(flag: str, value: str) -> None:
    """Raises `UserError` unless a flag's value is the name of one folder, which can't lead out of its parent."""
    if not value or value in (".", "..") or any(c in value for c in "/\\\0"):
        raise UserError(f"--{flag}={quote(value)}: expected the name of one folder, without separators and not '..'")


def _check_types(options: Any) -> None:
    """Raises `UserError` for a value of another type than its field's default. Users may edit config.json by hand."""
    for field in dataclasses.fields(options):
        value, expected = getattr(options, field.name), type(field.default)
        if type(value) is not expected and not (expected is float and type(value) is int):
            raise UserError(f"{field.name}={quote(value)}: expected a value such as {field.default!r}")


def _check_ranges(options: Any, names: Iterable[str], at_least: float | None) -> None:
    """Raises `UserError` for a number that is not finite, too large or too small.

    Args:
        options: the options.
        names: names of the options to check.
        at_least: smallest value that is allowed; None if the number must be above 0.
    """
    for name in names:
        value = getattr(options, name)
        whole = isinstance(value, int)
        largest = LARGEST_INTEGER if whole else math.inf
        if not value < largest or (value <= 0 if at_least is None else value < at_least):
            lower = "above 0" if at_least is None else f"of at least {at_least}"
            expected = f"a number {lower} and below {largest:.4g}" if whole else f"a finite number {lower}"
            raise UserError(f"--{name}={value}: expected {expected}")


def get_registered(kind: str, registry: Mapping[str, Any], name: str) -> Any:
    """The entry of a registry. Takes the arguments of `check_registered`, and raises its error."""
    check_registered(kind, registry, name)
    return registry[name]


def check_registered(kind: str, registry: Mapping[str, Any], name: str) -> None:
    """Raises `UserError` with the registered names if a registry has no such entry.

    Args:
        kind: what the entries are, for the message: "model" or "data set".
        registry: entries by name.
        name: name of the entry.
    """
    if name not in registry:
        raise UserError(f"unknown {kind} {quote(name)}: expected one of {', '.join(sorted(registry))}")
