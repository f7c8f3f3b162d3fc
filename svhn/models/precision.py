"""The precision a network computes in: bfloat16, with weights in float32, on machines that are fast at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import tensorflow as tf

from svhn.config import Config

AMPERE = (8, 0)  # the lowest compute capability of NVIDIA's GPUs with instructions for bfloat16
CPUINFO = Path("/proc/cpuinfo")  # lists the CPU's features on Linux
BFLOAT16_INSTRUCTIONS = re.compile(r"\b(avx512_bf16|amx_bf16|bf16)\b")  # Intel and AMD; Intel; Arm


@contextmanager
def use_precision(config: Config) -> Iterator[None]:
    """A context in which models are built to compute in the run's precision on this machine."""
    policy = keras.config.dtype_policy()
    mixed = config.mixed_precision and has_fast_bfloat16()
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def has_fast_bfloat16() -> bool:
    """Whether the GPU, or the CPU where there is no GPU, has instructions for bfloat16. Others emulate it slowly."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= AMPERE
    try:
        return BFLOAT16_INSTRUCTIONS.search(CPUINFO.read_text()) is not None
    except OSError:  # systems other than Linux have no such file
        return False
