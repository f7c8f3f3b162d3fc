"""`TF_CONFIG`: read as TensorFlow reads it, with one chief, and without tasks that would train beside the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from support.program import call, last_line, write_records

from svhn.errors import UserError
from svhn.runtime.cluster import count_workers, is_chief, read_cluster

PAIR = {"worker": ["a:1", "b:1"]}
LED = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}

SetConfig = Callable[..., None]


@pytest.fixture
def set_config(monkeypatch: pytest.MonkeyPatch) -> SetConfig:
    def set_variable(cluster: Any, **task: Any) -> None:
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))

    return set_variable


@pytest.mark.parametrize(
    ("cluster", "kind", "index", "chief", "workers"),
    [
        (PAIR, "worker", 0, True, 2),
        (PAIR, "worker", 1, False, 2),
        (PAIR, "worker", "0", True, 2),
        (PAIR, "worker", "1", False, 2),
        (LED, "chief", 0, True, 3),
        (LED, "worker", 0, False, 3),
        (LED, "worker", "0", False, 3),
        (LED | {"evaluator": ["d:1"]}, "worker", 1, False, 3),
        ({"worker": ["a:1"]}, "worker", "0", True, 1),
    ],
)
def test_there_is_one_chief_and_it_is_tensorflows(
    set_config: SetConfig, cluster: dict[str, list[str]], kind: str, index: object, chief: bool, workers: int
) -> None:
    set_config(cluster, type=kind, index=index)
    assert (is_chief(), count_workers()) == (chief, workers)
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    assert read_cluster()[1:] == (resolver.task_type, resolver.task_id)


@pytest.mark.parametrize("task", [{}, {"type": None, "index": None}, {"type": "worker", "index": 0}])
def test_without_a_cluster_a_process_is_alone(set_config: SetConfig, task: dict[str, object]) -> None:
    set_config({}, **task)
    assert (is_chief(), count_workers()) == (True, 0)


@pytest.mark.parametrize("text", [None, ""])
def test_without_the_variable_a_process_is_alone(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    assert (is_chief(), count_workers()) == (True, 0)


@pytest.mark.parametrize("text", ["{", "[]", '{"cluster": 3}'])
def test_a_cluster_that_is_no_cluster(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match=r"^TF_CONFIG: .*unset it$"):
        count_workers()


@pytest.mark.parametrize(
    ("cluster", "task", "named"),
    [
        (PAIR, {"type": "worker", "index": 2}, "2"),
        (PAIR, {"type": "worker", "index": -1}, "-1"),
        (PAIR, {"type": "worker", "index": "first"}, "'first'"),
        (PAIR, {"type": "worker", "index": True}, "True"),
        (PAIR, {"type": "worker", "index": 0.0}, "0.0"),
        (PAIR, {"type": "worker"}, "None"),
        (PAIR, {"index": 0}, "None"),
        (PAIR, {}, "None"),
        (PAIR, {"type": "chief", "index": 0}, "'chief', expected worker:"),
        (PAIR, {"type": "evaluator", "index": 0}, "'evaluator'"),
        ({}, {"type": "evaluator", "index": 0}, "'evaluator'"),
        (LED | {"evaluator": ["d:1"]}, {"type": "evaluator", "index": 0}, "'evaluator', expected chief or worker:"),
        ({"worker": ["a:1"]}, {"type": ["worker"], "index": 0}, r"\['worker'\]"),
        ({"worker": ["a:1"], "ps": ["b:1"]}, {"type": "worker", "index": 0}, "'ps'"),
        ({"master": ["a:1"], "worker": ["b:1"]}, {"type": "master", "index": 0}, "'master'"),
        ({"chief": ["a:1", "b:1"]}, {"type": "chief", "index": 1}, "2 chiefs"),
        ({"chief": [], "worker": ["b:1", "c:1"]}, {"type": "worker", "index": 0}, r"chief=\[\]"),
        ({"worker": "a:1,b:1"}, {"type": "worker", "index": 0}, "worker='a:1,b:1'"),
        ({"worker": 2}, {"type": "worker", "index": 0}, "worker=2"),
        ({"worker": [1, 2]}, {"type": "worker", "index": 0}, r"worker=\[1, 2\]"),
    ],
)
def test_a_task_that_is_not_one_of_those_that_train_is_refused(
    set_config: SetConfig, cluster: object, task: dict[str, object], named: str
) -> None:
    set_config(cluster, **task)
    with pytest.raises(UserError, match=rf"^TF_CONFIG: .*{named}.*unset it$"):
        is_chief()


@pytest.mark.parametrize("mode", ["train", "compare"])
def test_training_refuses_a_wrong_task_before_it_writes(
    set_config: SetConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    write_records(tmp_path / "records")
    set_config(PAIR, type="evaluator", index=0)
    assert call(tmp_path, f"--mode={mode}", "--model=kvn219") == 1
    assert "TF_CONFIG" in last_line(capsys)
    assert {path.name for path in tmp_path.iterdir()} == {"records"}
