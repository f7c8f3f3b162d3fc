"""Large work as a plan of parts. Each part is whole or absent, so that the same command makes only the missing ones."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from svhn.errors import UserError
from svhn.runtime.files import atomic_write, write_json
from svhn.runtime.holding import hold_folder
from svhn.runtime.place import FAILED, PLAN_FILE, Place
from svhn.runtime.schema import check_value, read_json

SCHEMA = 1  # number of the layout of plan.json
TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.tmp$")
LONGEST_VALUE = 40  # characters of a value in a message

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """A folder of parts, and what they are made from; stored in the folder as `plan.json`.

    Args:
        folder: the folder.
        identity: what the parts' content depends on, by the names that messages give it. JSON can hold the values.
        parts: names of the parts' files, in order.
        merged: name of the file that holds all parts in the end; "" if the parts are not merged.
        result: what came of the work, once it is complete; None until then.
        plan_id: differs between two plans that the folder has held; given by `open_plan`. Earlier plans have none.
    """

    folder: Path
    identity: Mapping[str, Any]
    parts: tuple[str, ...]
    merged: str = ""
    result: Mapping[str, Any] | None = None
    plan_id: str = ""

    @property
    def place(self) -> Place:
        """Where the parts are made."""
        return Place(self.folder, self.plan_id)

    def list_missing(self) -> list[str]:
        """Names of the parts that are still to be made."""
        present = {path.name for path in self.folder.iterdir()}
        return [part for part in self.parts if part not in present]


def name_parts(count: int, suffix: str) -> tuple[str, ...]:
    """Names of the parts' files, for example `part-00000-of-00012.jsonl`."""
    return tuple(f"part-{index:05}-of-{count:05}{suffix}" for index in range(count))


@contextmanager
def open_plan(plan: Plan, restart: bool = False) -> Iterator[Plan]:
    """Begin a plan, or go on with the same plan of an earlier process. No other process can open it meanwhile.

    Args:
        plan: the plan, without a result.
        restart: whether the files of an earlier plan are removed first. Other files in the folder are kept.

    Yields:
        The plan with its id, and with its result if an earlier process has completed it.

    Raises:
        UserError: another process has the plan open, the folder's plan is another one, or a file has the name of one
            that the plan will make, `plan.json` for example.
    """
    with hold_folder(plan.folder, "plan", "choose another folder"):
        if restart:
            _remove_earlier_files(plan.folder)
        stored = read_plan(plan.folder)
        if stored is None:
            plan = _write_first_plan(plan)
        else:
            _check_identity(plan, stored)
            result = stored.result if _has_merged(stored) else None
            plan = replace(plan, result=result, plan_id=stored.plan_id)
        _remove_leftovers(plan)
        yield plan


def read_plan(folder: Path) -> Plan | None:
    """The plan of a folder; None if there is none. Raises `UserError` if it is of another schema, or no plan at all."""
    fields = _read_fields(folder)
    if fields and fields["schema"] != SCHEMA:
        raise UserError(
            f"{folder / PLAN_FILE} has the schema {fields['schema']}, expected {SCHEMA}: repeat the command with the "
            "version of the program that began it, choose another folder, or add --restart to remove that work and "
            "begin anew"
        )
    return _make_plan(folder, fields) if fields else None


def _read_fields(folder: Path) -> dict[str, Any] | None:
    """What `plan.json` holds; None if there is none. Raises `UserError` for a file that no plan of any schema made."""
    path = folder / PLAN_FILE
    try:
        fields = read_json(path, dict[str, Any])
    except FileNotFoundError:
        return None
    except ValueError:
        fields = None
    if not _are_of_a_plan(fields):
        raise UserError(f"{path} is no plan of this program: move it, or choose another folder")
    return fields


def _are_of_a_plan(fields: Any) -> bool:
    """Whether a file's fields are a plan's. Its names are those of files in the folder, which --restart may remove."""
    if not isinstance(fields, dict) or not isinstance(fields.get("schema"), int):
        return False
    parts, merged = fields.get("parts"), fields.get("merged")
    if not isinstance(parts, list) or not isinstance(fields.get("identity"), dict):
        return False
    return all(map(_is_file_name, parts)) and (merged == "" or _is_file_name(merged))


def _is_file_name(name: Any) -> bool:
    return isinstance(name, str) and name not in ("", "..") and Path(name).name == name


