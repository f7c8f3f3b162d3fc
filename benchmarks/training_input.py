"""Images per second in training, from records and from one batch in memory; bytes of a record and of raw pixels.

python -m benchmarks.training_input [--records_dir=records] [--dataset=svhn] [--model=reader] [--steps=60]
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from svhn import records
from svhn.datasets import DATASETS
from svhn.pipeline.batches import make_training_batches
from svhn.run import Run
from svhn.runs import stored
from svhn.training import distribute
from svhn.training.step import build_state, make_step

ROUNDS = 4  # rounds in which both ways take turns, so that other work on the machine slows both


def _measure_rate(step: Callable[[Any], Any], batches: Iterator[Any], steps: int, batch_size: int) -> float:
    """Images per second of training steps."""
    began = time.perf_counter()
    for batch in itertools.islice(batches, steps):
        step(batch).loss.numpy()
    return steps * batch_size / (time.perf_counter() - began)


def _compute_bytes_per_example(split: records.Split) -> float:
    return sum(path.stat().st_size for path in split.paths) / split.examples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records_dir", default="records")
    parser.add_argument("--dataset", default="svhn")
    parser.add_argument("--model", default="reader")
    parser.add_argument("--steps", type=int, default=60, help="steps in a round")
    args = parser.parse_args()
    info = records.read_info(args.records_dir, args.dataset)
    split = records.open_split(args.records_dir, info, "train")
    config = stored.make_config({"dataset": args.dataset, "model": args.model})
    trained = build_state(Run(Path(), config, info), 1000, replicas=1)
    step = make_step(trained, config, distribute.choose_strategy())
    streamed = iter(make_training_batches(Run(Path(), config, info), split, DATASETS[args.dataset].augmentation))
    repeated = itertools.repeat(tf.nest.map_structure(tf.identity, next(streamed)))
    _measure_rate(step, streamed, 10, config.batch_size)  # compiles the step
    rates = [
        [_measure_rate(step, batches, args.steps, config.batch_size) for batches in (streamed, repeated)]
        for _ in range(ROUNDS)
    ]
    stream, memory = (max(column) for column in zip(*rates, strict=True))
    size, raw = _compute_bytes_per_example(split), info.size[0] * info.size[1] * info.channels
    print(f"model {args.model}, batches of {config.batch_size}; best of {ROUNDS} rounds in turn")
    print("                     ours      other   ratio")
    print(f"images/s       {stream:10.0f} {memory:10.0f} {stream / memory:7.3f}   records, against one batch in memory")
    print(f"bytes/example  {size:10.0f} {raw:10.0f} {size / raw:7.3f}   records, against raw pixels")


if __name__ == "__main__":
    main()
