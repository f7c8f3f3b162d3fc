"""Knowledge distillation (Hinton et al. 2015, arXiv 1503.02531): what a trained run reads, beside the true labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from svhn import checkpoints, evaluate, pipeline, runs, views
from svhn.config import Config, Paths, UserError
from svhn.losses import Outputs
from svhn.records import Info

Teacher = Callable[[tf.Tensor], Outputs]


def teacher_of(config: Config, info: Info, paths: Paths) -> Teacher | None:
    """A function from a batch of inputs to the logits of the run's teacher at its best checkpoint, if it has one.

    Raises:
        UserError: there is no such run, or it reads pictures of another form.
    """
    if not config.teacher:
        return None
    if config.teacher == paths.name:
        raise UserError(f"--teacher={config.teacher}: a run can't teach itself, name another")
    run = dataclasses.replace(paths, name=config.teacher).run
    taught, seen = Config(**runs.read_config(run)["config"]), runs.info_of(run)
    forms = [
        (pipeline.input_shape(options, records), records.margin, records.max_length, records.fixed_length)
        for options, records in ((taught, seen), (config, info))
    ]
    if forms[0] != forms[1]:
        raise UserError(
            f"--teacher={config.teacher} reads pictures of {described(*forms[0])}, this run {described(*forms[1])}: "
            "expected the same of both"
        )
    model = evaluate.trained_model(taught, seen, run, checkpoints.chosen_step(run, "all"))
    return lambda images: views.at_temperature(model(images, training=False), taught.temperature)


def described(shape: tuple[int, int, int], margin: float, max_length: int, fixed_length: bool) -> str:
    height, width, channels = shape
    lengths = f"{max_length} digits" if fixed_length else f"up to {max_length} digits"
    return f"{height}x{width}x{channels} with a margin of {margin:g} and {lengths}"
