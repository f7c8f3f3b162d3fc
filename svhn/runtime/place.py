"""Where parts are made: a plan's folder, for as long as the folder holds the same plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from svhn.errors import UserError
from svhn.runtime.files import attach_filename, flush_to_disk, make_ending, name_temporarily
from svhn.runtime.schema import read_json

PLAN_FILE = "plan.json"
FAILED = ".failed"  # ending of the name of a file that holds the reason why a part could not be made


class Place(NamedTuple):
    """The folder of a plan's parts. Processes of several machines may share it.

    Args:
        folder: the folder.
        plan_id: the id of its plan; "" for a plan without an id.
    """

    folder: Path
    plan_id: str

    @contextmanager
    def name_part(self, name: str) -> Iterator[Path]:
        """A temporary name for a part, which takes its own name at the end. Two processes may make the same part.

        Raises:
            UserError: the folder holds another plan by then: a process of an earlier plan may still be at work.
        """
        with name_temporarily(self.folder / name, make_ending()) as temporary:
            yield temporary
            self._check_plan(name)

    def write_part(self, name: str, content: Iterable[bytes]) -> None:
        """Write a part, which takes its name once it is complete and on the disk. Raises as `name_part`."""
        with self.name_part(name) as temporary, attach_filename(temporary), temporary.open("wb") as file:
            file.writelines(content)
            flush_to_disk(file)

    def note_failure(self, name: str, reason: str) -> None:
        """Note why a part could not be made. Raises as `name_part`."""
        self.write_part(name + FAILED, [reason.encode("utf-8", errors="replace")])

    def read_failures(self, names: Iterable[str]) -> dict[str, str]:
        """The reasons why parts could not be made, by name; parts without a note are left out."""
        paths = {name: self.folder / (name + FAILED) for name in names}
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path.exists()}

    def _check_plan(self, name: str) -> None:
        path = self.folder / PLAN_FILE
        try:
            plan_id = read_json(path, dict[str, Any]).get("plan_id", "")
        except (FileNotFoundError, ValueError):
            plan_id = None
        if plan_id != self.plan_id:
            raise UserError(
                f"{self.folder / name} is not written: {path} is no longer the plan that it belongs to. Repeat the "
                "command whose work is to go on"
            )
