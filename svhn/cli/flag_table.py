"""The flags: the default of each, its line in `--help`, and the values that it may have."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from svhn.config import Config, Paths
from svhn.runtime.waiting import WAIT_MINUTES
from svhn.serving.limits import Limits

GROUPS = ("Run", "Data", "Recipe", "Augmentation", "Evaluation", "Files")  # headings of --help
TABLE = "table"  # value of --as
CHOICES = {
    "split": ("train", "valid", "test"),
    "format": ("litert", "litert_float16", "litert_int8", "onnx", "savedmodel"),
    "engine": ("auto", "litert", "onnx", "tensorflow"),  # as svhn.reading.engine.ENGINES has them
    "as": (TABLE, "label-studio", "coco", "yolo", "csv"),  # as svhn.reading.prelabel_formats.FORMATS has them
}
ALIASES = {"log": "log_name"}  # of flags, as the reference has them
LIMITS = Limits()
NOT_FLAGS = ("temperature",)  # fields of Config that are measured and never typed


@dataclass(frozen=True)
class Flag:
    """A flag: its default, its line in `--help`, and that line's heading.

    The type of the default in `FLAGS` is the flag's type. A command's own default may be None: the run's own.
    """

    default: Any
    help: str
    group: str


def _make_option_flags() -> dict[str, Flag]:
    """The flags, by name, that set the fields of `Paths` and `Config`."""
    options = (*dataclasses.fields(Paths), *dataclasses.fields(Config))
    return {
        each.name: Flag(each.default, each.metadata["description"], each.metadata["group"])
        for each in options
        if each.name not in (*NOT_FLAGS, "data_dir")  # download and wrangle alone take --data_dir, and define it
    }


FLAGS = {
    **_make_option_flags(),
    "images": Flag([], "files, folders, patterns or a CSV of pixels to read, comma-separated", "Data"),
    "recursive": Flag(True, "pictures in the subfolders of a folder, too", "Data"),
    "fps": Flag(10.0, "frames a second of a video that are read at most; 0: every frame", "Data"),
    "checkpoint": Flag("", "checkpoint: best, latest or a step; empty: the best on valid, else the latest", "Run"),
    "split": Flag("valid", "split to show: valid or test", "Data"),
    "suspects": Flag(False, "table of the labels that the run is sure are wrong, in place of the page", "Data"),
    "finder": Flag("finder", "run that finds the numbers in a picture", "Run"),
    "engine": Flag("auto", f"what computes the networks: {', '.join(CHOICES['engine'])}", "Run"),
    "wait_minutes": Flag(WAIT_MINUTES, "minutes to wait for the other machines of TF_CONFIG", "Run"),
    "threads": Flag(0, "pictures to read at once; 0: as many as there are cores", "Run"),
    "format": Flag("savedmodel", f"file format: {', '.join(CHOICES['format'])}", "Files"),
    "max_megabytes": Flag(LIMITS.megabytes, "megabytes of a request", "Run"),
    "max_pictures": Flag(LIMITS.pictures, "pictures of a request", "Run"),
    "max_seconds": Flag(LIMITS.seconds, "seconds until a request is answered", "Run"),
    "max_waiting": Flag(LIMITS.waiting, "requests that wait at once; more are told to come back", "Run"),
    "host": Flag("127.0.0.1", "address of the page; 0.0.0.0 opens it to the network", "Run"),
    "port": Flag(0, "port of the page; 0: the first free one from 7860", "Run"),
    "annotate": Flag("", "folder for copies of the pictures with boxes and numbers drawn in", "Files"),
    "output": Flag("", "file or folder to write; empty: in the run's results", "Files"),
    "as": Flag(TABLE, f"what --output holds: a table, or pre-labels to correct: {', '.join(CHOICES['as'])}", "Files"),
    "picture_address": Flag(
        "/data/local-files/?d=", "what stands before a picture's name in the tasks of --as=label-studio", "Files"
    ),
    "part_size": Flag(500, "pictures per part, where --output is a folder", "Files"),
    "blend": Flag("", "run of the same model whose weights are averaged with the released ones", "Recipe"),
    "blend_share": Flag(0.5, "share, from 0 to below 1, of the weights of --blend in the released ones", "Recipe"),
    "restart": Flag(False, "removal of the parts that an interrupted call has finished", "Files"),
    "accept_errors": Flag(
        False, "a row with the error for a file that can't be read for now; else its part fails", "Files"
    ),
    "runner": Flag("", "runner of Apache Beam that makes the parts, such as DirectRunner; empty: this process", "Run"),
    "runner_options": Flag([], "options of the runner, comma-separated, each as --name=value", "Run"),
}
