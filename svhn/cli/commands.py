"""What `--mode` can be: what each does with what the user asked for, and what it prints."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from svhn.cli.session import (
    Session,
    format_banner,
    format_score_command,
    print_line,
    read_session_info,
    read_training_info,
)
from svhn.config import check_folder_name, get_registered
from svhn.errors import UserError
from svhn.evaluation import score, tables
from svhn.models import MODELS
from svhn.pipeline import integrity, splits
from svhn.publishing import export, release
from svhn.publishing.formats import FORMATS
from svhn.reading import files, submission, web
from svhn.reading.reader import Reader
from svhn.reporting import charts, report, sheets
from svhn.run import Run
from svhn.runs import load
from svhn.runs.steps import read_best, resolve_step, resolve_steps
from svhn.runs.stored import begin_run, open_run, plan_run
from svhn.runtime.files import atomic_write, write_rows
from svhn.training import compare, loop, lr_finder
from svhn.training.lr_finder import Sweep


def _train_run(session: Session) -> None:
    info = read_training_info(session)
    run = begin_run(session.paths.run_folder, session.given, info)
    print(format_banner(session, run))
    started = time.monotonic()
    loop.train_model(run, session.paths, print_line)
    print("Finished training.")
    print(f"Total time to run: {time.monotonic() - started:.0f} s")
    if info.has_split("test") or info.has_split("valid"):
        print(f"Now score it: {format_score_command(session.paths, info)}")


def _score_run(session: Session) -> None:
    """`valid` and `test`: a table of the run's checkpoints, and a sheet of what the last of them reads."""
    paths = session.paths
    chosen = resolve_steps(paths.run_folder, session.checkpoint or "all")
    run = _open_scored_run(session, session.mode)
    print(format_banner(session, run))
    split = splits.open_run_split(run, paths, session.mode)
    rows = score.score_checkpoints(run, split, chosen, print_line)
    target = paths.results / f"{session.mode}-{paths.name}.csv"
    tables.write_score_table(target, rows)
    print(tables.format_score_table(rows, read_best(run.folder).get("step")))
    first = score.predict_first_examples(run, split, rows[-1].step)
    sheet = sheets.write_sheet(target.with_suffix(".png"), first)
    print(f"Results saved to {target}, a sheet of what was read to {sheet}")


def _open_scored_run(session: Session, split: str) -> Run:
    """The run that is named, opened to read a split of the records at hand."""
    purpose = "choose" if split == "valid" else "score"
    return open_run(session.paths.run_folder, session.given, read_session_info(session), purpose)


def _sweep_learning_rate(session: Session) -> None:
    """`lr`: the learning-rate finder."""
    paths = session.paths
    run = plan_run(paths.run_folder, session.given, read_training_info(session))
    print(format_banner(session, run))
    charts.check_installed()
    split = splits.open_run_split(run, paths, "train")
    with integrity.explain_corruption(split):
        swept = lr_finder.find_learning_rate(run, paths, split, print_line)
    target = paths.results / f"lr-{paths.name}.png"
    _write_sweep_chart(target, swept)
    print(f"Suggested: --lrate={swept.suggestion:.2g}, a tenth of where the loss is lowest. Picture saved to {target}")


def _report_run(session: Session) -> None:
    paths = session.paths
    run = _open_scored_run(session, session.split)
    step = resolve_step(run.folder, session.checkpoint)
    print(format_banner(session, run))
    page = report.write_report(run, paths, session.split, step, session.example, print_line)
    print(f"Report saved to {page}, its pictures beside it")


def _predict_numbers(session: Session) -> None:
    if session.images:
        _read_photos(session)
    elif session.csv:
        run, model = load.load_run(session.paths.run_folder, session.given, session.checkpoint)
        network = load.freeze_model(model)
        target = Path(session.output or "submission.csv")
        count = submission.write_submission(network, run, Path(session.csv), target)
        print(f"{count} readings saved to {target}")
    else:
        raise UserError(
            "--mode=predict reads pictures: name them with --images=door.jpg,photos/ or with --csv=test.csv"
        )


