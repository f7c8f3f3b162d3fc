"""The machines that train together, as the variable `TF_CONFIG` describes them."""

from __future__ import annotations

import json
import os
from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

from svhn.errors import UserError, shorten

TRAINING = ("chief", "worker")  # kinds of tasks that train
LISTED = (*TRAINING, "evaluator")  # kinds of tasks that a cluster may list


class Cluster(NamedTuple):
    """What `TF_CONFIG` describes.

    Args:
        addresses: those of the tasks, as host:port, by kind; empty without a cluster.
        kind: kind of this process's task; "" without a cluster.
        place: index of this process's task among those of its kind, from 0.
    """

    addresses: Mapping[str, Sequence[str]]
    kind: str = ""
    place: int = 0


def read_cluster() -> Cluster:
    """What `TF_CONFIG` describes. See tensorflow.org/guide/distributed_training#TF_CONFIG.

    TensorFlow reads the variable, too, and takes tasks that don't train, and some that are in no cluster. Two processes
    would then train into one folder, or none would write.

    Raises:
        UserError: the variable holds something else, or this process's task is none of those that train.
    """
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        cluster, task = dict(config.get("cluster", {})), dict(config.get("task", {}))
    except (ValueError, AttributeError, TypeError) as error:
        raise _make_error(f"expected JSON with a cluster and a task ({error})") from error
    listed = {kind: _check_addresses(kind, addresses) for kind, addresses in cluster.items()}
    if not listed and task.get("type") in (None, *TRAINING):
        return Cluster({})
    kind = task.get("type")
    if kind not in TRAINING or kind not in listed:
        raise _make_error(f"this process's task has the type {kind!r}, expected {_join_kinds(listed)}")
    return Cluster(listed, kind, _parse_index(task.get("index"), kind, len(listed[kind])))


def _make_error(problem: str) -> UserError:
    return UserError(f"TF_CONFIG: {shorten(problem)}: correct it or unset it")


def _check_addresses(kind: str, addresses: Any) -> list[str]:
    """The addresses of a cluster's tasks of one kind. Raises `UserError` for a kind that has no part in training."""
    if kind not in LISTED:
        raise _make_error(f"the cluster has a {kind!r}, expected {_join_kinds(TRAINING)}")
    if not isinstance(addresses, list) or not addresses or not all(isinstance(each, str) for each in addresses):
        raise _make_error(f"{kind}={addresses!r}: expected a list of addresses, as host:port")
    if kind == "chief" and len(addresses) > 1:
        raise _make_error(f"the cluster has {len(addresses)} chiefs, expected 1")
    return addresses


def _join_kinds(kinds: Container[str]) -> str:
    return " or ".join(kind for kind in TRAINING if kind in kinds) or " or ".join(TRAINING)


def _parse_index(index: Any, kind: str, size: int) -> int:
    """A task's index, an integer or, as TensorFlow also takes it, the text of an integer."""
    try:
        number = int(index) if isinstance(index, str) else index
    except ValueError:
        number = None
    if type(number) is not int or not 0 <= number < size:
        raise _make_error(f"the index of the task {kind} is {index!r}, expected a number from 0 to {size - 1}")
    return number


def count_workers() -> int:
    """How many machines of the cluster train, the chief included; 0 without `TF_CONFIG`."""
    addresses = read_cluster().addresses
    return sum(len(addresses.get(kind, ())) for kind in TRAINING)


def is_chief() -> bool:
    """Whether this process writes the files that all share: config, checkpoints and logs.

    The chief writes them or, in a cluster without a chief, worker 0.
    """
    cluster = read_cluster()
    return cluster.kind in ("", "chief") or (cluster.place == 0 and "chief" not in cluster.addresses)


def list_addresses() -> tuple[str, dict[str, str]]:
    """The address of this machine, and those of the others that train by name, such as `worker 1`."""
    cluster = read_cluster()
    named = {
        f"{kind} {index}": address for kind in TRAINING for index, address in enumerate(cluster.addresses.get(kind, ()))
    }
    return named.pop(f"{cluster.kind} {cluster.place}"), named
