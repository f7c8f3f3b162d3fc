"""The report on a run: what one of its checkpoints reads in a split, as an HTML page and picture files."""

from __future__ import annotations

from pathlib import Path

from svhn import records
from svhn.config import Config, Paths, parse_train_on
from svhn.errors import Say
from svhn.evaluation import score
from svhn.pipeline import integrity, splits
from svhn.records import Split
from svhn.reporting import analysis, charts, sections, suspects
from svhn.reporting.analysis import LabelCounts
from svhn.reporting.facts import Facts
from svhn.reporting.files import write_report_files
from svhn.run import Run
from svhn.runs import load
from svhn.runs.steps import read_best
from svhn.runs.stored import read_history


def write_report(run: Run, paths: Paths, split: str, step: int, say: Say) -> Path:
    """Write a page about a run's checkpoint, and its pictures, into the run's folder of results.

    Args:
        run: the run.
        paths: folders of the records and the results.
        split: name of the split to read, "valid" or "test".
        step: step of the checkpoint.
        say: prints a line when a part begins.

    Returns:
        The page's path.

    Raises:
        UserError: the split or the checkpoint can't be read, or Matplotlib is not installed.
    """
    charts.check_installed()
    facts = _gather_facts(run, paths, split, step, say)
    say("Drawing the figures...")
    page = sections.build_page(facts)
    return write_report_files(page, facts.findings, paths.results, f"report-{split}", paths.name)


def list_suspects(run: Run, paths: Paths, split: str, step: int, say: Say) -> tuple[Path, int]:
    """Write the table of the labels of a split that a run's checkpoint is sure are wrong, and a sheet of them.

    Args:
        run, paths, step, say: as for `write_report`.
        split: name of the split to read. Of "train", the examples of the run's own data set are read.

    Returns:
        The table's path, and its number of labels.

    Raises:
        UserError: the split or the checkpoint can't be read.
    """
    usable = splits.open_own_split(run, paths, split)
    network = load.freeze_model(load.load_trained_model(run, step))
    say(f"Reading {usable.examples:,} examples of {split}...")
    target = paths.results / f"suspects-{split}-{paths.name}.csv"
    with integrity.explain_corruption(usable):
        return target, suspects.write_suspects(score.predict_split(network, run, usable), target)


def _gather_facts(run: Run, paths: Paths, split: str, step: int, say: Say) -> Facts:
    best, history = read_best(run.folder), read_history(run.folder)
    names = ["train", split] if _has_train_records(run.config, paths) else [split]
    usable = {name: splits.open_run_split(run, paths, name) for name in names}
    model = load.load_trained_model(run, step)
    network = load.freeze_model(model)
    say(f"Reading {usable[split].examples:,} examples of {split}...")
    with integrity.explain_corruption(usable[split]):
        predictions = score.predict_split(network, run, usable[split])
        findings = analysis.analyze_predictions(predictions, run.records.max_length)
    return Facts(
        run=run,
        split=split,
        step=step,
        best_step=best.get("step"),
        parameters=model.count_params(),
        scores=score.make_scorer(network, run, usable[split])(f"scores of {split}"),
        findings=findings,
        labels={name: _count_split_labels(each, run.records.max_length) for name, each in usable.items()},
        history=history,
        maps=score.compute_feature_maps(model, findings.example.image) if findings.example else {},
    )


def _has_train_records(config: Config, paths: Paths) -> bool:
    """Whether the records that the run was trained on are at hand. A released run is often used without them."""
    return all(
        records.get_info_path(paths.records_dir, name).is_file()
        and records.read_info(paths.records_dir, name).has_split("train")
        for name in parse_train_on(config.train_on, config.dataset)
    )


def _count_split_labels(split: Split, max_length: int) -> LabelCounts:
    with integrity.explain_corruption(split):
        return analysis.count_labels((label for _, label in analysis.list_labels(split)), max_length)
