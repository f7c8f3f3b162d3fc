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
from svhn.datasets import DATASETS
from svhn.errors import UserError
from svhn.evaluation import score, tables
from svhn.models import MODELS
from svhn.pipeline import integrity, splits
from svhn.publishing import export, release
from svhn.publishing.formats import FORMATS
from svhn.reading import files, submission, web
from svhn.reading.reader import Reader
from svhn.reporting import charts, report, sheets
from svhn.runs import checkpoints, load
from svhn.runs.run import begin_run, open_run, resolve_config
from svhn.runtime.files import atomic_write, write_rows
from svhn.training import compare, loop, lr_finder
from svhn.training.lr_finder import Sweep


def _train_run(session: Session) -> None:
    info = read_training_info(session)
    config = begin_run(session.paths.run, session.given, info)
    print(format_banner(session, config, info))
    started = time.monotonic()
    loop.train_model(config, info, session.paths, DATASETS[config.dataset].augmentation, print_line)
    print("Finished training.")
    print(f"Total time to run: {time.monotonic() - started:.0f} s")
    if info.has_split("test") or info.has_split("valid"):
        print(f"Now score it: {format_score_command(session.paths, info)}")


def _score_run(session: Session) -> None:
    """`valid` and `test`: a table of the run's checkpoints, and a sheet of what the last of them reads."""
    paths, run = session.paths, session.paths.run
    chosen = checkpoints.resolve_steps(run, session.checkpoint)
    info = read_session_info(session)
    config = open_run(run, session.given, info, session.mode)
    print(format_banner(session, config, info))
    split = splits.open_run_split(config, info, paths, session.mode)
    rows = score.score_checkpoints(config, info, split, run, chosen, print_line)
    target = paths.results / f"{session.mode}-{paths.name}.csv"
    tables.write_score_table(target, rows)
    print(tables.format_score_table(rows, checkpoints.read_best(run).get("step")))
    first = score.predict_first_examples(config, info, split, run, rows[-1].step)
    sheet = sheets.write_sheet(target.with_suffix(".png"), first)
    print(f"Results saved to {target}, a sheet of what was read to {sheet}")


def _sweep_learning_rate(session: Session) -> None:
    """`lr`: the learning-rate finder."""
    paths = session.paths
    info = read_training_info(session)
    config = resolve_config(paths.run, session.given, info)
    print(format_banner(session, config, info))
    charts.check_installed()
    split = splits.open_run_split(config, info, paths, "train")
    with integrity.explain_corruption(split):
        swept = lr_finder.find_learning_rate(
            config, info, paths, split, DATASETS[config.dataset].augmentation, print_line
        )
    target = paths.results / f"lr-{paths.name}.png"
    _write_sweep_chart(target, swept)
    print(f"Suggested: --lrate={swept.suggestion:.2g}, a tenth of where the loss is lowest. Picture saved to {target}")


def _report_run(session: Session) -> None:
    paths = session.paths
    info = read_session_info(session)
    config = open_run(paths.run, session.given, info, session.split)
    step = checkpoints.resolve_step(paths.run, session.checkpoint)
    print(format_banner(session, config, info))
    page = report.write_report(config, info, paths, session.split, step, session.example, print_line)
    print(f"Report saved to {page}, its pictures beside it")


def _predict_numbers(session: Session) -> None:
    if session.images:
        _read_photos(session)
    elif session.csv:
        model, config, info = load.load_run(session.paths.run, session.given, session.checkpoint)
        network = load.freeze_model(model)
        target = Path(session.output or "submission.csv")
        count = submission.write_submission(network, config, info, Path(session.csv), target)
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
    finder = dataclasses.replace(session.paths, name=session.finder).run
    return Reader.from_runs(session.paths.run, finder, session.given, session.checkpoint)


def _serve_demo(session: Session) -> None:
    web.check_address(session.host, session.port)
    web.serve_page(_load_reader(session).read_one, session.host, session.port, print_line)


def _release_checkpoint(session: Session) -> None:
    run = session.paths.run
    step = checkpoints.resolve_step(run, session.checkpoint)
    info = read_session_info(session)
    config = open_run(run, session.given, info, "valid")
    print(format_banner(session, config, info))
    folder = session.paths.results / "released"
    valid = splits.open_run_split(config, info, session.paths, "valid")
    with integrity.explain_corruption(valid):
        temperature, scores = release.release_run(config, info, valid, run, step, folder)
    print(f"Released checkpoint {step} to {folder}, at a temperature of {temperature:g}")
    print(f"It reads {scores['sequence_accuracy']:.2%} of valid's numbers. Score it on test:")
    print(
        format_score_command(
            dataclasses.replace(session.paths, name=folder.name, checkpoints_dir=str(folder.parent)), info
        )
    )


def _export_checkpoint(session: Session) -> None:
    paths, kind = session.paths, session.format
    form = get_registered("format", FORMATS, kind)
    target = Path(session.output) if session.output else paths.results / (paths.name + form.suffix)
    checked = export.export_run(paths.run, session.given, session.checkpoint, paths.records_dir, kind, target)
    print(f"Exported to {target}. There, {checked.same:.1%} of {checked.sample} are read as by TensorFlow;")
    print(f"logits differ by {checked.difference:.1g} at most.")


def _compare_given_models(session: Session) -> None:
    if not session.models:
        raise UserError(f"--mode=compare needs --models: some of {', '.join(MODELS)}")
    first = session.models[0]
    given, paths = {"model": first, **session.given}, compare.make_model_paths(session.paths, first)
    info = read_training_info(session._replace(given=given, paths=paths))
    augmentation = DATASETS[info.dataset].augmentation
    results = compare.compare_models(session.models, session.given, info, session.paths, augmentation, print_line)
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
