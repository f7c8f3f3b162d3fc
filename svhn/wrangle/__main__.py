"""Turn a data set's sources into records: crop every number and write the splits as TFRecords."""

from __future__ import annotations

import dataclasses
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

from absl import flags

import svhn
from svhn.config import Paths, check_registered, get_registered
from svhn.datasets import DATASETS
from svhn.errors import UserError, shorten
from svhn.runtime import beam, shell
from svhn.runtime.command_line import CutFlag, parse_flags
from svhn.runtime.help_page import Page
from svhn.runtime.holding import hold_folder
from svhn.runtime.near_names import find_near_path
from svhn.runtime.processes import count_cores
from svhn.spec import DatasetSpec, Size
from svhn.wrangle import check
from svhn.wrangle.corrections import read_corrections
from svhn.wrangle.unnamed import find_unnamed

GROUPS = {
    "Data": (
        "dataset",
        "splits",
        "corrections",
        "max_length",
        "valid_share",
        "seed",
        "max_skipped",
        "check",
        "salvage",
    ),
    "Pictures": ("size", "margin"),
    "Work": ("processes", "runner", "runner_options", "restart"),
    "Files": ("data_dir", "records_dir"),
}
PAGE = Page("svhn wrangle [--flag=value …]", "Turn a data set's sources into records.", GROUPS)
HOLD_RECORDS = ("records", "choose another --records_dir")  # as `hold_folder` takes it
CUT_FLAGS = {"parts": CutFlag("--parts has no effect: parts of numbers are learned no more", takes_value=False)}


def _define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    flags.DEFINE_string("dataset", "svhn", f"data set: {', '.join(DATASETS)}", flag_values=values)
    flags.DEFINE_list("splits", [], "sources to read, comma-separated; empty: all that are there", flag_values=values)
    flags.DEFINE_string(
        "corrections",
        "",
        "CSV of the names and right numbers of pictures whose labels are wrong, as `report --suspects` writes it",
        flag_values=values,
    )
    flags.DEFINE_string("data_dir", Paths.data_dir, "folder of the sources, as published", flag_values=values)
    flags.DEFINE_string("records_dir", Paths.records_dir, "folder of the records", flag_values=values)
    flags.DEFINE_string("size", "", "HEIGHTxWIDTH of the pictures; empty: the data set's own", flag_values=values)
    flags.DEFINE_float(
        "margin", None, "share of the box added on every side; the data set's own unless given", flag_values=values
    )
    flags.DEFINE_integer(
        "max_length", 0, "digits of the longest number to read; 0: the data set's own", 0, 20, flag_values=values
    )
    flags.DEFINE_bool(
        "check",
        False,
        "check of the sources, which lists its findings in a file and makes no records",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "salvage", False, "removal of corrupt records from the damaged files of --records_dir", flag_values=values
    )
    flags.DEFINE_integer("seed", 0, "seed of the validation examples and the order", 0, flag_values=values)
    flags.DEFINE_float("valid_share", 0.05, "share of train that valid takes", 0.001, 0.999, flag_values=values)
    flags.DEFINE_float(
        "max_skipped", 0.001, "largest share of unusable pictures to leave out", 0, 1, flag_values=values
    )
    flags.DEFINE_integer("processes", 0, "processes that crop pictures; 0: one per core", 0, flag_values=values)
    flags.DEFINE_bool(
        "restart", False, "removal of the files that an interrupted call has finished", flag_values=values
    )
    flags.DEFINE_string(
        "runner",
        "",
        "runner of Apache Beam, such as DirectRunner; empty: processes of this machine",
        flag_values=values,
    )
    flags.DEFINE_list(
        "runner_options", [], "options of the runner, comma-separated, each as --name=value", flag_values=values
    )
    return values


def _parse_size(text: str) -> Size:
    match = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", text)
    if not match:
        raise UserError(f"--size={shorten(text)}: expected HEIGHTxWIDTH in pixels, for example 64x64")
    return int(match[1]), int(match[2])


def select_sources(spec: DatasetSpec, data_dir: Path, names: list[str]) -> list[str]:
    """The sources with the given names, or all in the folder. Raises `UserError` if one of them is missing."""
    for source in names:
        check_registered(f"split of {spec.name}", spec.sources, source)
    present = [source for source in spec.sources if spec.present(data_dir, source)]
    missing = [source for source in names if source not in present]
    if missing or not present:
        lacks = f"{data_dir} has no {' and no '.join(missing or spec.sources)} of {spec.name}"
        near = "".join(f"; {line}" for line in _name_near_sources(spec, data_dir))
        raise UserError(f"{lacks}{near}: {_suggest_remedy(spec, data_dir, bool(present))}")
    return list(dict.fromkeys(names)) or present


def _name_near_sources(spec: DatasetSpec, data_dir: Path) -> list[str]:
    """What each source that is missing may be, under another spelling."""
    missing = [source for source in spec.sources if not spec.present(data_dir, source)]
    archives = {source: [archive.filename for archive in spec.sources[source]] for source in missing}
    names = [name for source in missing if archives[source] for name in (source, *archives[source])]
    near = {name: find_near_path(data_dir / name) for name in names}
    return [f"{path} is not read, expected {name}" for name, path in near.items() if path]


def _suggest_remedy(spec: DatasetSpec, data_dir: Path, others: bool) -> str:
    """What to do about missing sources. With `others`, the folder holds other sources."""
    if not any(spec.sources.values()):  # the user's own pictures
        return "add pictures of that split, or leave out --splits"
    apart = ", with another folder if the files present are not the published ones" if others else ""
    return f"run `svhn download --dataset={spec.name} --data_dir={data_dir}`{apart}"