def _read_photos(session: Session) -> None:
    """`predict` with `--images`: a line a picture. Raises `UserError` at the end if any could not be read."""
    pictures = files.expand_patterns(session.images)
    files.check_targets(pictures, session.output, session.annotate)
    reader = _load_reader(session)
    problems: list[str] = []
    rows: list[files.Row] = []
    annotated = Path(session.annotate) if session.annotate else None
    try:
        for row in files.read_files(reader.read_one, pictures, annotated, problems.append):
            print_line(files.format_reading(*row))
            rows.append(row)
    finally:  # what was read until Ctrl-C, or until a disk was full, is not lost; if nothing, an earlier table stays
        if session.output and rows:
            files.write_readings(Path(session.output), rows)
    if problems:
        raise UserError("\n".join([f"{len(problems)} of {len(pictures)} files could not be read:", *problems]))


def _load_reader(session: Session) -> Reader:
    check_folder_name("finder", session.finder)
    finder = dataclasses.replace(session.paths, name=session.finder).run_folder
    return Reader.from_runs(session.paths.run_folder, finder, session.given, session.checkpoint)


def _serve_demo(session: Session) -> None:
    web.check_address(session.host, session.port)
    web.serve_page(_load_reader(session).read_one, session.host, session.port, print_line)


def _release_checkpoint(session: Session) -> None:
    step = resolve_step(session.paths.run_folder, session.checkpoint)
    run = _open_scored_run(session, "valid")
    print(format_banner(session, run))
    folder = session.paths.results / "released"
    valid = splits.open_run_split(run, session.paths, "valid")
    with integrity.explain_corruption(valid):
        temperature, scores = release.release_run(run, valid, step, folder)
    print(f"Released checkpoint {step} to {folder}, at a temperature of {temperature:g}")
    print(f"It reads {scores['sequence_accuracy']:.2%} of valid's numbers. Score it on test:")
    released = dataclasses.replace(session.paths, name=folder.name, checkpoints_dir=str(folder.parent))
    print(format_score_command(released, run.records))


def _export_checkpoint(session: Session) -> None:
    paths, kind = session.paths, session.format
    form = get_registered("format", FORMATS, kind)
    target = Path(session.output) if session.output else paths.results / (paths.name + form.suffix)
    checked = export.export_run(paths.run_folder, session.given, session.checkpoint, paths.records_dir, kind, target)
    print(f"Exported to {target}. There, {checked.same:.1%} of {checked.sample} are read as by TensorFlow;")
    print(f"logits differ by {checked.difference:.1g} at most.")


def _compare_given_models(session: Session) -> None:
    if not session.models:
        raise UserError(f"--mode=compare needs --models: some of {', '.join(MODELS)}")
    first = session.models[0]
    given, paths = {"model": first, **session.given}, compare.make_model_paths(session.paths, first)
    info = read_training_info(session._replace(given=given, paths=paths))
    results = compare.compare_models(session.models, session.given, info, session.paths, print_line)
    target = session.paths.results / f"compare-{session.paths.name}.csv"
    write_rows(target, compare.Result._fields, results)
    print(compare.format_comparison(results))
    print(f"Results saved to {target}")


MODES: dict[str, Callable[[Session], None]] = {
    "train": _train_run,
    "valid": _score_run,
    "test": _score_run,
    "lr": _sweep_learning_rate,
    "report": _report_run,
    "predict": _predict_numbers,
    "release": _release_checkpoint,
    "export": _export_checkpoint,
    "demo": _serve_demo,
    "compare": _compare_given_models,
}


def _write_sweep_chart(path: Path, swept: Sweep) -> None:
    """Raises `UserError` where Matplotlib is not installed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = charts.draw_learning_rates(*swept, swept.suggestion)
    with atomic_write(path) as file:
        file.write(picture)