def _make_plan(folder: Path, fields: Mapping[str, Any]) -> Plan:
    parts, result = tuple(fields["parts"]), fields.get("result")
    return Plan(folder, fields["identity"], parts, fields["merged"], result, fields.get("plan_id", ""))


def _write_plan(plan: Plan) -> None:
    fields = {name: getattr(plan, name) for name in ("plan_id", "identity", "parts", "merged", "result")}
    write_json(plan.folder / PLAN_FILE, {"schema": SCHEMA, **fields})


def _write_first_plan(plan: Plan) -> Plan:
    """Write the plan under a new id, and return it. Raises `UserError` if a file has the name of one of its files."""
    present = {path.name for path in plan.folder.iterdir()}
    taken = [name for name in (plan.merged, *plan.parts) if name in present]
    if taken:
        raise UserError(f"{plan.folder / taken[0]} exists and is of no plan: move it, or choose another folder")
    plan = replace(plan, plan_id=uuid4().hex)
    _write_plan(plan)
    return plan


def read_result(plan: Plan, kind: type[T]) -> T:
    """The result of a complete plan, as `schema.check_value` returns it. Raises `UserError` for another one."""
    try:
        return check_value(plan.result, kind, "result")
    except ValueError as error:
        raise UserError(
            f"{plan.folder / PLAN_FILE} is no plan of this program ({error}): choose another folder, or add "
            "--restart to remove that work and begin anew"
        ) from error


def _check_identity(plan: Plan, stored: Plan) -> None:
    """Raises `UserError` that names what differs."""
    now, before = (
        json.loads(json.dumps({**each.identity, "the number of files": len(each.parts)})) for each in (plan, stored)
    )
    differing = list_differences(before, now)
    if differing:
        raise UserError(
            f"{plan.folder} holds work that was begun otherwise: {'; '.join(differing)}. Repeat the earlier command, "
            "choose another folder, or add --restart to remove that work and begin anew"
        )


def list_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two identities, such as `the threshold was 0.5 and is now 0.75`."""
    return [
        f"{name} was {_shorten(before.get(name))} and is now {_shorten(now.get(name))}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]


def _shorten(value: object) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _has_merged(plan: Plan) -> bool:
    """Whether the merged file is still there, if there is to be one. A user may have removed it."""
    return (plan.folder / plan.merged).exists()


def _remove_earlier_files(folder: Path) -> None:
    """Remove the files of the folder's plan, of any schema. Raises `UserError` if its `plan.json` is no plan."""
    fields = _read_fields(folder)
    if fields:
        discard_plan(_make_plan(folder, fields))


def discard_plan(plan: Plan) -> None:
    """Remove all files that a plan made. `plan.json` goes last: after a kill, `--restart` removes the rest."""
    _remove_leftovers(plan)
    for name in (*plan.parts, plan.merged, PLAN_FILE):
        if name:
            (plan.folder / name).unlink(missing_ok=True)


def _remove_leftovers(plan: Plan) -> None:
    """Remove the temporary files of processes that were killed, notes of failures, and the parts of a merged file."""
    parts, merged = {*plan.parts}, bool(plan.merged) and plan.result is not None
    for path in plan.folder.iterdir():
        part = TEMPORARY.sub("", path.name).removesuffix(FAILED)
        if part in parts and (merged or part != path.name):
            path.unlink(missing_ok=True)


def check_complete(plan: Plan) -> None:
    """Raises `UserError` if parts are missing after all of them were to be made, with the reason if it was noted."""
    missing = plan.list_missing()
    failed = plan.place.read_failures(missing)
    if failed:
        name, reason = next(iter(failed.items()))
        raise UserError(
            f"{len(failed)} of {len(plan.parts)} files could not be made in {plan.folder}, the first is {name}: "
            f"{reason}. Run the same command again, which keeps the finished files"
        )
    if missing:
        raise UserError(
            f"{len(missing)} of {len(plan.parts)} files are missing from {plan.folder}, the first is {missing[0]}: "
            "have all machines share that folder under one path, then run the same command again"
        )


def complete_plan(plan: Plan, result: Mapping[str, Any]) -> Plan:
    """Merge the parts, note the result in `plan.json`, and remove merged parts. Returns the plan with its result."""
    if plan.merged:
        with atomic_write(plan.folder / plan.merged) as merged:
            for part in plan.parts:
                with (plan.folder / part).open("rb") as file:
                    shutil.copyfileobj(file, merged)
    plan = replace(plan, result=result)
    _write_plan(plan)
    _remove_leftovers(plan)
    return plan
