"""What TensorFlow raises while it computes, as errors with a line for the user."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path

from svhn.errors import UserError
from svhn.runtime.cluster import count_workers

LONGEST_REASON = 200  # characters of TensorFlow's reason in a message
SYSTEM_ERRORS = {os.strerror(number): number for number in errno.errorcode}
LOSSES = ("AbortedError", "CancelledError", "DeadlineExceededError", "InternalError", "UnavailableError")
TRACE = re.compile(r"^Graph execution error:.*\n\n", re.DOTALL)
MARKS = re.compile(r"{{function_node [^}]*}} |\s*\[\[{{.*?}}\]\]|\s*\[Op:[^\]]*\](?: name:)?")


def explain_native_error(error: Exception, path: Path | None = None) -> Exception | None:
    """The error to raise in place of one of TensorFlow's; None for any other error.

    It is an `OSError` if the system refused a file, and else a `UserError`.

    Args:
        error: what was raised.
        path: the file that was written, in place of the name in TensorFlow's message, which may be a temporary one.
    """
    tensorflow = sys.modules.get("tensorflow")  # if it was never imported, it can't have failed
    if tensorflow is None or not isinstance(error, tensorflow.errors.OpError):
        return None
    kind, reason = type(error).__name__, shorten_reason(str(getattr(error, "message", error)))
    named, _, refusal = reason.rpartition("; ")
    if refusal in SYSTEM_ERRORS:
        return OSError(SYSTEM_ERRORS[refusal], refusal, str(path or named))
    return UserError(_describe_failure(kind, reason[:LONGEST_REASON]))


def shorten_reason(message: str) -> str:
    """TensorFlow's message in one line, without the names of operations and the lines of code that made them."""
    return " ".join(MARKS.sub("", TRACE.sub("", message)).split())


def _describe_failure(kind: str, reason: str) -> str:
    if kind == "ResourceExhaustedError":
        return (
            f"memory ran out ({reason}): try fewer --views or a smaller --batch_size, "
            "which a run that has begun can't change: under another --name"
        )
    if kind in LOSSES and count_workers() > 1:
        return (
            f"the work with the other machines of TF_CONFIG ended ({kind}: {reason}): see what the others printed, "
            "then run the same command on all of them, which goes on from the last checkpoint"
        )
    return (
        f"TensorFlow ended the work ({kind}: {reason}): "
        "run the same command with TF_CPP_MIN_LOG_LEVEL=0 in the environment for TensorFlow's own log"
    )
