"""Fetch the archives of a data set, verify and unpack them; or draw the data set, if it is `synthetic`."""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags
from tqdm import tqdm

from svhn.config import Config, Paths, get_registered
from svhn.datasets import DATASETS
from svhn.download.archives import download_dataset
from svhn.runtime import shell
from svhn.runtime.command_line import parse_flags
from svhn.runtime.help_page import Page

GROUPS = {"Data": ("dataset", "splits", "pictures"), "Files": ("url", "data_dir")}


def _list_choices(flag: str) -> str:
    return f": {', '.join(DATASETS)}" if flag == "dataset" else ""


PAGE = Page(
    "svhn download [--flag=value …]",
    "Fetch a data set's archives, verify and unpack them; or draw a data set of one's own.",
    GROUPS,
    list_choices=_list_choices,
)


def _define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    flags.DEFINE_string("dataset", Config.dataset, "data set", flag_values=values)
    flags.DEFINE_list("splits", [], "sources to fetch, comma-separated; empty: all of them", flag_values=values)
    flags.DEFINE_string("url", "", "mirror or local folder in place of the publisher", flag_values=values)
    flags.DEFINE_string("data_dir", Paths.data_dir, "folder of the archives and what they hold", flag_values=values)
    flags.DEFINE_integer(
        "pictures", 0, "pictures to draw for training; 0: as many as the data set has", 0, flag_values=values
    )
    return values


def main(argv: list[str]) -> None:
    options = _define_flags()
    parse_flags(options, argv, PAGE)
    spec = get_registered("data set", DATASETS, options.dataset)
    download_dataset(spec, Path(options.data_dir), options.url, options.splits, tqdm.write, options.pictures)


if __name__ == "__main__":
    sys.exit(shell.run_main(main, sys.argv))
