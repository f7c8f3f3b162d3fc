"""A run's splits, opened: sizes checked, corrupt records left out where the run asks for it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from svhn import records
from svhn.config import Config, Paths, parse_train_on
from svhn.errors import Say, UserError
from svhn.pipeline import integrity
from svhn.records import Split
from svhn.spec import Info


def open_usable_split(config: Config, paths: Paths, info: Info, name: str, scratch: Path, say: Say) -> Split:
    """A split; where it is train, that of all data sets that the run trains on, as one.

    Corrupt records are left out, and their number is said, if the run says `skip_corrupt`.
    """
    if name != "train":
        return _open_usable_part(config, paths, info, name, scratch, say)
    parts = []
    for dataset in parse_train_on(config.train_on, config.dataset):
        named = info if dataset == config.dataset else records.read_info(paths.records_dir, dataset)
        records.check_records_match(named, info)
        parts.append(_open_usable_part(config, paths, named, name, scratch, say))
    return Split(*(list(chain(*column)) for column in zip(*parts, strict=True)))


def _open_usable_part(config: Config, paths: Paths, info: Info, name: str, scratch: Path, say: Say) -> Split:
    split = records.open_split(paths.records_dir, info, name)
    if not config.skip_corrupt:
        integrity.check_sizes(split)
        return split
    folder = scratch / info.dataset
    folder.mkdir(exist_ok=True)
    intact = integrity.salvage_split(split, folder)
    say(f"Left out {split.examples - intact.examples} corrupt records of the split {name!r} of {info.dataset}.")
    if not intact.examples:
        raise UserError(f"no record of the split {name!r} is intact: run `python -m svhn.wrangle` again")
    return intact
