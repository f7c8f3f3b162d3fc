"""Fetch a data set's archives, verify and unpack them: python -m svhn.download [--splits=train,test] [--url=MIRROR]"""

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
    flags.DEFINE_string("dataset", Config.dataset, f"one of {', '.join(sorted(DATASETS))}", flag_values=options)
    flags.DEFINE_list("splits", [], "which of its sources; all that there are unless given", flag_values=options)
    flags.DEFINE_string("url", "", "mirror or local folder instead of the publisher", flag_values=options)
    flags.DEFINE_string("data_dir", Paths.data_dir, "folder that they go to", flag_values=options)
    flags.DEFINE_integer("pictures", 0, "to draw for training; 0: the data set's own", 0, flag_values=options)
    shell.parse_flags(options, argv, str(__doc__))
    spec = get_registered("data set", DATASETS, options.dataset)
    download_dataset(spec, Path(options.data_dir), options.url, options.splits, tqdm.write, options.pictures)


if __name__ == "__main__":
    sys.exit(shell.run_main(main, sys.argv))