def set_max_length(spec: DatasetSpec, max_length: int) -> DatasetSpec:
    """The data set with another `max_length`; 0 keeps its own. Raises `UserError` for another fixed length."""
    if max_length and spec.fixed_length and max_length != spec.max_length:
        raise UserError(
            f"--max_length={max_length}: all numbers of {spec.name} have {spec.max_length} digits: leave it out"
        )
    return dataclasses.replace(spec, max_length=max_length or spec.max_length)


def _check_sources(spec: DatasetSpec, paths: Paths, sources: list[str], size: Size, processes: int) -> None:
    data_dir, listing = Path(paths.data_dir), Path(paths.records_dir) / spec.name / check.LIST_FILE
    inspections = check.inspect_sources(spec, data_dir, sources, size, processes)
    named = {spec.path(each.entry) for each in inspections if each.entry.source} if spec.path else set()
    kinds = check.sort_findings(inspections, find_unnamed(spec, data_dir, sources, named), spec.max_length)
    print("\n".join(check.format_findings(inspections, kinds)))
    listed = f" ({listing} lists all)" if check.write_findings(listing, kinds) else ""
    problems = check.count_problems(kinds)
    if problems:
        found = f"{problems} problem{'s' * (problems > 1)} found{listed}"
        raise UserError(
            f"{data_dir}: {found}. Fix them, or run without --check, where --max_skipped leaves out what can't be used"
        )
    if all(each.problem for each in inspections):
        raise UserError(f"{data_dir} has no number that can be used: the lines above name what was read")
    print(f"No problem found{listed}. Now run the same command without --check.")


def _read_options(values: flags.FlagValues, spec: DatasetSpec) -> dict[str, Any]:
    """How to make the records. Options that are not given are the data set's own."""
    margin = spec.margin if values.margin is None else values.margin
    if not 0 <= margin <= 10:
        raise UserError(f"--margin={margin}: expected a share of the box from 0 to 10, for example 0.3")
    if values["valid_share"].present and not spec.valid_from:
        raise UserError(
            f"--valid_share={values.valid_share}: {spec.name} has its own source for valid: leave out --valid_share"
        )
    given = {name: values[name].value for name in ("seed", "valid_share", "max_skipped")}
    size = _parse_size(values.size) if values.size else spec.size
    if values.corrections:
        given["corrections"] = read_corrections(Path(values.corrections), spec)
    return {"size": size, "margin": margin, "processes": values.processes or count_cores(), **given}


def main(argv: list[str]) -> None:
    values = _define_flags()
    parse_flags(values, argv, PAGE, CUT_FLAGS)
    if values.salvage:
        _salvage_records(values)
        return
    if values.check:
        _refuse_unused_flags(values)
    spec = set_max_length(get_registered("data set", DATASETS, values.dataset), values.max_length)
    beam.check_runner(values.runner, values.runner_options)
    data_dir = Path(values.data_dir)
    options = _read_options(values, spec)
    sources = select_sources(spec, data_dir, values.splits)
    for line in (*spec.describe(data_dir, sources), *_name_near_sources(spec, data_dir)):
        print(line)
    if values.check:
        bordered = dataclasses.replace(spec, margin=options["margin"])
        paths = Paths(data_dir=values.data_dir, records_dir=values.records_dir)
        _check_sources(bordered, paths, sources, options["size"], options["processes"])
    else:
        _write_records(values, spec, sources, options)


def _refuse_unused_flags(values: flags.FlagValues) -> None:
    unused = [name for name in ("runner", "runner_options", "restart", "corrections") if values[name].present]
    if unused:
        raise UserError(f"--check works on this machine and makes no records: leave out --{unused[0]}")


def _salvage_records(values: flags.FlagValues) -> None:
    check_registered("data set", DATASETS, values.dataset)
    unused = [name for name in values if values[name].present and name not in ("salvage", "dataset", "records_dir")]
    if unused:
        raise UserError(f"--salvage uses only --dataset and --records_dir: leave out --{unused[0]}")
    with shell.silence_tensorflow():
        from svhn.records import read_info
        from svhn.wrangle import salvage

    records_dir = Path(values.records_dir)
    read_info(records_dir, values.dataset)  # where there are no records, no folder is made
    with hold_folder(records_dir / values.dataset, *HOLD_RECORDS):
        for line in salvage.salvage_records(records_dir, values.dataset):
            print(line)


def _write_records(values: flags.FlagValues, spec: DatasetSpec, sources: list[str], options: dict[str, Any]) -> None:
    with shell.silence_tensorflow():  # here, since its log lines would cut through a progress bar
        import tensorflow  # noqa: F401

        from svhn.wrangle import convert, shards

    make, data_dir = None, Path(values.data_dir)
    if values.runner:
        make = partial(shards.make_shards_by_beam, values.runner, values.runner_options)
        data_dir = data_dir.absolute()  # a worker starts in a folder of its own
    folders, made = (data_dir, Path(values.records_dir)), convert.Options(**options)
    with hold_folder(folders[1] / spec.name, *HOLD_RECORDS):
        lines = convert.convert_dataset(spec, *folders, sources, made, values.restart, make, svhn.__version__)
    print("\n".join(lines))


if __name__ == "__main__":
    sys.exit(shell.run_main(main, sys.argv))
