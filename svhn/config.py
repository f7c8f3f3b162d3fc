"""The options of a run: one frozen dataclass for what it is, one for where its files lie."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from svhn.errors import UserError

CHOICES = {"optimizer": ("adam", "adamw", "amsgrad", "rmsprop", "sgd"), "decay": ("cosine", "linear", "constant")}
RELEASED = Path(__file__).parent / "released"  # a run that comes with the package, others in folders below it
LARGEST_INTEGER = 2**63  # whole numbers reach TensorFlow as int64


def _define_option(default: Any, description: str, fixed: str = "") -> Any:
    """A field with its flag's description.

    Args:
        default: the flag's default; its type is the flag's type.
        description: for `--help`.
        fixed: "run" where it can't change once a run has begun, "training" where only `valid` and `test` may change it.
    """
    return dataclasses.field(default=default, metadata={"description": description, "fixed": fixed})


@dataclass(frozen=True)
class Config:
    """What a run is: data, model, recipe. Written to its `config.json`, read back by every later mode."""

    dataset: str = _define_option("svhn", "data set; the one that the model was designed for unless named", "run")
    model: str = _define_option("reader", "model", "run")
    train_on: str = _define_option(
        "",
        "data sets to train on, by comma, whose records are of the same form; the run's own unless named",
        "training",
    )
    random_crop: bool = _define_option(
        True, "train on random crops of 27/32 of the record's height and width, evaluate on the centre", "run"
    )
    grayscale: bool = _define_option(False, "turn colour pictures grey", "run")
    seed: int = _define_option(0, "the same seed gives the same run", "training")
    batch_size: int = _define_option(64, "examples a step, over all replicas", "training")
    num_epochs: int = _define_option(36, "passes over the training split")
    num_steps: int = _define_option(0, "steps to train instead of num_epochs; 0: num_epochs")
    optimizer: str = _define_option(
        "adamw", "adam, adamw, amsgrad, rmsprop or sgd (with Nesterov's momentum of 0.9)", "training"
    )
    lrate: float = _define_option(2e-3, "peak learning rate")
    warmup_steps: int = _define_option(300, "steps over which the learning rate rises linearly")
    decay: str = _define_option("cosine", "of the learning rate after the warm-up: cosine, linear or constant")
    reduce_on_plateau: int = _define_option(
        0, "halve the learning rate after so many checkpoints without a higher accuracy on valid; 0: never"
    )
    early_stopping: int = _define_option(
        0, "stop after so many checkpoints without a higher accuracy on valid; 0: never"
    )
    weight_decay: float = _define_option(0.02, "decoupled weight decay of the kernels, whatever the optimizer")
    clip_norm: float = _define_option(5.0, "largest global norm of the gradient; 0: not clipped")
    label_smoothing: float = _define_option(0.05, "probability spread over all classes")
    init_from: str = _define_option("", "run whose weights a new run begins with, as far as they fit", "training")
    map_weight: float = _define_option(
        1.0, "weight of learning which digit lies where, for models and data sets that can; 0: not learnt", "training"
    )
    teacher: str = _define_option(
        "", "run whose readings are learnt beside the labels; best a released one, which stays as it is", "training"
    )
    distillation: float = _define_option(
        0.5, "share of a teacher's readings in what is learnt, the labels have the rest"
    )
    average: float = _define_option(
        0.999, "momentum of the averaged weights that are evaluated; 0: the weights as they are", "training"
    )
    augment: bool = _define_option(True, "vary the training images as the data set lists it")
    magnitude: float = _define_option(1.0, "factor on how far that goes, not on how often")
    views: int = _define_option(
        1, "variations of a picture whose readings are averaged in evaluation; 1: only as it is", "training"
    )
    temperature: float = _define_option(
        1.0, "divides the logits in evaluation, for an honest confidence; release finds it on valid", "training"
    )
    threshold: float = _define_option(
        0.5, "least probability of there being a number, below which a finder says there is none", "training"
    )
    mixed_precision: bool = _define_option(
        True, "compute in bfloat16 where the machine is fast at it; weights are float32"
    )
    checkpoint_every: int = _define_option(1000, "steps between checkpoints; valid is scored at each")
    max_to_keep: int = _define_option(50, "checkpoints to keep, besides the best")
    log_every: int = _define_option(100, "steps between progress lines")
    verbose: bool = _define_option(True, "print the progress lines")
    num_threads: int = _define_option(2, "threads that decode images")

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
        for name in ("distillation", "threshold"):
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
                raise UserError(f"--{name}={getattr(self, name)}: expected one of {', '.join(values)}")


@dataclass(frozen=True)
class Paths:
    """Where a run's files lie."""

    name: str = _define_option("demo", "name of the run: the folder of its checkpoints and results")
    log_name: str = _define_option("run1", "name of this session's TensorBoard logs; --log for short")
    data_dir: str = _define_option("data", "folder of the sources, as published")
    records_dir: str = _define_option("records", "folder of the TFRecords")
    checkpoints_dir: str = _define_option("checkpoints", "folder of the runs' checkpoints")
    results_dir: str = _define_option("results", "folder of the tables and pictures")
    log_dir: str = _define_option("logs", "folder of the TensorBoard logs")

    def __post_init__(self) -> None:
        for flag in ("name", "log_name"):
            check_folder_name(flag, getattr(self, flag))

    @property
    def run_folder(self) -> Path:
        folder = Path(self.checkpoints_dir) / self.name
        packaged = RELEASED if self.name == RELEASED.name else RELEASED / self.name
        return packaged if (packaged / "config.json").exists() and not folder.exists() else folder

    @property
    def results(self) -> Path:
        return Path(self.results_dir) / self.name

    @property
    def logs(self) -> Path:
        return Path(self.log_dir) / self.log_name / self.name


def parse_train_on(train_on: str, dataset: str) -> list[str]:
    """Those that `--train_on` names, or else the run's own. Raises `UserError` where a name is empty or repeated."""
    names = [name.strip() for name in train_on.split(",")] if train_on else [dataset]
    if "" in names or len(set(names)) < len(names):
        raise UserError(f"--train_on={train_on}: expected names of data sets, each once, for example svhn,synthetic")
    return names


def check_folder_name(flag: str, value: str) -> None:
    if not value or value in (".", "..") or any(c in value for c in "/\\\0"):
        raise UserError(f"--{flag}={value!r}: expected the name of one folder, without separators and not '..'")


def _check_types(options: Any) -> None:
    """Raise `UserError` for a value of another type than its field's default: config.json can be written by hand."""
    for field in dataclasses.fields(options):
        value, expected = getattr(options, field.name), type(field.default)
        if type(value) is not expected and not (expected is float and type(value) is int):
            raise UserError(f"{field.name}={value!r}: expected a value such as {field.default!r}")


def _check_ranges(options: Any, names: Iterable[str], at_least: float | None) -> None:
    """Raise `UserError` for a number that is not finite, too large, or below `at_least` (None: not above 0)."""
    for name in names:
        value = getattr(options, name)
        largest = LARGEST_INTEGER if isinstance(value, int) else math.inf
        if not value < largest or (value <= 0 if at_least is None else value < at_least):
            expected = "a number above 0" if at_least is None else f"a number of at least {at_least}"
            raise UserError(f"--{name}={value}: expected {expected} and below {largest:.4g}")


def get_registered(kind: str, registry: Mapping[str, Any], name: str) -> Any:
    """The registry's entry, or a `UserError` with the names there are."""
    if name not in registry:
        raise UserError(f"unknown {kind} {name!r}: expected one of {', '.join(sorted(registry))}")
    return registry[name]
