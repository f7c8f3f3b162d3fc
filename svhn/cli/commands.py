"""What the commands of a run do, and what they print.

Each command first does what needs no TensorFlow, so that a wrong name or missing records are answered at once, and
imports the rest where that is used.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

from svhn.cli.flag_table import FLAGS
from svhn.cli.session import (
    Session,
    format_banner,
    format_score_command,
    print_line,
    read_session_info,
    read_training_info,
)
from svhn.cli.table import READER_FLAGS
from svhn.errors import UserError
from svhn.models import MODELS
from svhn.run import Run
from svhn.runs.steps import list_steps, read_best, resolve_step, resolve_steps
from svhn.runs.stored import hold_run, open_run, plan_run, read_config
from svhn.runtime.cluster import is_chief
from svhn.runtime.files import atomic_write, write_rows
from svhn.runtime.holding import hold_folder
from svhn.runtime.shell import UsageError, silence_tensorflow

if TYPE_CHECKING:
    from svhn.training.lr_finder import Sweep


def train_run(session: Session) -> None:
    info = read_training_info(session)
    with hold_run(session.paths.run_folder, session.given, info) as run:
        print(format_banner(session, run), flush=True)
        with silence_tensorflow():
            from svhn.training import loop

        started = time.monotonic()
        loop.train_model(run, session.paths, print_line, session.wait_minutes)
        print("Finished training.")
        print(f"Total time to run: {time.monotonic() - started:.0f} s")
        if is_chief() and list_steps(run.folder):
            _suggest_score(session, run)


def _suggest_score(session: Session, run: Run) -> None:
    """Print how to score the run. Raises `UserError` if the checkpoint to score can't be read."""
    from svhn.runs import checkpoints

    which = "best" if read_best(run.folder) else "latest"
    checkpoints.check_checkpoint(run.folder, resolve_step(run.folder, which))
    if run.records.has_split("test") or run.records.has_split("valid"):
        print(f"Now score it: {format_score_command(session.paths, run.records, which)}")


def score_run(session: Session) -> None:
    """`valid` and `test`: a table of the run's checkpoints, and a sheet of what the last of them reads."""
    paths = session.paths
    chosen = resolve_steps(paths.run_folder, session.checkpoint or "all")
    run = _open_scored_run(session, session.mode)
    best = read_best(run.folder).get("step")
    print(format_banner(session, run), flush=True)
    with silence_tensorflow():
        from svhn.evaluation import score, tables
        from svhn.pipeline import splits
        from svhn.reporting import sheets

    split = splits.open_run_split(run, paths, session.mode)
    rows = score.score_checkpoints(run, split, chosen, print_line)
    target = paths.results / f"{session.mode}-{paths.name}.csv"
    tables.write_score_table(target, rows)
    print(tables.format_score_table(rows, best))
    first = score.predict_first_examples(run, split, rows[-1].step)
    sheet = sheets.write_sheet(target.with_suffix(".png"), first)
    print(f"Results saved to {target}, a sheet of what was read to {sheet}")


def _open_scored_run(session: Session, split: str) -> Run:
    """The run that is named, opened to read a split of the records at hand."""
    purpose = "choose" if split == "valid" else "score"
    return open_run(session.paths.run_folder, session.given, read_session_info(session), purpose)


def sweep_learning_rate(session: Session) -> None:
    """`lr`: the learning-rate finder."""
    paths = session.paths
    run = plan_run(paths.run_folder, session.given, read_training_info(session))
    print(format_banner(session, run), flush=True)
    with silence_tensorflow():
        from svhn.pipeline import integrity, splits
        from svhn.reporting import charts
        from svhn.training import lr_finder

    charts.check_installed()
    split = splits.open_run_split(run, paths, "train")
    with integrity.explain_corruption(split):
        swept = lr_finder.find_learning_rate(run, paths, split, print_line)
    target = paths.results / f"lr-{paths.name}.png"
    _write_sweep_chart(target, swept)
    print(f"Suggested: --lrate={swept.suggestion:.2g}, a tenth of where the loss is lowest. Picture saved to {target}")


def _write_sweep_chart(path: Path, swept: Sweep) -> None:
    """Raises `UserError` where Matplotlib is not installed."""
    from svhn.reporting import charts

    path.parent.mkdir(parents=True, exist_ok=True)
    picture = charts.draw_learning_rates(*swept, swept.suggestion)
    with atomic_write(path) as file:
        file.write(picture)


