"""Label Studio's JSON and JSON-MIN. https://labelstud.io/guide/export

A task is a picture with the annotations of one person or several. Of several, the newest one that is marked as ground
truth counts, or else the newest one if all have the same numbers. Skipped annotations and predictions don't count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from svhn.datasets.formats.digit_joining import Number, list_numbers
from svhn.datasets.formats.label_rows import (
    SPLITS,
    LabelRow,
    Labels,
    describe_unlabeled,
    describe_unused,
    join_row_problems,
    list_json_files,
    read_json,
)
from svhn.datasets.formats.label_studio_min import PROBLEM, is_minimal, make_tasks
from svhn.datasets.formats.label_studio_regions import Region, list_marks, list_regions
from svhn.datasets.formats.picture_paths import PictureIndex, find_picture, index_pictures
from svhn.datasets.formats.picture_sizes import find_size
from svhn.errors import UserError, quote
from svhn.images import list_suffixes

MARKS = (b'"annotations"', b'"annotation_id"', b'"completions"')  # one of which each export holds
PATHS = ("d", "filepath")  # parameters of an address that hold a file's path
LISTS = ("annotations", "completions")  # the second one in exports of versions before 1.0


def find_label_studio_files(data_dir: Path) -> list[Path]:
    """The JSON files of a folder that hold a list with annotations. A list of tasks alone is none of them."""
    return [path for path in list_json_files(data_dir) if _is_export(path.read_bytes())]


def _is_export(content: bytes) -> bool:
    starts = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    return starts and any(mark in content for mark in MARKS)


def read_label_studio(data_dir: Path, paths: Sequence[Path]) -> Labels:
    """The numbers of all files.

    Raises:
        UserError: a file is not JSON, or holds other things than tasks.
        PassingError: a picture whose size the file does not give can't be measured now.
    """
    pictures = index_pictures(data_dir)
    tables = [_read_file(data_dir, path, pictures) for path in paths]
    return Labels([row for table in tables for row in table.rows], [note for table in tables for note in table.notes])


class _Work(NamedTuple):
    """An annotation: what is noted about it, its regions and numbers, and how many regions are not used, by reason."""

    notes: Mapping[str, Any]
    regions: list[Region]
    numbers: list[Number]
    unused: Counter[str]


class _Tally(NamedTuple):
    """What was not used, and the pictures without a number."""

    unused: Counter[str]
    bare: list[str]


def _read_file(data_dir: Path, path: Path, pictures: PictureIndex) -> Labels:
    tasks = read_json(path)
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise UserError(f"{path} is no list of tasks, expected Label Studio's JSON or JSON-MIN: export it again")
    tasks = make_tasks(tasks) if is_minimal(tasks) else tasks
    tally, name = _Tally(Counter(), []), path.relative_to(data_dir).as_posix()
    rows = [row for task in tasks for row in _read_task(data_dir, name, task, pictures, tally)]
    said = f"{path}: Label Studio, {len(tasks)} tasks with {len(rows)} numbers; boxes in percent of the picture"
    joined = "single digits joined by their places"
    notes = [f"{said}; {joined}", *describe_unused(path, tally.unused), *describe_unlabeled(path, tally.bare)]
    return Labels(rows, notes)


def _read_task(
    data_dir: Path, file: str, task: Mapping[str, Any], pictures: PictureIndex, tally: _Tally
) -> Iterator[LabelRow]:
    """The numbers of a task."""
    place, data = f"{file}, task {task.get('id')}", task.get("data")
    data = data if isinstance(data, dict) else {}
    address = find_address(data, task.get("file_upload"))
    name, lost = find_picture(pictures, address, PurePosixPath(file).parent.as_posix())
    works = [_read_annotation(each, place, data_dir / name) for each in _list_finished(task, tally.unused)]
    chosen, doubt = _choose_work(works)
    tally.unused.update(chosen.unused)
    if not chosen.numbers:
        tally.bare.append(name)
    sizes = {region.size for region in chosen.regions} - {None}
    size = sizes.pop() if len(sizes) == 1 else None
    for text, box, digits, where, fault in chosen.numbers:
        problems = join_row_problems(name, text, lost, doubt, fault)
        yield LabelRow(name, text, box, SPLITS.get(str(data.get("split")), ""), where, problems, digits, size)


def find_address(data: Mapping[str, Any], uploaded: object) -> str:
    """The path of a task's picture: of the first of its data that ends as a picture, or of the uploaded file."""
    texts = [clean_address(value) for value in (*data.values(), uploaded) if isinstance(value, str)]
    pictures = [text for text in texts if PurePosixPath(text).suffix.lower() in list_suffixes()]
    return next(iter([*pictures, *texts]), "")


def clean_address(address: str) -> str:
    """The path in an address. A place on the server, or in the web, begins with a slash."""
    if "://" not in address and not address.startswith("/data/"):
        return address
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets that hold no address
        return address
    named = (values[0] for name, values in parse_qs(parts.query).items() if name in PATHS)
    return "/" + next(named, unquote(parts.path)).lstrip("/")


def _list_finished(task: Mapping[str, Any], unused: Counter[str]) -> list[Mapping[str, Any]]:
    """The annotations that count; the others, and predictions, are counted."""
    lists = [task[name] for name in LISTS if isinstance(task.get(name), list)]
    found: list[Mapping[str, Any]] = [each for some in lists for each in some if isinstance(each, dict)]
    finished = [each for each in found if not (each.get("was_cancelled") or each.get("skipped"))]
    predictions = task.get("predictions")
    unused["skipped annotations"] += len(found) - len(finished)
    unused["predictions"] += len(predictions) if isinstance(predictions, list) else 0
    return finished


def _read_annotation(annotation: Mapping[str, Any], place: str, picture: Path) -> _Work:
    results, unused = annotation.get("result"), Counter[str]()
    regions = list_regions(results if isinstance(results, list) else [], place)
    size, problem = next((region.size for region in regions if region.size), None), ""
    if regions and not size:
        size, problem = find_size(picture)
    marks = list_marks(regions, size or (1, 1), unused)
    problem = problem or str(annotation.get(PROBLEM, ""))
    numbers = [each._replace(problem=problem or each.problem) for each in list_numbers(marks)]
    return _Work(annotation, regions, numbers, unused)


def _choose_work(works: Sequence[_Work]) -> tuple[_Work, str]:
    """The annotation that counts, and why it may be wrong, or ""."""
    if not works:
        return _Work({}, [], [], Counter()), ""
    ordered = sorted(works, key=_find_time)
    truths = [work for work in ordered if work.notes.get("ground_truth") is True]
    if truths:
        return truths[-1], ""
    chosen = next((work for work in reversed(ordered) if work.numbers), ordered[-1])
    read = dict.fromkeys(" ".join(sorted(number.text for number in work.numbers)) or "nothing" for work in ordered)
    doubt = f"{len(works)} annotations disagree: {quote('; '.join(read))}: mark one as ground truth"
    return chosen, doubt if len(read) > 1 else ""


def _find_time(work: _Work) -> str:
    return str(work.notes.get("updated_at") or work.notes.get("created_at") or "")
