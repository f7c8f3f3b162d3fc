"""Which numbers a network computes in: bfloat16 beside float32 weights, where the machine is fast at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import tensorflow as tf

from svhn.config import Config

AMPERE = (8, 0)  # compute capability
CPUINFO = Path("/proc/cpuinfo")  # of Linux
BFLOAT16_INSTRUCTIONS = re.compile(r"\b(avx512_bf16|amx_bf16|bf16)\b")  # of Intel and AMD, of Intel, of Arm


@contextmanager
def use_precision(config: Config) -> Iterator[None]:
    """Build models in the precision that the run computes in on this machine."""
    policy = keras.config.dtype_policy()
    mixed = config.mixed_precision and has_fast_bfloat16()
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def has_fast_bfloat16() -> bool:
    """Whether the GPU, or else the CPU, has instructions for it; without them it is emulated."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= AMPERE
    try:
        return BFLOAT16_INSTRUCTIONS.search(CPUINFO.read_text()) is not None
    except OSError:  # another system than Linux
        return False
