"""What the folder of a run in training holds: its checkpoints, their history, and the mark of the best of them.

history.json is written before its checkpoint, best.json after it, and then earlier checkpoints are deleted. A process
can be killed between any two of these steps. What it left undone is made up for when the training goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from svhn.errors import Say, UserError
from svhn.runs.checkpoints import prune_checkpoints, remove_leftovers, save_checkpoint
from svhn.runs.steps import find_best, forget_best, list_steps, mark_best, read_best, write_best
from svhn.runs.stored import read_history, write_history
from svhn.runtime.files import DamagedFileError, set_aside

Scores = Mapping[str, float]
Score = Callable[[int], Scores]


class Ledger:
    """The history of a run in training, and what follows from it in the run's folder.

    Args:
        folder: the run's folder.
        say: prints a line.
    """

    def __init__(self, folder: Path, say: Say) -> None:
        self.folder, self.say = folder, say
        self.entries: list[dict[str, Any]] = []  # as `read_history` returns them
        self._began = time.monotonic()  # when an uninterrupted training would have begun

    def read(self, start: int) -> None:
        """Take over the history up to step `start`, for a process that does not write into the folder."""
        try:
            self.entries = [entry for entry in read_history(self.folder) if entry["step"] <= start]
        except DamagedFileError:  # the chief sets it aside
            self.entries = []
        self._began = time.monotonic() - (self.entries[-1]["seconds"] if self.entries else 0.0)

    def recover(self, start: int, score: Score | None) -> None:
        """Take over the history up to step `start`, and make up for what a killed process left undone.

        Args:
            start: the step that was restored; 0 for a new training, to which no history and no best belong.
            score: returns the scores on valid of a checkpoint, and raises `UserError` if it can't be read; None
                without this split.
        """
        remove_leftovers(self.folder, self.say)
        if not start:
            forget_best(self.folder)
        self._set_damaged_aside(read_history)
        marked = self._set_damaged_aside(read_best) or {}
        self.read(start)
        kept = [step for step in list_steps(self.folder) if step <= start]
        if score:
            self._score_unknown(kept, score)
        self._mark_best_again(kept, marked)

    def _set_damaged_aside(self, read: Callable[[Path], Any]) -> Any:
        """What `read` returns; None if the file is damaged, which then gets another name."""
        try:
            return read(self.folder)
        except DamagedFileError as error:
            aside = set_aside(error.path)
            self.say(f"{error.path} is damaged ({error.problem}): set aside as {aside.name}, and made anew")
            return None

    def _score_unknown(self, kept: list[int], score: Score) -> None:
        """Add an entry for each kept checkpoint that the history lacks."""
        known = {entry["step"] for entry in self.entries}
        unknown = [step for step in kept if step not in known]
        if not unknown:
            return
        self.say(f"history.json lacks the checkpoints {', '.join(map(str, unknown))}: scoring them on valid")
        self.entries += [entry for step in unknown if (entry := self._make_entry(step, score))]
        self.entries.sort(key=lambda entry: entry["step"])
        write_history(self.folder, self.entries)

    def _make_entry(self, step: int, score: Score) -> dict[str, Any]:
        """The entry of an earlier checkpoint, {} if it can't be read. Its seconds are those of the entry before it."""
        seconds = max((entry["seconds"] for entry in self.entries if entry["step"] < step), default=0.0)
        try:
            return {"step": step, "seconds": seconds, "train": None, "valid": score(step)}
        except UserError as error:
            self.say(str(error))
            return {}

    def _mark_best_again(self, kept: list[int], marked: Mapping[str, Any]) -> None:
        """Mark the best of the kept checkpoints, unless it is marked already."""
        scored = {marked["step"]: {**marked}} if marked else {}
        scored |= {entry["step"]: entry["valid"] for entry in self.entries if entry["valid"]}
        best = find_best({step: scores for step, scores in scored.items() if step in kept})
        if best == marked.get("step"):
            return
        if best is None:
            forget_best(self.folder)
        else:
            write_best(self.folder, best, scored[best])
            self.say(f"best.json did not mark the best checkpoint, which is {best}: marked it")

    def add(self, step: int, train: Scores | None, valid: Scores | None) -> None:
        """Add the entry of a new checkpoint."""
        seconds = time.monotonic() - self._began
        self.entries.append({"step": step, "seconds": seconds, "train": train, "valid": valid})

    def list_valid_scores(self) -> list[float]:
        """The accuracy of whole numbers on valid at each checkpoint that was scored."""
        return [entry["valid"]["sequence_accuracy"] for entry in self.entries if entry["valid"]]

    def save(self, checkpoint: tf.train.Checkpoint, step: int, max_to_keep: int) -> bool:
        """Write the history and a checkpoint, mark it if it is the best so far, and delete old checkpoints.

        Returns:
            Whether it is the best so far.

        Raises:
            UserError: the files can't be written. The checkpoint before stays.
        """
        write_history(self.folder, self.entries)  # an entry without its checkpoint is dropped when training goes on
        save_checkpoint(self.folder, checkpoint, step)
        scores = self.entries[-1]["valid"]
        is_best = bool(scores) and mark_best(self.folder, step, scores)
        prune_checkpoints(self.folder, max_to_keep, step)
        return is_best
