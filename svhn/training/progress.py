"""The lines that training prints, the steps it takes, and the error of a training that diverged."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Mapping

from svhn.config import Config
from svhn.errors import UserError
from svhn.run import Run
from svhn.runs.steps import list_steps


def count_steps(config: Config, examples: int) -> int:
    """The steps of a whole training: `num_steps`, or else those of `num_epochs` over so many examples."""
    return config.num_steps or math.ceil(config.num_epochs * examples / config.batch_size)


def format_progress(step: int, scores: Mapping[str, float], rate: float, images_left: float) -> str:
    """The progress line of a step.

    Args:
        step: the step that was reached.
        scores: the scores on train since the last progress line.
        rate: images per second.
        images_left: images of the steps that are left.
    """
    left = datetime.timedelta(seconds=round(images_left / rate))
    return (
        f"{_format_time()} Step: {step:5}, Loss: {scores['loss']:09.5f}, "
        f"Seq Acc: {scores['sequence_accuracy']:.2f}, Dig Acc: {scores['digit_accuracy']:.2f}, "
        f"{rate:.0f} images/s, {left} left"
    )


def format_checkpoint(step: int, scores: Mapping[str, float], is_best: bool) -> str:
    """The line of a checkpoint with its scores on valid."""
    return (
        f"{_format_time()} Checkpoint {step}: valid loss {scores['loss']:.4f}, "
        f"Seq Acc: {scores['sequence_accuracy']:.4f}, Dig Acc: {scores['digit_accuracy']:.4f}"
        f"{', the best so far' if is_best else ''}"
    )


def _format_time() -> str:
    return f"[{time.strftime('%H:%M:%S')}]"


def make_divergence_error(run: Run, problem: str) -> UserError:
    """The error of a training whose loss or weights are not finite; it names the last checkpoint that is left."""
    kept = list_steps(run.folder)[-1:] or ["none"]
    return UserError(
        f"{problem}: stopped; the last checkpoint is {kept[0]}. "
        f"Try a smaller --lrate than {run.config.lrate:g}, or --clip_norm=1, under another --name"
    )


def choose_interval(config: Config, start: int, steps: int) -> int:
    """Steps between two progress lines: `log_every`, or fewer where training would end before its first line.

    Args:
        config: the options.
        start: the step that training goes on from.
        steps: the last step.
    """
    left = steps - start
    return config.log_every if left > config.log_every else max(1, left // 3)
