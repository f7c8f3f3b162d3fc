"""Knowledge distillation (Hinton et al. 2015, arXiv 1503.02531): a run learns a trained run's predictions, too."""

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
    """The teacher that `--teacher` names, at its best checkpoint and its temperature; None without a teacher.

    Its input is that of the run's own network, and its outputs are logits. So it gets pictures decoded as the run's
    `exact_jpeg` asks, whichever decoding the teacher was trained with.

    Raises:
        UserError: there is no such run, its pictures have another form, it may have been trained on this run's valid,
            or the run's model can't be taught.
    """
    if not run.config.teacher:
        return None
    if run.config.teacher == paths.name:
        raise UserError(f"--teacher={run.config.teacher}: a run can't teach itself: name another run")
    if MODELS[run.config.model].fit:
        raise UserError(f"--model={run.config.model} is fitted at once and can't be taught: leave out --teacher")
    folder = dataclasses.replace(paths, name=run.config.teacher).run_folder
    _check_teacher_form(run, read_config(folder))
    teacher, model = load.load_run(folder)
    network = load.freeze_model(model)
    return lambda images: views.apply_temperature(network(images), teacher.config.temperature)


def _check_teacher_form(run: Run, stored: Mapping[str, Any]) -> None:
    """Raises `UserError` unless the teacher, by its config.json, fits the run's pictures and its draw of valid."""
    form = {name: value for name, value in run.records.form.items() if name != "dataset"}
    options = {name: getattr(run.config, name) for name in ("random_crop", "grayscale")}
    differing = list_differences(stored["records"], form) + list_differences(stored["config"], options)
    if (
        stored["records"]["dataset"] == run.records.dataset
    ):  # in another draw, it was trained on examples of this run's valid
        differing += list_differences(stored["draw"], run.records.draw)
    if differing:
        raise UserError(
            f"--teacher={run.config.teacher} is a run with {', '.join(differing)}: "
            "train with its options and records, or name another teacher"
        )
