"""The machines that train together, as the variable `TF_CONFIG` describes them."""

from __future__ import annotations

import json
import os
from typing import Any

from svhn.errors import UserError


def _read_tf_config() -> dict[str, Any]:
    """`TF_CONFIG` (tensorflow.org/guide/distributed_training#TF_CONFIG); empty where it is not set."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        return {"cluster": dict(config.get("cluster", {})), "task": dict(config.get("task", {}))}
    except (ValueError, AttributeError, TypeError) as error:
        raise UserError(f"TF_CONFIG is not the JSON of a cluster and a task: {error}") from error


def count_workers() -> int:
    cluster = _read_tf_config()["cluster"]
    return len(cluster.get("worker", [])) + len(cluster.get("chief", []))


def is_chief() -> bool:
    """Whether this process writes what all share: config, checkpoints, logs. Worker 0 does, unless there is a chief."""
    cluster, task = _read_tf_config().values()
    return count_workers() < 2 or task.get("type") == "chief" or (task.get("index") == 0 and "chief" not in cluster)
