"""The command line: flags from the options' fields, then one call a mode."""

from __future__ import annotations

import dataclasses
import errno
import logging
import os
import re
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import flags

from svhn.cli.commands import MODES
from svhn.cli.session import Session
from svhn.config import RELEASED, Config, Paths, get_registered, parse_train_on
from svhn.datasets import DATASETS
from svhn.errors import UserError
from svhn.models import MODELS
from svhn.publishing.formats import FORMATS
from svhn.runs import stored
from svhn.runtime import shell

DEFINERS = {str: flags.DEFINE_string, int: flags.DEFINE_integer, float: flags.DEFINE_float, bool: flags.DEFINE_bool}
REGISTRIES = {"dataset": DATASETS, "model": MODELS}  # options that are a name in a registry
MODE_FLAGS = {  # flags that are no part of a run
    "checkpoint": ("all", "all, best, latest or a step: what valid and test score; the other modes take one"),
    "split": ("valid", "what report shows: valid or test"),
    "example": ("", "name of the picture whose feature maps report shows; the first one"),
    "finder": ("finder", "run that finds the number in predict's pictures"),
    "format": ("savedmodel", f"that export writes: {', '.join(FORMATS)}"),
    "host": ("127.0.0.1", "where demo's page can be seen from; 0.0.0.0: from everywhere"),
    "port": (0, "of demo's page; 0: the first that is free from 7860 on"),
    "annotate": ("", "folder for copies of predict's pictures with the box and the number drawn into them"),
    "csv": ("", "pictures for predict: Kaggle's columns pixel0, pixel1, …"),
    "output": (
        "",
        "where predict saves a table: .csv or .json; with --csv, ImageId,Label in submission.csv by default; "
        "or where export writes",
    ),
}
DESCRIPTION = """Reads numbers of several digits from pictures: trains, and scores what was trained.

python main.py --mode=train --name=demo     train, or go on with a run
python main.py --mode=valid --name=demo     score every checkpoint on valid
python main.py --mode=test --name=demo      score every checkpoint on test
python main.py --mode=report --name=demo    a page of pictures: curves, confusions, errors, feature maps
python main.py --mode=lr --name=demo        find a learning rate: the loss of real steps while the rate rises
python main.py --mode=predict --images=door.jpg,photos/       find and read the number in any picture
python main.py --mode=predict --name=demo --csv=test.csv --output=submission.csv
python main.py --mode=demo                                   the same on a web page, also of a camera's stream
python main.py --mode=release --name=demo   make a run small enough to be given away, its confidence calibrated
python main.py --mode=export --name=released --format=onnx    for another runtime: savedmodel, litert, litert_int8
python main.py --mode=compare --name=mnist --dataset=mnist --models=svm,shallow,lenet5

An option that isn't given has the value that the run was made with, or else the model's own default. The defaults
shown here are those that models share; those of a run are in its config.json."""


def _define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    flags.DEFINE_string("mode", "train", f"what to do: {', '.join(MODES)}", flag_values=values)
    for name, (default, description) in MODE_FLAGS.items():
        DEFINERS[type(default)](name, default, description, flag_values=values)
    flags.DEFINE_list("images", [], "that predict reads: files, folders and patterns, by comma", flag_values=values)
    flags.DEFINE_list("models", [], f"that compare trains: {', '.join(MODELS)}", flag_values=values)
    for field in (*dataclasses.fields(Paths), *dataclasses.fields(Config)):
        names = f": {', '.join(REGISTRIES[field.name])}" if field.name in REGISTRIES else ""
        description = field.metadata["description"] + names
        DEFINERS[type(field.default)](field.name, field.default, description, flag_values=values)
    flags.DEFINE_alias("log", "log_name", flag_values=values)
    return values


def _parse_session(argv: Sequence[str]) -> Session:
    values = _define_flags()
    shell.parse_flags(values, argv, DESCRIPTION)
    named: dict[str, Any] = values.flag_values_dict()
    get_registered("mode", MODES, named["mode"])
    paths = Paths(**{field.name: named[field.name] for field in dataclasses.fields(Paths)})
    options = [field.name for field in dataclasses.fields(Config)]
    given = {name: named[name] for name in options if values[name].present}
    config = stored.make_config(given)  # a wrong value is said before anything is read
    for dataset in (config.dataset, *parse_train_on(config.train_on, config.dataset)):
        get_registered("data set", DATASETS, dataset)
    for model in named["models"]:
        get_registered("model", MODELS, model)
    if named["split"] not in ("valid", "test"):
        raise UserError(f"--split={named['split']}: expected valid or test")
    if (named["images"] or named["mode"] == "demo") and not values["name"].present:
        paths = dataclasses.replace(paths, name=RELEASED.name)
    lists = {name: named[name] for name in ("images", "models")}
    return Session(named["mode"], paths, given, **lists, **{name: named[name] for name in MODE_FLAGS})


def main(argv: list[str]) -> None:
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    session = _parse_session(argv)
    try:
        MODES[session.mode](session)
    except tf.errors.ResourceExhaustedError as error:
        raise _explain_exhaustion(str(error)) from error


def _explain_exhaustion(message: str) -> Exception:
    """What ran out: of a full disk and of too little memory TensorFlow says the same."""
    if "No space left" in message:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    reason = re.sub(r"^{{.*?}} ", "", message).splitlines()[0][:120]
    return UserError(
        f"memory ran out ({reason}): try fewer --views or a smaller --batch_size, "
        "which a run that has begun can't change: under another --name"
    )