def write_report(session: Session) -> None:
    """`report`: a page about a run, or about what a run reads in the labeled photos of a folder."""
    if session.images and session.suspects:
        raise UsageError("--suspects is for a run and its records: leave out the folder, or --suspects")
    if session.images:
        from svhn.cli import reading_commands  # imports what opens pictures

        reading_commands.report_photos(session)
    else:
        _report_run(session)


def _report_run(session: Session) -> None:
    named = [flag for flag in READER_FLAGS if getattr(session, flag) != FLAGS[flag].default]
    if named:
        raise UsageError(f"--{named[0]} is for photos: name their folder, as `svhn report photos/`, or leave it out")
    split = session.split or FLAGS["split"].default
    if split == "train" and not session.suspects:
        raise UserError(
            "--split=train: a run is reported on valid or test; train is a split of photos: `svhn report photos/`, or "
            "of a run with --suspects"
        )
    paths = session.paths
    step = resolve_step(paths.run_folder, session.checkpoint)
    run = _open_scored_run(session, split)
    print(format_banner(session, run), flush=True)
    with silence_tensorflow():
        from svhn.reporting import report

    if session.suspects:
        target, count = report.list_suspects(run, paths, split, step, print_line)
        listed = f", a sheet of the surest to {target.with_suffix('.png')}" if count else ""
        print(f"Suspect labels of {split}: {count:,}; the table is saved to {target}{listed}")
        return
    page = report.write_report(run, paths, split, step, print_line)
    print(f"Report saved to {page}, its pictures beside it")


def release_checkpoint(session: Session) -> None:
    step = resolve_step(session.paths.run_folder, session.checkpoint)
    run = _open_scored_run(session, "valid")
    print(format_banner(session, run), flush=True)
    with silence_tensorflow():
        from svhn.pipeline import integrity, splits
        from svhn.publishing import release

    folder = session.paths.results / "released"
    blend = release.load_blend(run, session.paths, session.blend, session.blend_share)
    valid = splits.open_run_split(run, session.paths, "valid")
    with hold_folder(folder, "run", "choose another --results_dir"):
        with integrity.explain_corruption(valid):
            threshold = session.given.get("threshold")
            temperature, scores = release.release_run(run, valid, step, folder, threshold, blend)
        release.write_light_file(folder, session.paths.records_dir, print_line)
    print(f"Released checkpoint {step} to {folder}, at a temperature of {temperature:g}")
    print(f"It reads {scores['sequence_accuracy']:.2%} of valid's numbers. Score it on test:")
    released = dataclasses.replace(session.paths, name=folder.name, checkpoints_dir=str(folder.parent))
    print(format_score_command(released, run.records, "best"))


def export_checkpoint(session: Session) -> None:
    paths, kind = session.paths, session.format
    read_config(paths.run_folder)
    with silence_tensorflow():
        from svhn.publishing import export
        from svhn.publishing.formats import FORMATS

    target = Path(session.output) if session.output else paths.results / (paths.name + FORMATS[kind].suffix)
    checked = export.export_run(paths.run_folder, session.given, session.checkpoint, paths.records_dir, kind, target)
    agreement = checked.agreement
    print(f"Exported to {target}. There, {agreement.same:.1%} of {checked.sample} are read as by TensorFlow;")
    print(f"confidences differ by {agreement.confidence:.1g} at most, logits by {agreement.difference:.1g}.")


def compare_given_models(session: Session) -> None:
    if not session.models:
        raise UsageError(f"compare needs networks: --model=svm,shallow, for example; there are {', '.join(MODELS)}")
    first = session.models[0]
    paths = dataclasses.replace(session.paths, name=f"{session.paths.name}-{first}")
    info = read_training_info(session._replace(given={"model": first, **session.given}, paths=paths))
    with silence_tensorflow():
        from svhn.training import compare

    wait = session.wait_minutes
    results = compare.compare_models(session.models, session.given, info, session.paths, print_line, wait)
    target = session.paths.results / f"compare-{session.paths.name}.csv"
    write_rows(target, compare.Result._fields, results)
    print(compare.format_comparison(results))
    print(f"Results saved to {target}")
