"""The checkpoints of a run: written, restored, loaded for evaluation, and deleted when there are too many."""

from __future__ import annotations

import re
import shutil
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from svhn.errors import Say, UserError, shorten
from svhn.runs.steps import list_steps, read_best
from svhn.runtime.native_errors import explain_native_error

CHECKPOINT_FILE = re.compile(r"ckpt-\d+\.(index|npz|data-\d{5}-of-\d{5})")
# What NumPy raises for a damaged .npz, and TensorFlow for a damaged checkpoint or for one of another network.
DAMAGED_FILE_ERRORS = (IndexError, OSError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error, tokenize.TokenError)
READ_ERRORS = (tf.errors.OpError, ValueError, AssertionError, RuntimeError, *DAMAGED_FILE_ERRORS)


def get_checkpoint_path(folder: Path, step: int) -> Path:
    """The path without suffix. TensorFlow adds `.index` and `.data-…`; released weights have `.npz`."""
    return folder / f"ckpt-{step}"


def save_checkpoint(folder: Path, checkpoint: tf.train.Checkpoint, step: int) -> None:
    """Write the state after `step` steps as a checkpoint, and read it back.

    TensorFlow writes the index last, and `list_steps` lists indices, so a half-written checkpoint is never listed.

    Raises:
        OSError: the system refuses to write the files, for example because the disk is full.
        UserError: the files can't be written for another reason, or can't be read back.
    """
    try:
        checkpoint.write(str(get_checkpoint_path(folder, step)))
    except tf.errors.OpError as error:
        delete_checkpoint(folder, step)
        raise explain_native_error(error, get_checkpoint_path(folder, step)) or error from error
    check_checkpoint(folder, step)


def check_checkpoint(folder: Path, step: int) -> None:
    """Read all values of a checkpoint of TensorFlow's, with their checksums. Raises `UserError` if it can't be read."""
    path = get_checkpoint_path(folder, step)
    try:
        with _avoid_patterns(path) as readable:
            reader = tf.train.load_checkpoint(readable)
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)
    except READ_ERRORS as error:
        reason = shorten(error)
        raise UserError(f"{path} can't be read back ({reason}): train with another --checkpoints_dir") from error


def is_pattern(path: Path) -> bool:
    """Whether TensorFlow takes the path of files to be read for a pattern, which does not match the path itself.

    TensorFlow writes to a path as it stands. For reading, it looks for what the path matches as a pattern, in which
    `[ab]` stands for one letter and a backslash for nothing; `*` and `?` match themselves, too.
    """
    return bool({*"[\\"} & {*path.as_posix()})


@contextmanager
def _avoid_patterns(path: Path) -> Iterator[str]:
    """The path by which TensorFlow can read a checkpoint: its own or, if that is a pattern, one through a link."""
    if not is_pattern(path):
        yield str(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "run"
        link.symlink_to(path.parent.absolute())
        yield str(link / path.name)


def restore_latest(folder: Path, checkpoint: tf.train.Checkpoint, say: Say) -> int:
    """Restore the newest checkpoint that can be read, and return its step; 0 if the folder has no checkpoint.

    A damaged checkpoint is reported and kept, and the checkpoint before it is tried next.

    Args:
        folder: the run's folder.
        checkpoint: the objects whose values are restored.
        say: prints a line for each damaged checkpoint, and for the restored one.

    Raises:
        UserError: the folder has checkpoints, but none of them can be read.
    """
    found = list_steps(folder)
    for step in reversed(found):
        path = get_checkpoint_path(folder, step)
        try:
            with _avoid_patterns(path) as readable:
                checkpoint.read(readable).assert_existing_objects_matched()
        except READ_ERRORS as error:
            say(f"{path} can't be read ({shorten(error)}): going back to the checkpoint before it")
            continue
        say(f"Restored model from: {path}")
        return step
    if found:
        raise UserError(
            f"none of the checkpoints in {folder} can be read, for the reasons above: train under another --name"
        )
    return 0


def load_weights(folder: Path, model: Any, step: int) -> None:
    """Load a checkpoint's weights for evaluation, the averaged ones, into a model of the same architecture.

    Raises:
        UserError: the checkpoint can't be read, or belongs to another network.
    """
    path = get_checkpoint_path(folder, step)
    released = path.with_suffix(".npz")
    try:
        if released.exists():
            model.set_weights(_read_released_weights(released))
            return
        with _avoid_patterns(path) as readable:
            status = tf.train.Checkpoint(average=model).read(readable)
            status.expect_partial().assert_existing_objects_matched()
    except READ_ERRORS as error:
        raise UserError(
            f"{path} can't be read ({shorten(error)}): choose another checkpoint with --checkpoint, "
            "or train under another --name"
        ) from error


def _read_released_weights(path: Path) -> list[np.ndarray]:
    """The arrays of an .npz, in order. Raises `READ_ERRORS`: `MemoryError` for an array that claims to be huge."""
    with path.open("rb") as file:
        content = np.load(file)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise ValueError("expected an .npz, which holds several arrays")
        return [content[name] for name in content.files]


def delete_checkpoint(folder: Path, step: int) -> None:
    """Delete a checkpoint, complete or half-written."""
    _delete_temporary_files(folder, step)
    # The index goes first: an interruption must not leave an index, which is listed, without its data.
    for path in sorted(_list_files(folder, step), reverse=True):
        path.unlink()


def _list_files(folder: Path, step: int) -> list[Path]:
    """The files of a checkpoint, without what a user may have put beside them, such as a copy."""
    return [path for path in folder.glob(f"ckpt-{step}.*") if CHECKPOINT_FILE.fullmatch(path.name)]


def _delete_temporary_files(folder: Path, step: int) -> None:
    """Delete what TensorFlow leaves when it can't finish a checkpoint."""
    shutil.rmtree(folder / f"ckpt-{step}_temp", ignore_errors=True)
    for path in folder.glob(f"ckpt-{step}.*.tempstate*"):
        path.unlink()


def remove_leftovers(folder: Path, say: Say) -> None:
    """Delete what a killed process left of checkpoints that it was writing or deleting."""
    found = {int(match[1]) for path in folder.glob("ckpt-*") if (match := re.match(r"ckpt-(\d+)[._]", path.name))}
    for step in sorted(found):
        _delete_temporary_files(folder, step)
        suffixes = [path.name.partition(".")[2] for path in _list_files(folder, step)]
        whole = "npz" in suffixes or ("index" in suffixes and any(each.startswith("data-") for each in suffixes))
        if suffixes and not whole:
            delete_checkpoint(folder, step)
            say(f"Removed what was left of checkpoint {step}, which is incomplete")


def prune_checkpoints(folder: Path, max_to_keep: int, step: int) -> None:
    """Delete all but the newest `max_to_keep` checkpoints up to `step` and the best one.

    Checkpoints of later steps are damaged: training goes on from an earlier one only then.
    """
    marked = read_best(folder)
    for each in [found for found in list_steps(folder) if found <= step][:-max_to_keep]:
        if not marked or each != marked["step"]:
            delete_checkpoint(folder, each)
