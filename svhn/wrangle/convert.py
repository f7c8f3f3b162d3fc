"""Records from sources: has the shards of all splits made, and puts them in place once all are complete."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from svhn.errors import UserError, shorten
from svhn.records import CORRECTED_BY, merge_earlier_info, read_info, withdraw_splits, write_info
from svhn.runtime.files import atomic_write, describe_file, digest_files
from svhn.runtime.parts import Plan, check_complete, complete_plan, discard_plan, open_plan, read_result
from svhn.runtime.place import Place
from svhn.spec import DatasetSpec, Entry, Info
from svhn.wrangle.corrections import CORRECTED
from svhn.wrangle.crop import Crop, crop_entry, describe_encoder
from svhn.wrangle.draw import Options, Tally, draw_splits
from svhn.wrangle.shards import (
    Shard,
    Summary,
    add_lengths,
    find_missing,
    list_part_names,
    list_shards,
    make_shards,
    read_summaries,
    replace_splits,
)
from svhn.wrangle.unnamed import describe_unnamed, find_unnamed

WORK_FIELDS = ("dataset", "size", "margin", "max_length", "longer", "seed", "schema")  # of `Info`
PLAN_FOLDER = "unfinished"  # in the folder of a data set's records: holds the new shards until all are complete

MakeShards = Callable[[Place, Sequence[Shard], Crop], None]


class Result(NamedTuple):
    """What comes of wrangling: the records of its splits, and lines for the user."""

    info: Info
    lines: list[str]


def convert_dataset(
    spec: DatasetSpec,
    data_dir: Path,
    records_dir: Path,
    sources: Sequence[str],
    options: Options,
    restart: bool = False,
    make: MakeShards | None = None,
    version: str = "",
) -> list[str]:
    """Write the records of the sources; returns lines for the user.

    The splits of other sources stay as they are if they were made with the same options. After a kill, the same call
    makes only the shards that are missing.

    Args:
        spec: the data set.
        data_dir: folder of the sources; absolute if `make` gives the shards to processes with another start folder.
        records_dir: folder of the records of all data sets.
        sources: names of the sources.
        options: how to make the records.
        restart: whether what an interrupted call has made is removed first.
        make: `(place, shards, crop)` makes shards in the plan's folder; None for processes of this machine.
        version: version of the program, which may decide what the records hold.

    Raises:
        UserError: a source can't be read, too many of its pictures can't be used, another source would drop out of
            a split that both go into, or an interrupted call did other work. Earlier records then stay as they were.
    """
    _check_shared_splits(spec, records_dir, sources)
    tally, folder = Tally(spec.path), records_dir / spec.name
    splits = draw_splits(spec, data_dir, sources, options, tally)
    shards = list_shards(splits)
    info = _start_info(spec, options, _describe_sources(spec, data_dir, sources, options))
    identity = {**_describe_work(spec, info, options, splits), "the version": version}
    with open_plan(Plan(folder / PLAN_FOLDER, identity, list_part_names(shards)), restart) as plan:
        if plan.result is None:
            crop = partial(
                crop_entry, spec.load, spec.locate, spec.path, options.size, options.margin, spec.image_format
            )
            (make or partial(make_shards, processes=options.processes))(plan.place, find_missing(plan, shards), crop)
            check_complete(plan)
            summaries = read_summaries(plan.folder, shards, splits)
            _check_skipped(folder, tally, summaries, options.max_skipped)
            _check_numbers(data_dir, summaries)
            lines = _summarize_records(folder, tally, summaries, spec.longer)
            plan = complete_plan(plan, {"info": dataclasses.asdict(_fill_info(info, summaries)), "lines": lines})
        result = read_result(plan, Result)
        _replace_records(records_dir, plan.folder, result.info, shards, splits)
        discard_plan(plan)
    unnamed = describe_unnamed(find_unnamed(spec, data_dir, sources, tally.named))
    return [*unnamed, *options.corrections.summarize(), *result.lines]


def _check_shared_splits(spec: DatasetSpec, records_dir: Path, sources: Sequence[str]) -> None:
    """Raises `UserError` if a split would lose a source: a split is written as a whole, from all sources at once."""
    try:
        earlier = read_info(records_dir, spec.name).sources
    except UserError:
        return
    missing = [source for source in spec.valid_from if source in earlier and source not in sources]
    if missing and set(sources) & set(spec.valid_from):
        together = ",".join((*sources, *missing))
        raise UserError(
            f"the records of train and valid hold {', '.join(missing)}, too: name all with --splits={together}, "
            "or choose another --records_dir"
        )


def _describe_sources(spec: DatasetSpec, data_dir: Path, sources: Sequence[str], options: Options) -> dict[str, str]:
    """The checksum of each source and, if train or valid is made of it, the digest of its corrections."""
    checksums = {source: spec.checksum(data_dir, source) for source in sources}
    corrected = {*CORRECTED, *spec.valid_from} & {*sources}
    return {**checksums, **{source: options.corrections.describe_source(checksums[source]) for source in corrected}}


def _start_info(spec: DatasetSpec, options: Options, checksums: Mapping[str, str]) -> Info:
    """The `Info` of no splits yet."""
    return Info(
        dataset=spec.name,
        size=options.size,
        margin=options.margin,
        channels=spec.channels,
        max_length=spec.max_length,
        image_format=spec.image_format,
        fixed_length=spec.fixed_length,
        longer=spec.longer,
        splits={},
        sizes={},
        lengths={},
        sources=checksums,
        seed=options.seed,
    )


def _describe_work(
    spec: DatasetSpec, info: Info, options: Options, splits: Mapping[str, Sequence[Entry]]
) -> dict[str, Any]:
    """What the bytes of the shards depend on, by the names that messages give it."""
    paths = {entry.name: spec.path(entry) for entry in chain(*splits.values())} if spec.path else {}
    return {
        **{name: getattr(info, name) for name in WORK_FIELDS},
        "valid_share": options.valid_share,
        "the digest of the corrections": options.corrections.digest,
        **{f"the source {source}": checksum.partition(CORRECTED_BY)[0] for source, checksum in info.sources.items()},
        "the digest of the pictures' names, sizes and times": digest_files(
            paths, lambda name: describe_file(paths[name])
        ),
        "the encoder": describe_encoder(spec.image_format),
    }


def _fill_info(info: Info, summaries: Mapping[str, Sequence[Summary]]) -> Info:
    """`info` with the splits that were made."""
    return dataclasses.replace(
        info,
        splits={split: [each.examples for each in found] for split, found in summaries.items()},
        sizes={split: [each.size for each in found] for split, found in summaries.items()},
        lengths={split: add_lengths(found) for split, found in summaries.items()},
        encoders=dict.fromkeys(summaries, describe_encoder(info.image_format)),
    )


def _check_skipped(folder: Path, tally: Tally, summaries: Mapping[str, Sequence[Summary]], max_skipped: float) -> None:
    """Add the pictures that the shards left out to the tally, and list all skipped pictures in `skipped.csv`.

    Raises:
        UserError: there are too many. The shards are kept for a call that allows as many.
    """
    tally.skipped += chain.from_iterable(each.skipped for each in chain(*summaries.values()))
    listing = folder / "skipped.csv"
    with atomic_write(listing, "w") as file:
        csv.writer(file, lineterminator="\n").writerows([("name", "reason"), *tally.skipped])
    count = len(tally.skipped)
    if count > max_skipped * tally.entries:
        name, reason = tally.skipped[0]
        raise UserError(
            f"{count} of {tally.entries} pictures can't be used, more than --max_skipped={max_skipped:g} allows; "
            f"the first: {shorten(f'{name}: {reason}')}. {listing} lists all. Mend the source and add --restart, "
            "or raise --max_skipped, which keeps the finished files"
        )


def _check_numbers(data_dir: Path, summaries: Mapping[str, Sequence[Summary]]) -> None:
    """Raises `UserError` if there is no number at all, so that earlier records stay."""
    if not any(each.examples for each in chain(*summaries.values())):
        raise UserError(f"{data_dir} has no number that can be used: see what --check prints about its labels")


def _replace_records(
    records_dir: Path,
    plan_folder: Path,
    info: Info,
    shards: Sequence[Shard],
    splits: Mapping[str, object],
) -> None:
    """Put complete shards in place, and their `Info`. After a kill, the same call goes on.

    The other splits' part of `info.json` is read at the end, since salvaging may change it after a kill.
    """
    withdraw_splits(records_dir, info.dataset, splits)  # until the new files are in place
    replace_splits(plan_folder, records_dir / info.dataset, shards, splits)
    write_info(records_dir, merge_earlier_info(records_dir, info))


def _summarize_records(
    folder: Path, tally: Tally, summaries: Mapping[str, Sequence[Summary]], longer: bool
) -> list[str]:
    lines = [
        f"{split}: {sum(each.examples for each in found)} examples in {len(found)} files"
        for split, found in summaries.items()
    ]
    if "valid" in summaries and not any(each.examples for each in summaries["valid"]):
        lines.append("valid is empty, so no checkpoint will be scored: if it is drawn from train, raise --valid_share")
    if longer and tally.too_long:
        lines.append(
            f"{tally.too_long} numbers longer than --max_length: a network learns that they are too long, not their "
            "digits; raise --max_length to have them read"
        )
    left_out = "" if longer else f"{tally.too_long} numbers longer than --max_length, "
    return [*lines, f"left out: {left_out}{len(tally.skipped)} pictures skipped", f"Records saved to {folder}"]
