"""Which numbers a network computes in, by the run and the machine; and weights that are folded for reading."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from svhn.config import Config
from svhn.models import precision
from svhn.models.layers.normalization import BatchNormalization
from svhn.runs import load

LINES = {
    "avx512": ("flags\t\t: fpu avx512f avx512_bf16 avx512_vnni\n", True),
    "amx": ("flags\t\t: fpu amx_bf16 amx_tile\n", True),
    "arm": ("Features\t: fp asimd bf16 i8mm\n", True),
    "older": ("flags\t\t: fpu avx2 avx512f avx512_vnni\n", False),
    "another": ("flags\t\t: fpu nobf16x\n", False),
}


@pytest.fixture
def cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in place of the machine's, which has no GPU."""
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: [])
    return tmp_path / "cpuinfo"


@pytest.mark.parametrize(("line", "fast"), LINES.values(), ids=LINES)
def test_the_processor_says_whether_it_is_fast_in_bfloat16(cpuinfo: Path, line: str, fast: bool) -> None:
    cpuinfo.write_text(f"processor\t: 0\n{line}\n")
    assert precision.has_fast_bfloat16() is fast


def test_a_system_that_does_not_say_is_not(cpuinfo: Path) -> None:
    assert not cpuinfo.exists()
    assert not precision.has_fast_bfloat16()


@pytest.mark.parametrize(("capability", "fast"), [((9, 0), True), ((8, 0), True), ((7, 5), False), (None, False)])
def test_a_gpu_says_by_its_generation(
    cpuinfo: Path, monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int] | None, fast: bool
) -> None:
    cpuinfo.write_text(LINES["amx"][0])
    details = {"compute_capability": capability} if capability else {}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind] if kind == "GPU" else [])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda _gpu: details)
    assert precision.has_fast_bfloat16() is fast


@pytest.mark.parametrize(
    ("wished", "fast", "expected"),
    [(True, True, "mixed_bfloat16"), (True, False, "float32"), (False, True, "float32")],
)
def test_models_are_built_in_it_where_it_is_wished_and_fast(
    monkeypatch: pytest.MonkeyPatch, wished: bool, fast: bool, expected: str
) -> None:
    monkeypatch.setattr(precision, "has_fast_bfloat16", lambda: fast)
    with precision.use_precision(Config(mixed_precision=wished)):
        assert keras.layers.Dense(1).dtype_policy.name == expected
    assert keras.layers.Dense(1).dtype_policy.name == "float32"


def test_a_frozen_model_reads_as_the_model_did() -> None:
    image = keras.Input((5, 6, 3))
    x = keras.layers.Conv2D(4, 3)(keras.layers.Dropout(0.5)(image))
    model = keras.Model(image, {"digits": keras.layers.ReLU()(BatchNormalization()(x))})
    model.set_weights([np.random.default_rng(0).uniform(0.5, 1, weight.shape) for weight in model.get_weights()])
    images = tf.constant(np.random.default_rng(1).normal(0, 1, (3, 5, 6, 3)), tf.float32)
    expected = model(images, training=False)["digits"].numpy()
    read = tf.function(load.freeze_model(model))
    np.testing.assert_allclose(read(images)["digits"], expected, rtol=1e-4, atol=1e-5)
    model.set_weights([0 * weight for weight in model.get_weights()])
    np.testing.assert_allclose(read(images)["digits"], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model(images, training=False)["digits"], 0)
