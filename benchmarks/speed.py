# pyright: reportMissingImports=false
"""Images per second of the model `reader`, in training and in reading, against the same network in PyTorch.

    python -m benchmarks.speed [--batch_size=64] [--steps=20] [--threads=2]

Both sides use the same threads and one batch that is kept in memory. Both train in bfloat16 beside float32 weights, by
the same step: the loss of the number with smoothed labels and without maps of its digits, clipped gradients, AdamW,
averaged weights. Our side reads as `svhn read` and `svhn report` do. PyTorch runs uncompiled, as in most programs. Its
pictures are in its faster layout on CPUs, channels_last, and its reading is the faster of float32 and bfloat16.
PyTorch needs `pip install torch`.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from svhn.models import residual
from svhn.pipeline.batches import Batch
from svhn.run import Run
from svhn.runs import load, stored
from svhn.spec import Info
from svhn.training import distribute
from svhn.training.step import build_state, make_step

ROUNDS = 4  # rounds in which the sides take turns, so that other work on the machine slows both
INFO = Info("svhn", (57, 95), 0.15, 3, 5, "jpeg", {}, {}, {}, {}, 0, longer=True)
MATRIX_SIDE = 4096  # rows and columns of the matrices whose product measures the speed of the cores


def _count_multiply_adds(model: keras.Model) -> int:
    """Multiply-adds of one image in convolutions and dense layers."""
    layers: list[Any] = [each for each in model.layers if isinstance(each, keras.layers.Conv2D | keras.layers.Dense)]
    return sum(math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape) for layer in layers)


def make_batch(size: int) -> Batch:
    """A batch of noise: `image` float32 (size, 48, 80, 3) from 0 to 255, `digits` int32 (size, 5), -1 past the end."""
    rng = np.random.default_rng(0)
    height, width = 48, 80
    digits = np.where(np.arange(5) < rng.integers(1, 6, (size, 1)), rng.integers(0, 10, (size, 5)), -1)
    return {
        "image": tf.constant(rng.uniform(0, 255, (size, height, width, 3)), tf.float32),
        "digits": tf.constant(digits, tf.int32),
    }


def make_keras_calls(batch: Batch, batch_size: int) -> tuple[dict[str, Callable[[], Any]], int, int]:
    """Our side.

    Returns:
        The calls "training" and "inference", which wait for their results, so that they can be timed; the number of
        the network's parameters; and its multiply-adds per image.
    """
    config = stored.make_config({"batch_size": batch_size, "map_weight": 0.0})
    trained = build_state(Run(Path(), config, INFO), 1000, replicas=1)
    step = make_step(trained, config, distribute.choose_strategy())
    model = load.build_model(Run(Path(), config, INFO))
    infer = tf.function(load.freeze_model(model))
    ways = {"training": lambda: step(batch).loss.numpy(), "inference": lambda: infer(batch["image"])["digits"].numpy()}
    return ways, model.count_params(), _count_multiply_adds(model)


def make_torch_calls(batch: Batch, parameters: int) -> dict[str, Callable[[], Any]]:
    """PyTorch's side: the same calls for the same network, and "in float32", the reading without bfloat16.

    Args:
        batch: as `make_batch` returns it.
        parameters: number of our network's parameters, which this network must have too.
    """
    import torch

    from benchmarks.helpers.torch_svhn import Svhn, make_train_step

    _, stem, stages, dropout = residual.build_reader.args
    model: Any = Svhn(stem, stages, dropout, (48, 80), 5)  # Any: PyTorch's types lack memory_format
    assert sum(weight.numel() for weight in model.state_dict().values() if weight.ndim) == parameters
    model = model.to(memory_format=torch.channels_last)
    images = torch.from_numpy(batch["image"].numpy()).permute(0, 3, 1, 2)  # channels_last in memory
    digits = torch.from_numpy(batch["digits"].numpy()).long()
    step = make_train_step(model)

    def infer(mixed: bool) -> Any:
        model.eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            return model(images)[0].float().numpy()

    return {
        "training": lambda: step(images, digits),
        "inference": lambda: infer(True),
        "in float32": lambda: infer(False),
    }


def _measure_rates(ways: list[Callable[[], Any]], size: int, steps: int) -> list[float]:
    """Images per second of each call: the best of several rounds, in which the calls take turns."""
    best = [0.0] * len(ways)
    for way in ways:  # the first calls compile
        way()
        way()
    for _ in range(ROUNDS):
        for index, way in enumerate(ways):
            began = time.perf_counter()
            for _ in range(steps):
                way()
            best[index] = max(best[index], steps * size / (time.perf_counter() - began))
    return best


def _measure_product_rate() -> float:
    """Floating-point operations per second of a large matrix product in bfloat16."""
    matrix = tf.cast(tf.random.stateless_normal((MATRIX_SIDE, MATRIX_SIDE), (0, 0)), tf.bfloat16)
    return 2 * MATRIX_SIDE**3 * _measure_rates([lambda: tf.matmul(matrix, matrix)[0, 0].numpy()], 1, 1)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch_size", type=int, default=64, help="images per call")
    parser.add_argument("--steps", type=int, default=20, help="calls in a round")
    parser.add_argument("--threads", type=int, default=2, help="threads of each side")
    args = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(args.threads)
    batch = make_batch(args.batch_size)
    ours, parameters, macs = make_keras_calls(batch, args.batch_size)
    try:
        import torch

        torch.set_num_threads(args.threads)
        others = make_torch_calls(batch, parameters)
    except ImportError:
        others = {}
    ways = [*ours.values(), *others.values()]
    found = _measure_rates(ways, args.batch_size, args.steps)
    training, inference, *theirs = found
    print(f"reader: {parameters:,} parameters, {macs / 1e6:.0f} million multiply-adds an image")
    print(f"batches of {args.batch_size}, {args.threads} threads, best of {ROUNDS} rounds in turn")
    print("images/s          ours    PyTorch   ratio")
    for name, own, other in zip(("training", "inference"), (training, inference), _pick_fastest(theirs), strict=True):
        print(f"{name:12} {own:9.0f} " + (f"{other:10.0f} {own / other:7.2f}" if other else "not installed"))
    product = _measure_product_rate()
    # A training step computes three passes: forward, and backward to the inputs and to the weights.
    for name, own, passes in (("training", training, 3), ("inference", inference, 1)):
        rate = 2 * passes * macs * own
        print(f"{name:12} {rate / 1e9:9.0f} GFLOP/s, {rate / product:.0%} of a matrix product's {product / 1e9:.0f}")


def _pick_fastest(theirs: list[float]) -> tuple[float, float]:
    """PyTorch's rates of training and of its fastest reading; 0 if PyTorch is not installed."""
    return (theirs[0], max(theirs[1:])) if theirs else (0.0, 0.0)


if __name__ == "__main__":
    main()
