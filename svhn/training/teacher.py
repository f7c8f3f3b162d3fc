"""Knowledge distillation (Hinton et al. 2015, arXiv 1503.02531): what a trained run reads, beside the true labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from svhn.config import Config, Paths
from svhn.errors import UserError
from svhn.evaluation import views
from svhn.models import MODELS
from svhn.models.losses import Network
from svhn.runs import load
from svhn.runs.run import list_differences, read_config
from svhn.spec import Info


def load_teacher(config: Config, info: Info, paths: Paths) -> Network | None:
    """What the run's teacher, if it has one, says at its best checkpoint and its temperature of a network's input.

    Raises:
        UserError: there is no such run, it reads pictures of another form, or it may have learnt this run's valid.
    """
    if not config.teacher:
        return None
    if config.teacher == paths.name:
        raise UserError(f"--teacher={config.teacher}: a run can't teach itself, name another")
    if MODELS[config.model].fit:
        raise UserError(f"the model {config.model} is fitted at once and can't be taught: leave out --teacher")
    run = dataclasses.replace(paths, name=config.teacher).run
    _check_teacher_form(config, info, read_config(run))
    model, taught, _ = load.load_run(run)
    network = load.freeze_model(model)
    return lambda images: views.apply_temperature(network(images), taught.temperature)


def _check_teacher_form(config: Config, info: Info, stored: Mapping[str, Any]) -> None:
    form = {name: value for name, value in info.form.items() if name != "dataset"}
    options = {name: getattr(config, name) for name in ("random_crop", "grayscale")}
    differing = list_differences(stored["records"], form) + list_differences(stored["config"], options)
    if stored["records"]["dataset"] == info.dataset:  # in another draw it may have learnt what is valid in this one
        differing += list_differences(stored["draw"], info.draw)
    if differing:
        raise UserError(
            f"--teacher={config.teacher} is a run with {', '.join(differing)}: "
            "train with its options and records, or name another teacher"
        )
