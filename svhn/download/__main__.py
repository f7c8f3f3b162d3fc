"""Fetch the archives of a data set, verify and unpack them; or draw the data set, if it is `synthetic`."""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags
from tqdm import tqdm

from svhn.config import Config, Paths, get_registered
from svhn.download.archives import download_dataset
from svhn.runtime import shell


def main(argv: list[str]) -> None:
    from svhn.datasets import DATASETS

    options = flags.FlagValues()
    flags.DEFINE_string("dataset", Config.dataset, f"data set: {', '.join(sorted(DATASETS))}", flag_values=options)
    flags.DEFINE_list("splits", [], "sources to fetch, separated by commas (default: all)", flag_values=options)
    flags.DEFINE_string("url", "", "mirror or local folder to fetch from (default: the publisher)", flag_values=options)
    flags.DEFINE_string("data_dir", Paths.data_dir, "folder to fetch into", flag_values=options)
    flags.DEFINE_integer(
        "pictures", 0, "number of training pictures to draw (0: the data set's own number)", 0, flag_values=options
    )
    shell.parse_flags(options, argv, str(__doc__))
    spec = get_registered("data set", DATASETS, options.dataset)
    download_dataset(spec, Path(options.data_dir), options.url, options.splits, tqdm.write, options.pictures)


if __name__ == "__main__":
    sys.exit(shell.run_main(main, sys.argv))
