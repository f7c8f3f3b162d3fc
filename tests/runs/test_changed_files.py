"""Every JSON file of this package, each of its values changed: it is read, or refused in one line."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from svhn import records
from svhn.config import RELEASED, Paths
from svhn.errors import UserError
from svhn.reading.engine import load_network
from svhn.runs import exported, steps, stored
from svhn.runtime import parts
from svhn.spec import Info
from svhn.wrangle.shards import Shard, Summary, read_summaries

OTHERS: tuple[Any, ...] = (None, True, -1, 0.5, 2**70, "../x", [], [[1]], {"x": 1})
INFO = Info("svhn", (57, 95), 0.3, 3, 5, "jpeg", {"train": [9]}, {"train": [4]}, {"train": {"1": 9}}, {"train": "a"}, 0)
LONGEST_LINE = 1000
MADE_ANEW = ("best.json", "history.json")  # what follows from other files


class Kind(NamedTuple):
    """A kind of file: how a folder gets a whole one, its place there, and what reads and uses it."""

    make: Callable[[Path], object]
    path: str
    use: Callable[[Path], object]


def make_records(folder: Path) -> None:
    (folder / "svhn").mkdir()
    for path in records.get_shard_paths(folder, "svhn", "train", 1):
        path.touch()
    records.write_info(folder, INFO)


def use_records(folder: Path) -> None:
    info = records.read_info(folder, "svhn")
    info.count_drawn("train")
    records.open_split(folder, info, "train")
    records.merge_earlier_info(folder, INFO)
    records.add_other_sources(INFO, folder, ["svhn"])


def copy_release(folder: Path) -> None:
    others = shutil.ignore_patterns("finder", "released-large", "*.png", "*.md")
    shutil.copytree(RELEASED, folder / "run", ignore=others)
    history = folder / "run/history.json"
    history.write_text(json.dumps(json.loads(history.read_text())[:2]))


def use_run(folder: Path) -> None:
    run = folder / "run"
    stored.open_run(run, {}, stored.read_run_info(run), "score")
    load_network(Paths(name="run", checkpoints_dir=str(folder)), {}, "", "litert")


def read_with_run(folder: Path) -> None:
    network = load_network(Paths(name="run", checkpoints_dir=str(folder)), {}, "", "litert")
    network.compute(np.zeros((1, *network.records.size, network.records.channels), np.uint8))


def use_marks(folder: Path) -> None:
    step = steps.resolve_step(folder / "run")
    assert type(step) is int
    for entry in stored.read_history(folder / "run"):
        for scores in filter(None, (entry["train"], entry["valid"])):
            assert all(f"{scores[name]:.4f}" for name in stored.SCORES)


def open_plan(folder: Path) -> AbstractContextManager[parts.Plan]:
    return parts.open_plan(parts.Plan(folder, {"a": 1}, ("part-1",), "all"))


def make_plan(folder: Path) -> None:
    with open_plan(folder) as plan:
        (folder / "part-1").touch()
        parts.complete_plan(plan, {"read": 3})


def use_plan(folder: Path) -> None:
    with open_plan(folder) as plan:
        assert plan.result is None or sum(parts.read_result(plan, dict[str, int]).values()) < 1e30


SHARD = Shard("train", "train-00000-of-00001.tfrecord", ())


def make_summary(folder: Path) -> None:
    summary = Summary(2, 80, {"1": 2}, [("a.png", "too small")])
    (folder / SHARD.summary_name).write_text(json.dumps(summary._asdict()))


KINDS = {
    "info.json": Kind(make_records, "svhn/info.json", use_records),
    "config.json": Kind(copy_release, "run/config.json", use_run),
    "best.json": Kind(copy_release, "run/best.json", use_marks),
    "history.json": Kind(copy_release, "run/history.json", use_marks),
    "description": Kind(copy_release, f"run/{exported.BUNDLED}.json", read_with_run),
    "plan.json": Kind(make_plan, "plan.json", use_plan),
    "summary": Kind(make_summary, SHARD.summary_name, lambda folder: read_summaries(folder, [SHARD], ["train"])),
}


def list_places(content: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    keys = (
        content.keys()
        if isinstance(content, dict)
        else range(min(len(content), 2))
        if isinstance(content, list)
        else ()
    )
    for key in keys:
        yield from list_places(content[key], (*place, key))


def list_changes(content: Any) -> Iterator[tuple[str, Any]]:
    """What was changed, and the changed content: each value is replaced, left out, or doubled."""
    for place in list_places(content):
        for other in OTHERS:
            yield f"{place} = {other!r}", replace(content, place, lambda _, other=other: other)
        yield f"{place} doubled", replace(content, place, lambda value: [value, value])
        if place:
            whole = copy.deepcopy(content)
            holder = whole
            for key in place[:-1]:
                holder = holder[key]
            del holder[place[-1]]
            yield f"{place} left out", whole


def replace(content: Any, place: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    if not place:
        return change(content)
    copied = copy.copy(content)
    copied[place[0]] = replace(content[place[0]], place[1:], change)
    return copied


def explain_refusal(use: Callable[[Path], object], folder: Path, what: str) -> str:
    """The message with which the file in the folder is refused; "" if it is read."""
    try:
        use(folder)
    except UserError as error:
        return str(error)
    except Exception as error:
        raise AssertionError(f"{what}: {error!r}") from error
    return ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_file_is_read_or_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    make, name, use = KINDS[kind]
    make(tmp_path)
    path = tmp_path / name
    use(tmp_path)
    whole = path.read_text()
    refused = []
    for what, changed in list_changes(json.loads(whole)):
        path.write_text(json.dumps(changed))
        message = explain_refusal(use, tmp_path, f"{kind}, {what}")
        assert "\n" not in message, what
        assert len(message) < LONGEST_LINE, what
        refused += [message] * bool(message)
    assert len(refused) > 5 or kind in MADE_ANEW
    path.write_text(whole)
    use(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b"\xff\xfe", b"{", b"9" * 5000], ids=lambda text: str(text[:5])
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_json_is_refused_in_one_line(tmp_path: Path, kind: str, content: bytes) -> None:
    make, name, use = KINDS[kind]
    make(tmp_path)
    (tmp_path / name).write_bytes(content)
    message = explain_refusal(use, tmp_path, kind)
    assert name.rpartition("/")[2] in message or kind in MADE_ANEW
