"""The machines that train together, as the variable `TF_CONFIG` describes them."""

from __future__ import annotations

import json
import os
from typing import Any

from svhn.errors import UserError


def _read_tf_config() -> dict[str, Any]:
    """The variable `TF_CONFIG`; empty if it is not set. See tensorflow.org/guide/distributed_training#TF_CONFIG."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        return {"cluster": dict(config.get("cluster", {})), "task": dict(config.get("task", {}))}
    except (ValueError, AttributeError, TypeError) as error:
        raise UserError(
            f"TF_CONFIG: expected JSON with a cluster and a task ({error}): correct it or unset it"
        ) from error


def count_workers() -> int:
    """How many machines of the cluster train, the chief included; 0 without `TF_CONFIG`."""
    cluster = _read_tf_config()["cluster"]
    return len(cluster.get("worker", [])) + len(cluster.get("chief", []))


def is_chief() -> bool:
    """Whether this process writes the files that all share: config, checkpoints and logs.

    The chief writes them or, in a cluster without a chief, worker 0.
    """
    cluster, task = _read_tf_config().values()
    return count_workers() < 2 or task.get("type") == "chief" or (task.get("index") == 0 and "chief" not in cluster)


def list_addresses() -> tuple[str, dict[str, str]]:
    """The address of this machine, and those of the others that train by name, such as `worker 1`."""
    cluster, task = _read_tf_config().values()
    named = {
        f"{kind} {index}": each for kind in ("chief", "worker") for index, each in enumerate(cluster.get(kind, []))
    }
    return named.pop(f"{task.get('type')} {task.get('index')}"), named
