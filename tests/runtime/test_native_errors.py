"""What TensorFlow raises is a line for the user."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from svhn.errors import UserError
from svhn.runtime import shell
from svhn.runtime.native_errors import explain_native_error

ERRORS = tf.errors
LOST = "Collective ops is aborted by: the following tasks are unhealthy"


def read_folder(folder: Path) -> object:
    return list(tf.data.TFRecordDataset(str(folder)))


def write_beneath_file(folder: Path) -> object:
    (folder / "file").touch()
    return tf.io.write_file(str(folder / "file/x"), b"")


def decode_text(_: Path) -> object:
    return tf.function(tf.io.decode_jpeg)(tf.constant(b"text"))


def parse_foreign_record(_: Path) -> object:
    features = {"image": tf.io.FixedLenFeature([], tf.string)}
    return list(tf.data.Dataset.from_tensors(b"").map(lambda each: tf.io.parse_single_example(each, features)))


@pytest.mark.parametrize(
    ("fail", "parts"),
    [
        (read_folder, ["{folder}: Is a directory"]),
        (write_beneath_file, ["{folder}/file/x: Not a directory: ", "move the file"]),
        (decode_text, ["InvalidArgumentError: Unknown image file format"]),
        (parse_foreign_record, ["InvalidArgumentError: ", "Feature: image "]),
    ],
)
def test_an_error_while_it_computes_is_one_line(
    fail: Callable[[Path], object], parts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(_: list[str]) -> None:
        fail(tmp_path)

    assert shell.run_main(main, ["x"]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert "{{" not in errors
    assert "[Op:" not in errors
    for part in parts:
        assert part.format(folder=tmp_path) in errors


@pytest.mark.parametrize("kind", ERRORS.OpError.__subclasses__())
def test_every_kind_has_a_line(kind: type[Exception]) -> None:
    explained = explain_native_error(kind(None, None, "reason\n" * 500))
    assert isinstance(explained, UserError)
    assert "\n" not in str(explained)
    assert len(str(explained)) < 500


def test_a_file_that_may_not_be_read_is_named_with_the_remedy() -> None:
    error = ERRORS.PermissionDeniedError(
        None, None, "{{function_node __wrapped__X}} a/b; Permission denied [Op:X] name: "
    )
    explained = explain_native_error(error)
    assert isinstance(explained, PermissionError)
    assert shell.explain_os_error(explained) == f"a/b: Permission denied: {shell.PERMISSION_REMEDY}"


def test_a_lost_worker_is_one_only_in_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ERRORS.UnavailableError(None, None, LOST)
    assert "TF_CONFIG" not in str(explain_native_error(error))
    cluster, task = {"worker": ["a:1", "b:1"]}, {"type": "worker", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    assert "TF_CONFIG" in str(explain_native_error(error))
    assert LOST in str(explain_native_error(error))


def test_errors_of_others_are_left_to_them() -> None:
    assert explain_native_error(ValueError("x")) is None
