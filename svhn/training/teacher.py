"""Knowledge distillation (Hinton et al. 2015, arXiv 1503.02531): what a trained run reads, beside the true labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from svhn.config import Paths
from svhn.errors import UserError
from svhn.evaluation import views
from svhn.models import MODELS
from svhn.models.losses import Network
from svhn.run import Run
from svhn.runs import load
from svhn.runs.stored import list_differences, read_config


def load_teacher(run: Run, paths: Paths) -> Network | None:
    """What the run's teacher, if it has one, says at its best checkpoint and its temperature of a network's input.

    Raises:
        UserError: there is no such run, it reads pictures of another form, or it may have learnt this run's valid.
    """
    if not run.config.teacher:
        return None
    if run.config.teacher == paths.name:
        raise UserError(f"--teacher={run.config.teacher}: a run can't teach itself, name another")
    if MODELS[run.config.model].fit:
        raise UserError(f"the model {run.config.model} is fitted at once and can't be taught: leave out --teacher")
    folder = dataclasses.replace(paths, name=run.config.teacher).run_folder
    _check_teacher_form(run, read_config(folder))
    teacher, model = load.load_run(folder)
    network = load.freeze_model(model)
    return lambda images: views.apply_temperature(network(images), teacher.config.temperature)


def _check_teacher_form(run: Run, stored: Mapping[str, Any]) -> None:
    form = {name: value for name, value in run.records.form.items() if name != "dataset"}
    options = {name: getattr(run.config, name) for name in ("random_crop", "grayscale")}
    differing = list_differences(stored["records"], form) + list_differences(stored["config"], options)
    if stored["records"]["dataset"] == run.records.dataset:  # another draw may have trained it on this run's valid
        differing += list_differences(stored["draw"], run.records.draw)
    if differing:
        raise UserError(
            f"--teacher={run.config.teacher} is a run with {', '.join(differing)}: "
            "train with its options and records, or name another teacher"
        )
